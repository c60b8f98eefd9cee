import { type FormatError, RistrettoError } from '../errors.js'
import type { LayerParameter, NetParameter } from '../generated/caffe.js'
import type { Phase } from '../layer.js'
import { BatchNormLayer } from '../layers/batch_norm.js'
import { type Finding, fieldFindings, solverFindings, typeFinding } from '../net/findings.js'
import { filterNet } from '../net/graph.js'
import { unknownType } from '../net/unknown_type.js'
import { Net } from '../net.js'
import { adoptDeclared } from '../proto/adopt.js'
import { parseText } from '../proto/text.js'
import { upgradeNet } from '../proto/upgrade.js'
import { classOf, fetchClasses } from '../registry.js'
import { RandomStream } from '../rng.js'
import { aFlag, anObject, anything, checkOptions } from '../system/check_options.js'
import { createFiles, type Files } from '../system/files.js'
import { guesses, type StandIn, valuesFor, withoutFillers, withStandIns } from './stand_in.js'
import { type NetSummary, summarize } from './summarize.js'

/** What a prototxt describes. */
export type DescriptionKind = 'net' | 'solver' | 'label map'

/** A net in one phase. */
export interface PhaseCheck {
  readonly phase: Phase
  /** Whether it could be made, with stand-ins for data that is elsewhere. */
  readonly built: boolean
  readonly standIns: readonly StandIn[]
  /** Shapes, params, memory and multiply-adds, if it was made. */
  readonly summary?: NetSummary
  /** What is wrong with it beside the findings. */
  readonly errors: readonly string[]
  /** With `run`: whether all outputs of a forward pass are finite. */
  readonly forward?: boolean
  /** With `run`, where a loss is there: whether the gradients of all params are finite. */
  readonly backward?: boolean
}

/** What `checkNet` found. */
export interface NetCheck {
  readonly file: string
  readonly kind: DescriptionKind
  readonly name: string
  /** Whether the text could be read. */
  readonly parsed: boolean
  /** What is wrong with the text. */
  readonly errors: readonly string[]
  /** Fields and types that Caffe 1.0 does not know, over both phases. */
  readonly findings: readonly Finding[]
  /** The phases that have layers of their own: one where both have the same. */
  readonly phases: readonly PhaseCheck[]
}

/** How a net is checked. */
export interface CheckOptions {
  /** Name of the file, for places. */
  file?: string
  /** Shapes of inputs and of data layers' tops that nothing says, by blob. */
  shapes?: Readonly<Record<string, readonly number[]>>
  /** Also run a pass forward, and backward where there is a loss, on made-up values. */
  run?: boolean
  /** Where files that the prototxt names are looked for. */
  near?: Files
}

/**
 * Look through the text of a prototxt, a net's or a solver's, or through a net: what Caffe 1.0 does not know in it, what
 * it would change, and whether the net can be made in both phases, with inputs in place of data that is elsewhere.
 * Never rejects for what is wrong with the text or the net: that is what it reports.
 */
export async function checkNet(source: string | NetParameter, options: CheckOptions = {}): Promise<NetCheck> {
  checkOptions('checkNet', options, { file: anything, shapes: anObject, run: aFlag, near: anObject })
  const { file = typeof source === 'string' ? 'prototxt' : 'net' } = options
  const kind = typeof source === 'string' ? kindOf(source) : 'net'
  if (kind !== 'net') return checkOther(source as string, kind, file)
  const errors: FormatError[] = []
  let net: NetParameter
  try {
    const parsed = typeof source === 'string' ? parseText('NetParameter', source, { file, errors }) : source
    net = adoptDeclared(upgradeNet(parsed))
  } catch (error) {
    return { file, kind, name: '', parsed: false, errors: [...errors, error].map(messageOf), findings: [], phases: [] }
  }
  if (!errors.length && !net.layer?.length) {
    const none = ['it has no layers, so it is no net']
    return { file, kind, name: net.name ?? '', parsed: true, errors: none, findings: fieldFindings(net), phases: [] }
  }
  await fetchClasses(net.layer ?? [])
  const phases: PhaseCheck[] = []
  const findings = [...typeFindings(net), ...fieldFindings(net, { fed: true })]
  if (!errors.length) for (const phase of phasesOf(net)) phases.push(await checkPhase(net, phase, options))
  return { file, kind, name: net.name ?? '', parsed: !errors.length, errors: errors.map(messageOf), findings, phases }
}

/** By the fields that only one of them has. */
function kindOf(text: string): DescriptionKind {
  const top = text.replace(/#.*/g, '').replace(/"(?:[^"\\\n]|\\.)*"/g, '""')
  if (/^\s*item\s*\{/.test(top)) return 'label map'
  const outer = withoutBraces(top)
  return /\b(base_lr|max_iter|lr_policy|train_net|snapshot_prefix|net|net_param|solver_mode|test_iter|momentum)\b\s*[:{]/.test(
    outer,
  )
    ? 'solver'
    : 'net'
}

/** What stands outside all brackets, with the brackets. */
function withoutBraces(text: string): string {
  let depth = 0
  let outer = ''
  for (const char of text) {
    if (char === '}') depth--
    if (depth === 0) outer += char
    if (char === '{') depth++
  }
  return outer
}

function checkOther(text: string, kind: DescriptionKind, file: string): NetCheck {
  const errors: FormatError[] = []
  let findings: Finding[] = []
  if (kind === 'solver') findings = solverFindings(parseText('SolverParameter', text, { file, errors }))
  else parseText('LabelMap', text, { file, errors })
  return { file, kind, name: '', parsed: !errors.length, errors: errors.map(messageOf), findings, phases: [] }
}

/** One for each layer whose type nobody has registered. Data layers are: an input stands in for them. */
function typeFindings(net: NetParameter): Finding[] {
  return (net.layer ?? []).flatMap(layer => {
    if (classOf(layer)) return []
    const found = typeFinding(layer, unknownType(layer).message)
    return [layer.bottom?.length ? found : { ...found, severity: 'note' as const }]
  })
}

function phasesOf(net: NetParameter): Phase[] {
  const names = (phase: Phase): string =>
    (filterNet(net, { phase, level: 0, stages: net.state?.stage ?? [] }).layer ?? [])
      .map(layer => layer.name)
      .join('\n')
  try {
    return names('TRAIN') === names('TEST') ? ['TEST'] : ['TRAIN', 'TEST']
  } catch {
    return ['TEST']
  }
}

async function checkPhase(net: NetParameter, phase: Phase, options: CheckOptions): Promise<PhaseCheck> {
  let first: PhaseCheck | undefined
  for (const guess of guesses) {
    const check = await tryPhase(net, phase, guess, options)
    if (check.built) return check
    first ??= check
    // another size would not help
    if (!check.standIns.length) break
  }
  return first!
}

async function tryPhase(
  net: NetParameter,
  phase: Phase,
  guess: readonly [number, number, number],
  { shapes, run, near = createFiles() }: CheckOptions,
): Promise<PhaseCheck> {
  let standIns: StandIn[] = []
  try {
    const filtered = filterNet(net, { phase, level: 0, stages: net.state?.stage ?? [] })
    const fed = withStandIns(filtered, guess, shapes)
    standIns = fed.standIns
    const bare = { ...fed.net, layer: fed.net.layer?.map(withoutRules) }
    const made = await Net.create(run ? bare : withoutFillers(bare), {
      ...{ phase, seed: 1, near, engine: run ? 'wasm' : 'js' },
      // nothing is computed, so that nothing but the params is ever taken
      ...(!run && { maxMemory: Number.MAX_SAFE_INTEGER }),
    })
    try {
      const check: PhaseCheck = { phase, built: true, standIns, summary: summarize(made), errors: [] }
      return run ? await runPhase(made, check) : check
    } finally {
      made.dispose()
    }
  } catch (error) {
    const causes = error instanceof RistrettoError && error.causes.length ? error.causes : [error]
    return { phase, built: false, standIns, errors: causes.map(messageOf) }
  }
}

/** Rules have been followed, and batch layers of one phase stay; nothing that is found is saved. */
function withoutRules({ include, exclude, ...layer }: LayerParameter): LayerParameter {
  const { detection_output_param } = layer
  if (!detection_output_param?.save_output_param) return layer
  const { save_output_param, ...others } = detection_output_param
  return { ...layer, detection_output_param: others }
}

async function runPhase(net: Net, check: PhaseCheck): Promise<PhaseCheck> {
  const random = new RandomStream(1, 'check')
  const { standIns } = check
  const inputs = net.inputs.map(top => {
    const shape = standIns.find(item => item.top === top)?.shape ?? net.blobs[top].shape
    return [top, valuesFor({ top, shape }, () => random.uniform())] as const
  })
  // statistics of a training that has not been would make every layer's values hundreds of times larger
  for (const layer of net.layers)
    if (layer instanceof BatchNormLayer) for (const blob of layer.blobs.slice(1)) blob.dataArray.fill(1)
  try {
    const outputs = await net.forward(Object.fromEntries(inputs))
    const forward = Object.values(outputs).every(({ data }) => allFinite(data as Float32Array))
    if (!net.layers.some(layer => layer.lossWeights.some(weight => weight !== 0))) return { ...check, forward }
    await net.backward()
    const diffs = await Promise.all(net.built.params.map(({ blob }) => blob.pull().then(() => blob.diffArray)))
    return { ...check, forward, backward: diffs.every(allFinite) }
  } catch (error) {
    return { ...check, forward: false, errors: [messageOf(error)] }
  }
}

const allFinite = (values: Float32Array): boolean => values.every(value => Number.isFinite(value))

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
