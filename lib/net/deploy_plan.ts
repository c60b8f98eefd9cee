import { NetError } from '../errors.js'
import type { LayerParameter, NetParameter, NetStateRule } from '../generated/caffe.js'
import type { AtDeploy } from '../layer.js'
import { checkMessage } from '../proto/message.js'
import { keepPlace } from '../proto/places.js'
import { classOf, fetchClasses } from '../registry.js'
import { listNames } from '../system/names.js'
import type { DeployOptions } from './deploy_options.js'
import { declaredItem } from './deploy_shape.js'
import { filterNet } from './graph.js'
import { pictureLayers } from './picture_layers.js'
import { upToDate } from './up_to_date.js'

/** A source of a net that is trained, with what it feeds when the net is deployed. */
export interface DeployedInput {
  readonly name: string
  /** The layer that makes it in the training net, which says how large it is; undefined if there is none. */
  readonly layer: LayerParameter | undefined
  /** The layer that says how pictures are prepared for it: the same one, or that of another stage. */
  readonly prepares: LayerParameter | undefined
  /** Place of its top among the layer's. */
  readonly index: number
}

/** What `planDeploy` finds: the layers that stay, and the inputs that they need. */
export interface DeployPlan {
  readonly name: string | undefined
  readonly layers: readonly LayerParameter[]
  readonly inputs: readonly DeployedInput[]
}

/** What deployNet gives, once its options are checked. */
export async function deployByText(param: NetParameter, options: DeployOptions): Promise<NetParameter> {
  const plan = await planDeploy(param, options)
  const shapes: Record<string, readonly number[]> = { ...options.shapes }
  for (const { name, layer, index } of plan.inputs)
    shapes[name] ??= declaredItem(layer, index, options.transform) ?? refuseSize(name, layer)
  return deployed(plan, shapes, options.batch)
}

function refuseSize(name: string, layer: LayerParameter | undefined): never {
  throw new NetError(
    `input '${name}': ${layer ? `layer '${layer.name ?? ''}' (${layer.type ?? ''}) does not say` : 'no data layer says'} how large its items are; give their shape without the batch, shapes: { ${name}: [3, 224, 224] }`,
  )
}

/** Which layers stay in a deploy net, and what they need. */
export async function planDeploy(param: NetParameter, { stage = 'deploy' }: DeployOptions = {}): Promise<DeployPlan> {
  const net = await upToDate(checkMessage('NetParameter', param, 'net'))
  await fetchClasses(net.layer ?? [])
  const { level = 0, stage: own = [] } = net.state ?? {}
  const stages = namesStage(net, stage) ? [...own, stage] : own
  const layers = filterNet(net, { phase: 'TEST', level, stages }).layer ?? []
  const training = filterNet(net, { phase: 'TRAIN', level, stages: own }).layer ?? []
  const predictions = predictionsOf(layers, training)
  const { kept, open } = whatPredicts(layers, predictions)
  if (!kept.length)
    throw new NetError(
      `no layer is left for a deploy net: ${layers.length ? `none of ${listNames(layers.map(({ name = '' }) => name))} computes a prediction` : 'the net has none in phase TEST'}`,
    )
  const test = filterNet(net, { phase: 'TEST', level, stages: own }).layer ?? []
  const sources = [...layers, ...test, ...(net.layer ?? [])].filter(isSource)
  const added = predictions.flatMap(({ added }) => (added ? [added] : []))
  // in the order in which they are read
  const inputs = [...new Set(kept.flatMap(({ bottom = [] }) => bottom))].filter(name => open.has(name))
  return {
    name: net.name,
    layers: [...kept.map(withoutTraining), ...added, ...hiding(layers, [...kept, ...added], predictions)],
    inputs: inputs.map(name => sourceOf(name, sources)),
  }
}

/** Whether a description is that of a net that is used: in phase TEST it has inputs, and no data layers and losses. */
export async function isDeployed(param: NetParameter): Promise<boolean> {
  await fetchClasses(param.layer ?? [])
  const { level = 0, stage: stages = [] } = param.state ?? {}
  return (filterNet(param, { phase: 'TEST', level, stages }).layer ?? []).every(layer => {
    const what = atDeploy(layer)
    return layer.bottom?.length ? what === undefined || what === 'stays' : what === 'stays' || !!layer.input_param
  })
}

const namesStage = (net: NetParameter, stage: string): boolean =>
  (net.layer ?? []).some(({ include = [], exclude = [] }) =>
    [...include, ...exclude].some(
      (rule: NetStateRule) => rule.stage?.includes(stage) || rule.not_stage?.includes(stage),
    ),
  )

/** The net of a plan, with an Input layer for its inputs. */
export function deployed(
  { name, layers, inputs }: DeployPlan,
  items: Readonly<Record<string, readonly number[]>>,
  batch?: number,
): NetParameter {
  // what was an input may have other axes than a batch and items
  const dims = ({ name, layer, index }: DeployedInput): number[] => {
    const { shape = [] } = layer?.input_param ?? {}
    const own = shape[shape.length === 1 ? 0 : index]?.dim
    return batch === undefined && own?.length ? own : [batch ?? 1, ...items[name]]
  }
  const input: LayerParameter = {
    name: inputs.length === 1 ? inputs[0].name : 'input',
    type: 'Input',
    top: inputs.map(({ name }) => name),
    input_param: { shape: inputs.map(input => ({ dim: dims(input) })) },
  }
  return { ...(name !== undefined && { name }), layer: [...(inputs.length ? [input] : []), ...layers] }
}

/** What the class of a layer says; a custom layer with a loss weight is a loss, and what is not known stays. */
function atDeploy(layer: LayerParameter): AtDeploy | undefined {
  const weighs = layer.loss_weight?.some(weight => weight !== 0)
  return classOf(layer)?.atDeploy ?? (weighs ? 'loss' : undefined)
}

const isSource = (layer: LayerParameter): boolean => !layer.bottom?.length && atDeploy(layer) !== 'stays'

const isLoss = (what: AtDeploy | undefined): boolean => what === 'loss' || typeof what === 'object'

interface Judge {
  readonly layer: LayerParameter
  readonly what: AtDeploy
  readonly weight: number
}

/** A prediction: which blob, and the layer that is added for it. */
interface Prediction {
  readonly blob: string
  /** What reads it in the net that is trained; undefined for a blob that nothing reads. */
  readonly reader: LayerParameter | undefined
  readonly added?: LayerParameter
}

/** The blobs that losses judge; without a loss those that accuracies judge, and what nothing reads. */
function predictionsOf(layers: readonly LayerParameter[], training: readonly LayerParameter[]): Prediction[] {
  const here = judgesOf(layers)
  const made = new Set(layers.flatMap(({ top = [] }) => top))
  const trained = judgesOf(training).filter(({ layer, what }) => isLoss(what) && made.has(predicted(layer, training)))
  const losses = here.filter(({ what }) => isLoss(what))
  const judges = mainOnes(losses.length ? losses : trained.length ? trained : here)
  const names = new Set([...made, ...layers.map(({ name = '' }) => name)])
  const found = new Map<string, Prediction>()
  for (const { layer, what } of judges) {
    const blob = predicted(layer, losses.length || !trained.length ? layers : training)
    const reader = layers.includes(layer) ? layer : undefined
    const type = typeof what === 'object' ? what.type : undefined
    const shown = layers.some(other => other.type === type && other.bottom?.includes(blob))
    if (type === undefined || shown) found.set(blob, found.get(blob) ?? { blob, reader })
    else
      found.set(blob, {
        blob,
        reader,
        added: shownBy(layer, what as { type: string; param?: keyof LayerParameter }, blob, names),
      })
  }
  const judged = [...found.values()]
  const { open: inputs } = whatPredicts(layers, judged)
  for (const blob of unread(layers)) {
    if (found.has(blob)) continue
    // what is computed from labels is no prediction
    const own = [...whatPredicts(layers, [{ blob, reader: undefined }]).open]
    if (!judged.length || own.every(name => inputs.has(name))) found.set(blob, { blob, reader: undefined })
  }
  return [...found.values()]
}

const judgesOf = (layers: readonly LayerParameter[]): Judge[] =>
  layers.flatMap(layer => {
    const what = layer.bottom?.length ? atDeploy(layer) : undefined
    if (what === undefined || what === 'stays' || what === 'goes' || what === 'hides') return []
    return [{ layer, what, weight: layer.loss_weight?.[0] ?? 1 }]
  })

/** Losses that judge by the same labels as a heavier one of their type only help the training. */
const mainOnes = (judges: readonly Judge[]): Judge[] =>
  judges.filter(
    ({ layer, weight }) =>
      !judges.some(
        other =>
          other.weight > weight &&
          other.layer.type === layer.type &&
          other.layer.bottom?.slice(1).join() === layer.bottom?.slice(1).join(),
      ),
  )

/** What a loss or accuracy judges: its first bottom that a layer computes. */
function predicted(judge: LayerParameter, layers: readonly LayerParameter[]): string {
  const sources = new Set(layers.filter(isSource).flatMap(({ top = [] }) => top))
  return judge.bottom!.find(name => !sources.has(name)) ?? judge.bottom![0]
}

/** The layer that shows a prediction as people want to see it. */
function shownBy(
  loss: LayerParameter,
  { type, param }: { type: string; param?: keyof LayerParameter },
  blob: string,
  names: Set<string>,
): LayerParameter {
  let name = loss.top?.[1] ?? 'prob'
  for (let i = 2; names.has(name); i++) name = `${blob}_prob${i > 2 ? i - 1 : ''}`
  names.add(name)
  const own = param && loss[param] ? { [param]: loss[param] } : {}
  return { name, type, bottom: [blob], top: [name], ...own }
}

/** Blobs that nothing reads and a layer that stays computes. */
function unread(layers: readonly LayerParameter[]): string[] {
  const open = new Set<string>()
  for (const layer of layers) {
    for (const name of layer.bottom ?? []) open.delete(name)
    const what = atDeploy(layer)
    if (isSource(layer) || (what !== undefined && what !== 'stays')) continue
    for (const name of layer.top ?? []) open.add(name)
  }
  return [...open]
}

/** The layers before the predictions, and the blobs that no such layer makes; from the last layer to the first. */
function whatPredicts(layers: readonly LayerParameter[], predictions: readonly Prediction[]) {
  const open = new Set(predictions.filter(({ reader }) => !reader).map(({ blob }) => blob))
  const kept: LayerParameter[] = []
  for (const layer of [...layers].reverse()) {
    for (const { blob, reader } of predictions) if (reader === layer) open.add(blob)
    const what = atDeploy(layer)
    if ((what !== undefined && what !== 'stays') || isSource(layer)) continue
    if (!layer.top?.some(name => open.has(name))) continue
    for (const name of layer.top) if (!layer.bottom?.includes(name)) open.delete(name)
    for (const name of layer.bottom ?? []) open.add(name)
    kept.unshift(layer)
  }
  return { kept, open }
}

/** Layers that hide what those that are kept make, and nobody reads: it would be an output otherwise. */
function hiding(
  layers: readonly LayerParameter[],
  kept: readonly LayerParameter[],
  predictions: readonly Prediction[],
): LayerParameter[] {
  const idle = new Set(kept.flatMap(({ top = [] }) => top))
  for (const name of kept.flatMap(({ bottom = [], top = [] }) => bottom.filter(own => !top.includes(own))))
    idle.delete(name)
  for (const { blob } of predictions) idle.delete(blob)
  return layers.flatMap(layer => {
    const bottom = atDeploy(layer) === 'hides' ? (layer.bottom ?? []).filter(name => idle.has(name)) : []
    return bottom.length ? [withoutTraining({ ...layer, bottom })] : []
  })
}

/** A layer without what only training needs: rules, loss weights, multipliers of rates. Names of shared params stay. */
function withoutTraining(layer: LayerParameter): LayerParameter {
  const { include, exclude, phase, loss_weight, propagate_down, param, ...rest } = layer
  const shared = param?.map(({ name, share_mode }) => ({ ...(name && { name }), ...(share_mode && { share_mode }) }))
  return keepPlace(layer, { ...rest, ...(shared?.some(({ name }) => name) && { param: shared }) })
}

function sourceOf(name: string, sources: readonly LayerParameter[]): DeployedInput {
  const makers = sources.filter(({ top }) => top?.includes(name))
  // nets of DIGITS have no layer that makes the deployed input
  const layer = makers[0] ?? pictureLayers(sources)[0] ?? sources[0]
  const prepares = pictureLayers(makers)[0] ?? (makers.length ? undefined : layer)
  return { name, layer, prepares, index: makers.length ? makers[0].top!.indexOf(name) : 0 }
}
