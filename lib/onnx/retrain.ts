import { NetError } from '../errors.js'
import type { LayerParameter, NetParameter } from '../generated/caffe.js'
import { aCount, aText, checkOptions, type OptionRules } from '../system/check_options.js'
import type { HeadOptions } from './import_options.js'

const HEAD_RULES: OptionRules<HeadOptions> = { classes: aCount, label: aText }

/** Layers that a head's scores may go through: they know no number of classes, or have it in a field that is changed. */
const BEHIND = new Set(['Softmax', 'Sigmoid', 'Reshape', 'Flatten', 'Split', 'Pooling', 'Dropout', 'Power'])
const HEADS = new Set(['InnerProduct', 'Convolution'])

/** The last layer that writes a blob, before place `end`. */
function makerOf(layers: readonly LayerParameter[], blob: string, end = layers.length): number {
  for (let i = end - 1; i >= 0; i--) if (layers[i].top?.includes(blob)) return i
  return -1
}

/** Names that layers read. */
const readBy = (layers: readonly LayerParameter[]): Set<string> => new Set(layers.flatMap(({ bottom = [] }) => bottom))

/** The layers from the output back to the head, which is the last of the list: places in the net. */
function tailOf(layers: readonly LayerParameter[], output: string): number[] {
  const tail: number[] = []
  for (let at = makerOf(layers, output); at >= 0; at = makerOf(layers, layers[at].bottom?.[0] ?? '', at)) {
    tail.push(at)
    const { type = '', bottom = [] } = layers[at]
    if (HEADS.has(type)) return tail
    if (!BEHIND.has(type) || bottom.length !== 1) break
  }
  const last = tail.length ? layers[tail[tail.length - 1]] : undefined
  throw new NetError(
    `replaceOutput: the output '${output}' is not made by an InnerProduct or Convolution layer, perhaps with a Softmax behind it${last ? `: layer '${last.name}' (${last.type}) is in the way` : ''}`,
  )
}

/** The net with a head that is not trained yet, and with a loss where `label` names its input. */
export function replaceOutput(net: NetParameter, options: HeadOptions): NetParameter {
  checkOptions('the option replaceOutput', options, HEAD_RULES)
  const { classes, label } = options
  const layers = [...(net.layer ?? [])]
  const read = readBy(layers)
  const outputs = layers
    .flatMap(({ top = [] }) => top)
    .filter((name, i, all) => !read.has(name) && all.indexOf(name) === i)
  if (outputs.length !== 1)
    throw new NetError(
      `replaceOutput needs a net with one output; this one has ${outputs.map(n => `'${n}'`).join(', ')}`,
    )
  const tail = tailOf(layers, outputs[0])
  if (classes !== undefined) {
    const head = tail[tail.length - 1]
    const old = classesOf(layers[head])
    for (const at of tail) layers[at] = withClasses(layers[at], old, classes)
    layers[head] = newHead(layers[head], classes)
  }
  return { ...net, layer: label === undefined ? layers : withLoss(layers, tail, label) }
}

const classesOf = ({ inner_product_param, convolution_param }: LayerParameter): number =>
  (inner_product_param ?? convolution_param)?.num_output ?? 0

/** A Reshape that says how many classes there are says the new number. */
function withClasses(layer: LayerParameter, old: number, classes: number): LayerParameter {
  const dim = layer.reshape_param?.shape?.dim
  if (!dim) return layer
  return {
    ...layer,
    reshape_param: { ...layer.reshape_param, shape: { dim: dim.map(size => (Number(size) === old ? classes : size)) } },
  }
}

/** Another name, so that no file's weights are taken for it; weights as for a layer that has learned nothing. */
function newHead(layer: LayerParameter, classes: number): LayerParameter {
  const { blobs: _, param: __, ...rest } = layer
  const fillers = { weight_filler: { type: 'xavier' as const }, num_output: classes }
  const name = `${layer.name}_${classes}`
  if (layer.type === 'InnerProduct')
    return { ...rest, name, inner_product_param: { ...rest.inner_product_param, ...fillers } }
  return { ...rest, name, convolution_param: { ...rest.convolution_param, ...fillers } }
}

/** An input of labels and a loss in TRAIN, the last Softmax in TEST. */
function withLoss(layers: LayerParameter[], tail: readonly number[], label: string): LayerParameter[] {
  if (layers.some(({ top = [] }) => top.includes(label)))
    throw new NetError(`replaceOutput: label: '${label}' is the name of a blob already: choose another`)
  const softmax = tail.find(at => layers[at].type === 'Softmax')
  const scores = softmax === undefined ? layers[tail[0]].top?.[0] : layers[softmax].bottom?.[0]
  const behind = softmax === undefined ? [] : tail.filter(at => at >= softmax)
  const axis = softmax === undefined ? undefined : layers[softmax].softmax_param?.axis
  const batch = layers.find(({ type }) => type === 'Input')?.input_param?.shape?.[0]?.dim?.[0] ?? 1
  const train = [{ phase: 'TRAIN' as const }]
  const input: LayerParameter = {
    name: label,
    type: 'Input',
    top: [label],
    include: train,
    input_param: { shape: [{ dim: [batch] }] },
  }
  const loss: LayerParameter = {
    name: 'loss',
    type: 'SoftmaxWithLoss',
    bottom: [scores ?? '', label],
    top: ['loss'],
    include: train,
    ...(axis !== undefined && { softmax_param: { axis } }),
  }
  const all = layers.map((layer, at) =>
    behind.includes(at) ? { ...layer, include: [{ phase: 'TEST' as const }] } : layer,
  )
  const first = all.findIndex(({ type }) => type !== 'Input')
  return [...all.slice(0, first), input, ...all.slice(first), loss]
}
