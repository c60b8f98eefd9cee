import { FormatError, NetError } from '../errors.js'
import type { LayerParameter, NetParameter } from '../generated/caffe.js'
import { dropIdle, freeNames, inPlace, needed, splitOutputs, toNet } from './finish.js'
import { filled } from './fold/arrays.js'
import { freeze } from './freeze.js'
import { countOf, type Graph, type Node, nodeText, type Tensor } from './graph.js'
import type { ImportOptions } from './import_options.js'
import { ownLayers } from './own_layers.js'
import { recognise } from './recognise.js'
import { recogniseNodes } from './recognise_nodes.js'
import { recogniseSteps } from './recognise_steps.js'
import { replaceOutput } from './retrain.js'
import { inputSizes } from './sizes.js'
import { type Walked, walk } from './walk.js'

/** What became of a model. */
export interface ImportReport {
  /** Nodes that were computed while reading: how many of each operator. */
  readonly folded: Readonly<Record<string, number>>
  /** What the others became: by operator, by layers, how many. */
  readonly mapped: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** Types of layers, and fields, that no other Caffe has. */
  readonly ownLayers: readonly string[]
  /**
   * Params that are one for several layers, and these layers. Exporters write equal constants once: those of a net that
   * was never trained may be shared by chance, and would learn as one.
   */
  readonly shared: Readonly<Record<string, readonly string[]>>
}

/** A model as a net: an ordinary description, with the weights in its layers' blobs. */
export interface ImportedNet {
  /** Input layers for the model's inputs, then its layers; print it, edit it, make a Net or a solver of it. */
  readonly net: NetParameter
  /** What became of the model's nodes. */
  readonly report: ImportReport
}

/** Operators whose results are as long as what they find. */
const COUNTING = new Set(['NonMaxSuppression', 'Compress'])
/** Two such lengths, neither of which a model has as a size: what is a layer for both is one for any. */
const FOUND = [7, 11] as const

/** Turns a graph into a net. Throws one FormatError that names every node that cannot come. */
export function importGraph(graph: Graph, options: ImportOptions = {}): ImportedNet {
  const constants = constantsOf(graph, options)
  const open = graph.inputs.filter(({ name }) => !constants.has(name))
  const sizes = inputSizes(open, options, graph.inputs)
  const [found, other] = FOUND
  const first = walk(graph, sizes, constants, { wholes: new Map(), found })
  const { graph: better, wholes } = recogniseSteps(recogniseNodes(graph, first.shapes), first.shapes)
  const known = { wholes, shapes: first.shapes }
  const hasBranches = graph.nodes.some(({ op }) => op === 'If')
  const walked = better === graph && !hasBranches ? first : walk(better, sizes, constants, { ...known, found })
  const net = finished(graph, walked)
  const counting = graph.nodes.find(({ op, domain }) => COUNTING.has(op) && domain === '')
  if (counting) sameForAll(counting, net, finished(graph, walk(better, sizes, constants, { ...known, found: other })))
  const headed = options.replaceOutput ? replaceOutput(net, options.replaceOutput) : net
  const own = new Set(net.layer?.map(({ name }) => name))
  return { net: freeze(headed, options, own), report: reportOf(walked, headed) }
}

/** From layers that know their neighbours to those of a net. */
function finished(graph: Graph, walked: Walked): NetParameter {
  const { workshop } = walked
  recognise(walked.pieces)
  dropIdle(walked.pieces)
  const pieces = needed(walked.pieces, walked.outputs)
  freeNames(walked.inputs, pieces)
  splitOutputs(pieces, walked.outputs, workshop)
  inPlace(pieces)
  const named = new Map([...graph.initializers].map(([name, tensor]) => [tensor, name]))
  const { inputs, outputs } = walked
  return toNet({ name: graph.name, inputs, outputs, pieces, workshop, constants: named })
}

/** Throws where layers depend on how much is found: they are what they are before anything is. */
function sameForAll(counting: Node, one: NetParameter, other: NetParameter): void {
  const different = one.layer?.find((layer, i) => !isSame(layer, other.layer?.[i]))
  if (different)
    throw new FormatError(
      `${nodeText(counting)}: layer '${different.name}' (${different.type}) behind it would depend on how many items are found, which only a pass tells: let the model end before it, with what it chooses from as outputs`,
    )
}

function isSame({ blobs = [], ...one }: LayerParameter, layer: LayerParameter | undefined): boolean {
  const { blobs: others = [], ...other } = layer ?? {}
  const shapes = (list: typeof blobs) => list.map(({ shape }) => shape)
  if (JSON.stringify([one, shapes(blobs)]) !== JSON.stringify([other, shapes(others)])) return false
  return blobs.every(
    ({ data = [] }, i) => data === others[i].data || data.every((value, k) => Object.is(value, others[i].data?.[k])),
  )
}

function constantsOf({ inputs }: Graph, { constants = {}, shapes = {} }: ImportOptions): Map<string, Tensor> {
  const all = new Map<string, Tensor>()
  for (const [name, value] of Object.entries(constants)) {
    const input = inputs.find(item => item.name === name)
    if (!input)
      throw new NetError(
        `constants names '${name}', which is no input of the model: it has ${inputs.map(item => `'${item.name}'`).join(', ') || 'none'}`,
      )
    const values = typeof value === 'number' ? [value] : Array.from(value)
    const given = Object.hasOwn(shapes, name) ? shapes[name] : undefined
    const shape = given ?? (input.shape ?? []).map(size => (typeof size === 'number' ? size : undefined))
    const open = shape.filter(size => size === undefined).length
    // one size that is open is what the values leave
    const rest = values.length / countOf(shape.filter(size => size !== undefined))
    const whole = shape.map(size => size ?? (open === 1 ? rest : 1))
    if (countOf(whole) !== values.length)
      throw new NetError(`constants: input '${name}' is [${whole.join(', ')}], which is not ${values.length} values`)
    all.set(
      name,
      filled(input.type ?? 'float', whole, i => values[i]),
    )
  }
  return all
}

function reportOf({ folded, mapped }: Walked, net: NetParameter): ImportReport {
  return {
    folded: Object.fromEntries(folded),
    mapped: Object.fromEntries([...mapped].map(([op, types]) => [op, Object.fromEntries(types)])),
    ownLayers: ownLayers(net),
    shared: sharedParams(net),
  }
}

function sharedParams({ layer = [] }: NetParameter): Record<string, string[]> {
  const all = new Map<string, string[]>()
  for (const { name = '', param = [] } of layer)
    for (const { name: shared } of param) if (shared) all.set(shared, [...(all.get(shared) ?? []), name])
  return Object.fromEntries([...all].filter(([, layers]) => layers.length > 1))
}
