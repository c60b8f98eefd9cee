import { createEngine } from '../../engines/index.js'
import { FormatError } from '../../errors.js'
import { Layer, type LayerClass } from '../../layer.js'
import { usualBottom } from '../../net/layer_module.js'
import { createFiles } from '../../system/files.js'
import { type BottomSpec, CheckError, checkLayer } from '../../testing.js'
import type { LayerReport, Mark } from '../api/index.js'
import { importLayerFiles, type LayerFiles, type ModuleUrls, withLayers } from './layers.js'

type Verdict = LayerReport['layers'][number]

/**
 * Compile the files, find their classes of layers, and try each: passes that repeat, changes of shape, gradients against
 * differences. Never rejects for what is wrong with the code: the report says it.
 */
export async function checkLayerFiles(files: LayerFiles, urls?: ModuleUrls): Promise<LayerReport> {
  try {
    const modules = await importLayerFiles(files, urls)
    const marks = Object.entries(modules)
      .filter(([, classes]) => !Object.keys(classes).length)
      .map(([file]) => ({
        ...{ file, severity: 'warning' as const },
        message: 'it exports no layer: a layer is a class that extends Layer and has reshape and forward',
      }))
    const layers: Verdict[] = []
    // a net that one of them makes for itself may name the others
    for (const [file, classes] of Object.entries(modules))
      for (const [type, layer] of Object.entries(classes))
        layers.push({ type, file, ...(await withLayers(files, () => tryLayer(layer))) })
    return { marks, layers }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return { marks: [codeMark(error)], layers: [] }
  }
}

function codeMark(error: FormatError): Mark & { file: string } {
  const { file = '', line, column, length } = error
  const message = error.message.replace(/^[^:\s]+:\d+: /, '')
  return { severity: 'error', file, message, ...(line !== undefined && { line, column, length }) }
}

/** Pairs that losses take: rows of the same size, or scores and labels. */
const otherBottoms: readonly (readonly BottomSpec[])[] = [
  [
    [4, 5],
    [4, 5],
  ],
  [[4, 5], { shape: [4], labels: 5 }],
]

async function tryLayer(layer: LayerClass): Promise<Omit<Verdict, 'type' | 'file'>> {
  const backward = layer.prototype.backward !== Layer.prototype.backward
  const failed = (message: string) => ({ derivatives: 0, verdict: 'failed' as const, message })
  let first: string | undefined
  const tries = await candidates(layer).catch((error: Error) => error)
  if (tries instanceof Error) return failed(`it cannot be made: ${tries.message}`)
  for (const bottoms of tries)
    try {
      const { checks, gradient } = await checkLayer(layer, { bottoms, backward, engine: 'js' })
      const verdict = !backward ? 'none' : gradient ? 'passed' : 'on purpose'
      return { derivatives: gradient?.compared ?? 0, verdict, message: `${shapes(bottoms)}: ${checks.join('; ')}` }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      if (error instanceof CheckError) return failed(`${message}${isGradient(message) ? PURPOSE : ''}`)
      // the layer's own words: it may just want other bottoms
      first ??= `${message} (tried with ${shapes(bottoms)})`
    }
  return failed(first ?? 'it could not be tried')
}

const isGradient = (message: string): boolean => message.includes('by backward') || message.includes('.diff')

const PURPOSE = `; if its gradient is meant to be another, say so in the class: static readonly gradient = 'on purpose'`

/** Bottoms to try it with, as many as it takes at least. */
async function candidates(layer: LayerClass): Promise<(readonly BottomSpec[])[]> {
  const engine = await createEngine('js', {})
  const context = { phase: 'TRAIN' as const, engine, seed: 0, files: createFiles({ files: false }), log() {} }
  const { exactly, atLeast } = new layer({ name: 'layer', type: 'layer' }, context).bottomCount
  const count = exactly ?? atLeast ?? 1
  return [Array.from({ length: count }, () => usualBottom), ...(count === 2 ? otherBottoms : [])]
}

const shapes = (bottoms: readonly BottomSpec[]): string =>
  bottoms.map(spec => ('shape' in spec ? spec.shape : spec).join('×')).join(' and ') || 'no bottoms'
