import { readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Command } from 'commander'
import { shapeText } from '../blob.js'
import { RistrettoError } from '../errors.js'
import type { Finding } from '../net/findings.js'
import { createFiles } from '../system/files.js'
import { didYouMean, listNames } from '../system/names.js'
import { checkNet, type NetCheck, type PhaseCheck } from '../tools/check_net.js'
import { isFolder, mustExist, readText } from './input_file.js'
import { layersOption, registerLayers } from './options.js'
import { type Output, print, printJson } from './output.js'
import { bytes, shapeOption, tableLines } from './table.js'

interface Options {
  shape?: Record<string, number[]>
  layers?: string[]
  run?: boolean
  json?: boolean
}

export function addCheck(program: Command, output: Output): void {
  program
    .command('check')
    .description(
      'Say what a net needs that is not here, with shapes and memory: of one prototxt, or of a folder of them.',
    )
    .argument('<paths...>', 'prototxts of nets and solvers, and folders, which are searched for them')
    .option('--shape <blob=sizes>', 'shape of an input or of a top of a data layer; may be repeated', shapeOption)
    .option('--run', 'also run a pass forward, and backward where there is a loss, on made-up values')
    .addOption(layersOption())
    .option('--json', 'print the reports as JSON')
    .action((paths: string[], options: Options) => check(paths, options, output))
    .addHelpText(
      'after',
      `
Both phases are made, with inputs in place of data that is elsewhere. Nothing that the prototxt names has to be there.
The exit code is 1 where a text cannot be read, a net cannot be made or a field would change results.

Examples:
  ristretto check train_val.prototxt
  ristretto check models/ --run --json`,
    )
}

async function check(paths: readonly string[], options: Options, output: Output): Promise<void> {
  await registerLayers(options, output)
  const files: { path: string; shown: string }[] = []
  for (const path of paths)
    if (await isFolder(path))
      files.push(...(await prototxtsIn(path)).map(shown => ({ path: join(path, shown), shown })))
    else {
      await mustExist(path)
      files.push({ path, shown: path })
    }
  if (!files.length) throw new RistrettoError(`no .prototxt is in ${paths.map(path => `'${path}'`).join(', ')}`)
  const checks: NetCheck[] = []
  for (const { path, shown } of files) {
    const { shape: shapes, run } = options
    checks.push(await checkNet(await readText(path), { file: shown, shapes, run, near: createFiles().near(path) }))
  }
  const known = new Set(
    checks.flatMap(({ phases }) => phases.flatMap(({ standIns }) => standIns.map(({ top }) => top))),
  )
  const unused = Object.keys(options.shape ?? {}).find(name => !known.has(name))
  if (unused !== undefined)
    throw new RistrettoError(
      `--shape ${unused}=…: nothing of that name needs a shape${didYouMean(unused, [...known])}; what does is ${listNames([...known])}`,
    )
  if (options.json) printJson(output, files.length === 1 ? checks[0] : checks)
  else if (files.length === 1) for (const line of report(checks[0])) print(output, line)
  else for (const line of zoo(checks)) print(output, line)
  const failed = checks.filter(item => !isGood(item)).length
  if (!failed) return
  throw new RistrettoError(
    checks.length === 1
      ? `${files[0].shown} cannot be used as it is`
      : `${failed} of ${checks.length} files cannot be used as they are`,
  )
}

async function prototxtsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true })
  const found: string[] = []
  for (const name of names.sort())
    if (/\.(proto|pb)?txt$/.test(name) && /prototxt|pbtxt/.test(name) && (await stat(join(folder, name))).isFile())
      found.push(relative('', name))
  return found
}

const isGood = ({ parsed, errors, findings, phases }: NetCheck): boolean =>
  parsed &&
  !errors.length &&
  findings.every(({ severity }) => severity === 'note') &&
  phases.every(phase => phase.built && phase.forward !== false && phase.backward !== false)

/** One net: findings, then each phase. */
function report(item: NetCheck): string[] {
  const { file, kind, name, errors, findings, phases } = item
  return [
    `${file}: ${kind}${name ? ` ${name}` : ''}`,
    ...errors.flatMap(error => error.split('\n').map(line => `error: ${line}`)),
    ...grouped(findings),
    ...(findings.length || errors.length || kind === 'net' ? [] : ['everything in it is known']),
    ...phases.flatMap(phase => phaseReport(phase, findings)),
  ]
}

function phaseReport(item: PhaseCheck, findings: readonly Finding[]): string[] {
  const { phase, built, standIns, summary, errors, forward, backward } = item
  const lines = ['', `${phase}: ${built ? 'it can be made' : 'it cannot be made'}${passes(forward, backward)}`]
  for (const { layer, type, top, shape } of standIns)
    lines.push(
      `stand-in: '${top}' is ${shapeText(shape)}${layer === undefined ? '' : `, for ${type} layer '${layer}'`}`,
    )
  // types that nobody knows stand above
  const others = errors.filter(error => !findings.some(({ message }) => error.startsWith(message)))
  for (const error of others) lines.push(...error.split('\n').map(line => `error: ${line}`))
  if (!summary) return lines
  const rows = summary.layers.map(layer => [
    layer.name,
    layer.type,
    layer.shapes.map(shapeText).join(', '),
    layer.params ? layer.params.toLocaleString('en-US') : '',
    layer.memory ? bytes(layer.memory) : '',
  ])
  const { params, activations, diffs } = summary.memory
  return [
    ...lines,
    ...tableLines([['layer', 'type', 'output', 'params', 'memory'], ...rows], 3),
    `Memory: ${bytes(params)} params, ${bytes(activations)} activations${diffs ? `, ${bytes(diffs)} gradients if it trains` : ''}`,
  ]
}

const passes = (forward?: boolean, backward?: boolean): string =>
  (forward === undefined ? '' : `, forward ${forward ? 'finite' : 'not finite'}`) +
  (backward === undefined ? '' : `, backward ${backward ? 'finite' : 'not finite'}`)

/** Findings that say the same, as one line. */
function grouped(findings: readonly Finding[]): string[] {
  const lines = new Map<string, { text: string; layers: number }>()
  for (const { severity, kind, layer, type, line, message } of findings) {
    const key = [severity, kind, type, message.replace(/^layer '[^']*'/, '')].join('\0')
    const at = line === undefined ? '' : ` (line ${line})`
    const where = kind === 'type' || layer === undefined ? '' : `layer '${layer}' (${type}): `
    const there = lines.get(key)
    if (there) there.layers++
    else lines.set(key, { text: `${severity}: ${where}${message}${at}`, layers: 1 })
  }
  return [...lines.values()].map(({ text, layers }) => (layers > 1 ? `${text}, and ${layers - 1} more` : text))
}

/** Many nets: a row for each, and what is missing in how many. */
function zoo(checks: readonly NetCheck[]): string[] {
  const rows = checks.map(item => {
    const { file, kind, parsed, phases, findings } = item
    const summary = phases.map(phase => phase.summary).find(found => found)
    const state = (phase: PhaseCheck) =>
      !phase.built
        ? 'not made'
        : phase.forward === false
          ? 'not finite'
          : phase.backward === false
            ? 'gradient not finite'
            : 'ok'
    return [
      file,
      kind,
      parsed ? 'yes' : 'no',
      phases.map(phase => `${phase.phase} ${state(phase)}`).join(', '),
      String(findings.filter(({ severity }) => severity === 'error').length || ''),
      summary ? summary.params.toLocaleString('en-US') : '',
      summary ? bytes(summary.memory.activations) : '',
    ]
  })
  const reasons = new Map<string, number>()
  for (const item of checks) for (const reason of reasonsOf(item)) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  const good = checks.filter(isGood).length
  return [
    ...tableLines([['file', 'kind', 'read', 'made', 'unknown', 'params', 'activations'], ...rows], 4),
    '',
    `${checks.length} files: ${checks.filter(({ parsed }) => parsed).length} can be read, ${good} can be used as they are`,
    ...[...reasons].sort((a, b) => b[1] - a[1]).map(([reason, count]) => `${String(count).padStart(4)}  ${reason}`),
  ]
}

/** What keeps a file from being used, each reason once. */
export function reasonsOf({ errors, findings, phases }: NetCheck): Set<string> {
  const unknown = findings.filter(({ severity }) => severity === 'error')
  const types = unknown.map(({ kind, type, field, message }) =>
    kind === 'type' ? `type ${type}` : `${type ?? ''} ${message || field}`.trim(),
  )
  const broken = types.length ? [] : phases.flatMap(phase => phase.errors)
  return new Set([...errors, ...types, ...broken].map(text => text.split('\n')[0]))
}
