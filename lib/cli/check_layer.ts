import { type Command, InvalidArgumentError } from 'commander'
import { createEngine } from '../engines/index.js'
import { RistrettoError } from '../errors.js'
import type { LayerParameter } from '../generated/caffe.js'
import type { LayerClass } from '../layer.js'
import { usualBottom } from '../net/layer_module.js'
import { parseText } from '../proto/text.js'
import { createFiles } from '../system/files.js'
import { listNames } from '../system/names.js'
import { type BottomSpec, CheckError, checkLayer, type LayerOptions, type LayerReport } from '../testing.js'
import { importLayers, takeLayers } from './load_layers.js'
import { addRunOptions, list, phaseOption, type RunOptions, registerLayers, whole } from './options.js'
import { type Output, print, printJson } from './output.js'

interface CheckLayerOptions extends RunOptions {
  layer?: string[]
  bottom?: BottomSpec[]
  tops?: number
  param?: LayerParameter
  paramStr?: string
  phase: 'TRAIN' | 'TEST'
  inPlace?: boolean
  backward: boolean
  reshape: boolean
  json?: boolean
}

export function addCheckLayer(program: Command, output: Output): void {
  const command = program
    .command('check-layer')
    .description(
      'Try out the layers that a module exports: repeatable passes, gradients against differences, changes of shape.',
    )
    .argument('<file>', 'module that exports classes that extend Layer (.js, .mjs, .ts)')
    .option('--layer <names>', 'check these classes only, separated by commas', list)
    .option(
      '--bottom <shape>',
      'shape of a bottom, as 2,3,4,5; with :labels=10 it holds random labels 0 … 9; repeat it for the next bottom',
      bottomOption,
    )
    .option('--tops <n>', 'number of tops (default: the fewest that the layer takes)', whole(0))
    .option('--param <prototxt>', 'what stands inside layer { … }', paramOption)
    .option('--param-str <text>', 'python_param.param_str')
    .addOption(phaseOption('TRAIN'))
    .option('--in-place', 'also with the top in place of the bottom')
    .option('--no-backward', 'the layer has no backward pass')
    .option('--no-reshape', 'the layer takes one shape only')
    .option('--json', 'print the reports as JSON')
  addRunOptions(command).action((file, options: CheckLayerOptions) => check(file, options, output))
  command.addHelpText(
    'after',
    `
Without --bottom a layer gets as many bottoms of 2×3×4×5 as it takes at least.

Examples:
  ristretto check-layer swish.js --param 'swish_param { beta: 2 }' --in-place
  ristretto check-layer pyloss.js --layer EuclideanLossLayer --bottom 4,10 --bottom 4,10
  ristretto check-layer losses.js --layer HingeLayer --bottom 4,10 --bottom 4:labels=10 --param-str "{'margin': 1}"`,
  )
}

function bottomOption(text: string, before: BottomSpec[] = []): BottomSpec[] {
  const match = /^(\d+(?:[,x]\d+)*)?(?::labels=(\d+))?$/.exec(text)
  if (!match)
    throw new InvalidArgumentError('It must be sizes, 2,3,4,5, for labels with their number behind: 4:labels=10.')
  const shape = match[1] ? match[1].split(/[,x]/).map(Number) : []
  return [...before, match[2] ? { shape, labels: Number(match[2]) } : shape]
}

function paramOption(text: string): LayerParameter {
  try {
    return parseText('LayerParameter', text, { file: '--param' })
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}

interface Result {
  layer: string
  passed: boolean
  report?: LayerReport
  error?: string
}

async function check(file: string, options: CheckLayerOptions, output: Output): Promise<void> {
  await registerLayers(options, output)
  const layers = await importLayers(file)
  // a net that one of them makes for itself may name the others; notices are for whoever runs a net
  takeLayers(file, layers)
  const classes = chosen(Object.entries(layers), options.layer, file)
  const results: Result[] = []
  for (const [name, layerClass] of classes) {
    const result = await checkOne(name, layerClass, options)
    results.push(result)
    if (!options.json) for (const line of resultText(result)) print(output, line)
  }
  if (options.json) printJson(output, results)
  const failed = results.filter(result => !result.passed).map(result => result.layer)
  if (failed.length) throw new RistrettoError(`${file}: ${failed.join(', ')} failed`)
}

function chosen(
  layers: [string, LayerClass][],
  names: readonly string[] | undefined,
  file: string,
): [string, LayerClass][] {
  const known = layers.map(([name]) => name)
  const unknown = names?.find(name => !known.includes(name))
  if (unknown !== undefined) throw new RistrettoError(`${file} exports no layer '${unknown}', but ${listNames(known)}`)
  return names ? layers.filter(([name]) => names.includes(name)) : layers
}

async function checkOne(name: string, layerClass: LayerClass, options: CheckLayerOptions): Promise<Result> {
  const { engine = 'wasm', threads, seed, phase, tops, inPlace, backward, reshape, paramStr } = options
  const python = paramStr === undefined ? {} : { python_param: { ...options.param?.python_param, param_str: paramStr } }
  const param: LayerParameter = { name: 'layer', type: name, ...options.param, ...python }
  try {
    const bottoms = options.bottom ?? (await defaultBottoms(layerClass, param))
    const layerOptions: LayerOptions = { param, bottoms, tops, phase, engine, threads, seed, inPlace, backward }
    const report = await checkLayer(layerClass, reshape ? layerOptions : { ...layerOptions, reshapeTo: false })
    return { layer: name, passed: true, report }
  } catch (error) {
    if (error instanceof CheckError) return { layer: name, passed: false, error: error.message }
    // the layer's own words: it may just want other bottoms
    const hint = options.bottom
      ? ''
      : ' (the bottoms were 2×3×4×5; --bottom gives it others, --param and --param-str its parameters)'
    return { layer: name, passed: false, error: `${(error as Error).message}${hint}` }
  }
}

/** As many bottoms as the layer takes at least. */
async function defaultBottoms(layerClass: LayerClass, param: LayerParameter): Promise<BottomSpec[]> {
  const engine = await createEngine('js', {})
  const layer = new layerClass(param, { phase: 'TRAIN', engine, seed: 0, files: createFiles(), log() {} })
  const { exactly, atLeast } = layer.bottomCount
  return Array.from({ length: exactly ?? atLeast ?? 1 }, () => usualBottom)
}

function resultText({ layer, report, error }: Result): string[] {
  if (!report) return [`✗ ${layer}`, `  ${error}`]
  const { engine, checks, gradient } = report
  const worst = gradient ? [`  the worst derivative is off by ${gradient.worst.toExponential(0)}`] : []
  return [`✓ ${layer} on ${engine}`, ...checks.map(text => `  ${text}`), ...worst]
}
