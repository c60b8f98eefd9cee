import { Blob, sameShape, shapeText, TooManyValuesError } from '../blob.js'
import type { Engine } from '../engine.js'
import { NetError, throwAll } from '../errors.js'
import type { LayerParameter, NetParameter, ParamSpec } from '../generated/caffe.js'
import { type Count, classOf, type Layer, type LayerContext } from '../layer.js'
import type { Memory } from '../memory.js'
import { isFrozen } from '../proto/frozen.js'
import { keepPlace } from '../proto/places.js'
import { createLayer } from '../registry.js'
import { listNames } from '../system/names.js'
import { earlyBatchAdvice } from './batch_advice.js'
import { pruneBackward } from './graph.js'
import { namingLayer } from './naming_layer.js'
import type { BuiltNet, LearnableParam, NetNode, NetParam, SelectedState } from './node.js'
import { rememberShapes } from './shapes.js'
import { keyOf } from './weights.js'

/** What the net is before its layers are made. */
export interface Selection {
  readonly state: SelectedState
  /** The layers that the state selects, before splits. */
  readonly filtered: NetParameter
  /** The same with splits. */
  readonly split: NetParameter
}

interface Building {
  readonly context: LayerContext
  readonly nodes: NetNode[]
  readonly blobs: Blob[]
  readonly params: NetParam[]
  readonly learnable: LearnableParam[]
  readonly inputs: string[]
  /** Layers by key. */
  readonly keys: Set<string>
  readonly byName: Map<string, number>
  /** Made and not yet read. */
  readonly available: Set<string>
  readonly needsBackward: boolean[]
  readonly owners: Map<string, number>
  /** Which multipliers of a learnable param were written, and by whom. */
  readonly given: { lr?: string; decay?: string }[]
  /** Values of blobs that were counted, and how many bytes of them are not taken yet. */
  readonly counted: Set<Memory>
  untaken: number
}

/** Create, connect and set up the layers of a filtered and split net, in order. */
export async function buildNet({ state, filtered, split }: Selection, context: LayerContext): Promise<BuiltNet> {
  const b: Building = {
    context,
    keys: new Set(),
    nodes: [],
    blobs: [],
    params: [],
    learnable: [],
    inputs: [],
    byName: new Map(),
    available: new Set(),
    needsBackward: [],
    owners: new Map(),
    given: [],
    counted: new Set(),
    untaken: 0,
  }
  try {
    const errors: NetError[] = []
    // blobs of layers that are wrong, and of those that read them: their shapes are not known
    const unmade = new Set<string>()
    for (const param of split.layer ?? [])
      try {
        if (param.bottom?.some(name => unmade.has(name))) for (const top of param.top ?? []) unmade.add(top)
        else await addLayer(b, keepPlace(param, { ...param, phase: param.phase ?? context.phase }))
      } catch (error) {
        if (!(error instanceof NetError)) throw error
        errors.push(error)
        for (const top of param.top ?? []) unmade.add(top)
      }
    throwAll(errors)
    pruneBackward(
      b.nodes,
      b.blobs.map(blob => blob.name),
    )
    if (split.force_backward) forceBackward(b)
    for (const { layer, needsBackward } of b.nodes) {
      layer.needsBackward = needsBackward
      // the net has listed them: one put there later would be computed with and neither learn nor be saved
      Object.freeze(layer.blobs)
    }
    const { nodes, blobs, params, learnable, inputs } = b
    const outputs = [...b.available].sort()
    const name = split.name ?? ''
    return { name, phase: state.phase, state, filtered, context, nodes, blobs, params, learnable, inputs, outputs }
  } catch (error) {
    for (const node of b.nodes) node.layer.dispose()
    for (const blob of [...b.blobs, ...b.params.map(p => p.blob)]) blob.dispose()
    throw error
  }
}

async function addLayer(b: Building, param: LayerParameter): Promise<void> {
  const { context } = b
  const key = keyOf(param.name ?? '', b.keys)
  // a layer may change its own copy in setup, as BatchNorm does with its param specs
  const layer = createLayer(keepPlace(param, { ...param }), { ...context, phase: param.phase!, key })
  const node: NetNode = {
    layer,
    name: layer.name,
    key,
    param,
    bottoms: [],
    tops: [],
    bottom: [],
    top: [],
    lossWeights: [],
    needsBackward: false,
    bottomNeedsBackward: [],
    params: [],
    seen: [],
  }
  b.nodes.push(node)
  const cuts = param.propagate_down ?? []
  if (cuts.length && cuts.length !== (param.bottom ?? []).length)
    throw layer.error(
      `propagate_down is given ${cuts.length} times for ${(param.bottom ?? []).length} bottoms: give it once per bottom or not at all`,
    )

  param.bottom?.forEach((name, i) => {
    const blob = b.byName.get(name)
    if (blob === undefined || !b.available.has(name))
      throw layer.error(
        `bottom ${i} is '${name}', which no layer before it makes${b.byName.size ? `; known: ${listNames([...b.byName.keys()])}` : ''}`,
      )
    b.available.delete(name)
    node.bottoms.push(blob)
    node.bottom.push(b.blobs[blob])
    node.needsBackward ||= b.needsBackward[blob]
    node.bottomNeedsBackward.push(cuts.length ? cuts[i] : b.needsBackward[blob])
  })
  if (!layer.passesGradient) {
    node.needsBackward = false
    node.bottomNeedsBackward.fill(false)
  }
  param.top?.forEach((name, i) => {
    addTop(b, node, name, i, context.engine)
    b.available.add(name)
    if (classOf(layer).isInput) b.inputs.push(name)
  })
  if (layer.automaticTops)
    while (node.tops.length < (layer.topCount.exactly ?? layer.topCount.atLeast ?? 0))
      addTop(b, node, '(automatic)', -1, context.engine)

  checkCounts(layer, node)
  try {
    await layer.setup(node.bottom, node.top)
    for (const blob of layer.blobs) blob.adopt(context.engine.heap)
    layer.reshape(node.bottom, node.top)
  } catch (error) {
    if (error instanceof TooManyValuesError && node.bottom.length)
      error.message += `; ${earlyBatchAdvice(b.nodes, error.share)}`
    throw namingLayer(layer, error)
  }
  const shapeless = node.top.findIndex(top => !top.shaped)
  // an input may get its shape later, with its first values
  if (shapeless >= 0 && !layer.takesFeed)
    throw layer.error(
      `its reshape gives top ${shapeless}, '${node.top[shapeless].name}', no shape: call top[${shapeless}].reshape(…) there`,
    )
  checkRoom(b, node, context.engine)
  rememberShapes(node)
  setLossWeights(node)
  addParams(b, node)
  if (node.needsBackward) for (const top of node.tops) b.needsBackward[top] = true
}

/**
 * Refuse activations far beyond what there is as soon as their shapes are known: layers that read them may make room of
 * that size at once. The whole net is checked when it stands, with advice on the batch size.
 */
function checkRoom(b: Building, node: NetNode, { heap, name }: Engine): void {
  for (const top of node.top) {
    const { data } = top.memory
    if (b.counted.has(data)) continue
    b.counted.add(data)
    // one axis of size 0 does not make the loops over the others shorter
    if (!data.isAllocated) b.untaken += 4 * top.shape.reduce((product, size) => product * (size || 1), 1)
  }
  const available = heap.available ?? Number.POSITIVE_INFINITY
  if (b.untaken > FAR_BEYOND * available)
    throw node.layer.error(
      `its tops are ${node.top.map(top => shapeText(top.shape)).join(', ')}; the net up to here needs ${megabytes(b.untaken)} for its blobs, the ${name} engine has ${megabytes(available)} left; ${earlyBatchAdvice(b.nodes, available / b.untaken)}`,
    )
}

const FAR_BEYOND = 16

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`

/** An in-place top is its bottom; any other top must have a new name. */
function addTop(b: Building, node: NetNode, name: string, i: number, engine: Engine): void {
  const inPlace = i >= 0 && node.param.bottom?.[i] === name
  if (i >= 0 && !inPlace && b.byName.has(name))
    throw node.layer.error(
      `top '${name}' is already made by another layer: a blob has one source, unless a layer works in place (top ${i} = bottom ${i})`,
    )
  let id = inPlace ? b.byName.get(name)! : b.blobs.length
  if (!inPlace) {
    id = b.blobs.push(new Blob([], engine.heap, name)) - 1
    b.needsBackward.push(false)
    if (i >= 0) b.byName.set(name, id)
  }
  node.tops.push(id)
  node.top.push(b.blobs[id])
}

function checkCounts(layer: Layer, node: NetNode): void {
  checkCount(layer, 'bottom', node.bottom.length, layer.bottomCount)
  checkCount(layer, 'top', node.top.length, layer.topCount)
  if (layer.sameCounts && node.bottom.length !== node.top.length)
    throw layer.error(
      `it has ${node.bottom.length} bottoms and ${node.top.length} tops: this layer makes one top per bottom`,
    )
}

function checkCount(layer: Layer, what: string, n: number, count: Count): void {
  const { exactly, atLeast = 0, atMost = Number.POSITIVE_INFINITY } = count
  const plural = (k: number) => `${k} ${what}${k === 1 ? '' : 's'}`
  if (exactly !== undefined && n !== exactly)
    throw layer.error(`it takes exactly ${plural(exactly)}, the net gives ${n}`)
  if (n < atLeast) throw layer.error(`it takes at least ${plural(atLeast)}, the net gives ${n}`)
  if (n > atMost) throw layer.error(`it takes at most ${plural(atMost)}, the net gives ${n}`)
}

/** A top's loss weight stands in its diff from now on: the start of every backward pass. */
function setLossWeights(node: NetNode): void {
  const written = node.param.loss_weight?.length ? node.param.loss_weight : node.layer.isLoss ? [1] : []
  if (written.length && written.length !== node.top.length)
    throw node.layer.error(
      `loss_weight is given ${written.length === 1 && node.layer.isLoss && !node.param.loss_weight?.length ? 'once by default' : `${written.length} times`} for ${node.top.length} tops: give one per top`,
    )
  node.top.forEach((top, i) => {
    const weight = Math.fround(written[i] ?? 0)
    node.lossWeights.push(weight)
    if (weight) top.memory.diff.write(values => values.fill(weight))
  })
  node.layer.lossWeights = node.lossWeights
}

function addParams(b: Building, node: NetNode): void {
  const specs = node.param.param ?? []
  const blobs = node.layer.blobs
  const fixed = isFrozen(node.param) ? { lr_mult: 0, decay_mult: 0 } : {}
  if (specs.length > blobs.length)
    throw node.layer.error(
      `it has ${specs.length} param entries for ${blobs.length} learned blobs: at most one entry per blob`,
    )
  blobs.forEach((_, i) => {
    // Caffe asks the net's description who needs gradients, and the layer for the multipliers
    const learns = !isFrozen(node.param) && (specs[i]?.lr_mult ?? 1) !== 0
    node.needsBackward ||= learns
    node.layer.paramPropagateDown[i] = learns
    addParam(b, node, i, { ...node.layer.param.param?.[i], ...fixed })
  })
}

function addParam(b: Building, node: NetNode, index: number, spec: ParamSpec): void {
  const blob = node.layer.blobs[index]
  const owner = spec.name ? (b.owners.get(spec.name) ?? -1) : -1
  const id = b.params.length
  node.params.push(id)
  if (owner < 0) {
    if (spec.name) b.owners.set(spec.name, id)
    b.params.push({ layer: node.key, index, blob, owner, learnable: b.learnable.length })
    b.learnable.push({ blob, lrMult: Math.fround(spec.lr_mult ?? 1), decayMult: Math.fround(spec.decay_mult ?? 1) })
    b.given.push({
      lr: spec.lr_mult === undefined ? undefined : node.name,
      decay: spec.decay_mult === undefined ? undefined : node.name,
    })
    return
  }
  const first = b.params[owner]
  const permissive = spec.share_mode === 'PERMISSIVE'
  if (permissive ? blob.count !== first.blob.count : !sameShape(blob.shape, first.blob.shape))
    throw node.layer.error(
      `it shares param '${spec.name}' with layer '${first.layer}', but its shape is ${shapeText(blob.shape)} and the owner's ${shapeText(first.blob.shape)}${permissive ? ': the counts must agree' : '; share_mode: PERMISSIVE asks only for the same count'}`,
    )
  b.params.push({ layer: node.key, index, blob, owner, learnable: first.learnable })
  mergeMultiplier(b, node, spec, first, 'lr')
  mergeMultiplier(b, node, spec, first, 'decay')
  blob.shareData(first.blob)
  blob.shareDiff(first.blob)
}

/** A multiplier written later fills in one that the owner left out; two different ones are refused. */
function mergeMultiplier(b: Building, node: NetNode, spec: ParamSpec, first: NetParam, which: 'lr' | 'decay'): void {
  const written = which === 'lr' ? spec.lr_mult : spec.decay_mult
  if (written === undefined) return
  const learnable = b.learnable[first.learnable]
  const field = which === 'lr' ? 'lrMult' : 'decayMult'
  const given = b.given[first.learnable]
  if (given[which] !== undefined && learnable[field] !== Math.fround(written))
    throw node.layer.error(
      `shared param '${spec.name}' has ${which}_mult ${written} here and ${learnable[field]} in layer '${given[which]}': write the same value or leave it out here`,
    )
  given[which] ??= node.name
  learnable[field] = Math.fround(written)
}

/** `force_backward`: every layer runs backward, into every bottom that the layer does not refuse. */
function forceBackward(b: Building): void {
  for (const node of b.nodes) {
    node.needsBackward = true
    node.bottoms.forEach((_, i) => {
      node.bottomNeedsBackward[i] ||= node.layer.allowsForceBackward(i)
    })
    node.layer.paramPropagateDown.fill(true)
  }
}
