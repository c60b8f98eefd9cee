import { axisIn } from '../fold/arrays.js'
import { countOf, float, int, nodeText, type Tensor } from '../graph.js'
import { type Operand, one, power, type Step, weightOf } from '../pieces.js'
import { binary } from './arithmetic.js'
import { constant, input, maybeConstant, type Ops, onlyOutputs, refused } from './handler.js'

function batchNorm(step: Step): Operand {
  const x = input(step, 0)
  const { node } = step
  if (int(node, 'training_mode', 0)) throw refused(step, 'training_mode 1 (statistics of the batch) is not there')
  if (int(node, 'spatial', 1) === 0) throw refused(step, 'spatial 0 (statistics of each place) is not there')
  onlyOutputs(step, 1)
  const [scale, bias, mean, variance] = ['scale', 'bias', 'mean', 'variance'].map((what, i) =>
    constant(step, i + 1, `its ${what}`),
  )
  const channels = x.shape[1]
  if (x.shape.length < 2 || [scale, bias, mean, variance].some(t => t.data.length !== channels))
    throw refused(step, `its statistics are of ${mean.data.length} channels, the input is [${x.shape.join(', ')}]`)
  const epsilon = float(node, 'epsilon', 1e-5)
  const eps = Math.fround(epsilon) === Math.fround(1e-5) ? {} : { batch_norm_param: { eps: epsilon } }
  const one1 = { shape: [1], data: () => Float32Array.of(1) }
  const statistics = [weightOf(mean, [channels]), weightOf(variance, [channels]), one1]
  const y = one(step, 'BatchNorm', x, x.shape, eps, statistics)
  const own = scaleName(node.inputs)
  const isPlain = scale.data.every(value => value === 1) && bias.data.every(value => value === 0)
  // a net of this library had none there
  if (step.isOwn && own === undefined && isPlain) return y
  const weights = [weightOf(scale, [channels]), weightOf(bias, [channels])]
  const fields = { scale_param: { bias_term: true } }
  return step.workshop.add(own ?? `${step.name}_scale`, 'Scale', [y], [x.shape], fields, weights)[0]
}

/** Scale and bias that are called name_0 and name_1 are those of a layer that this library has written. */
function scaleName([, scale = '', bias]: readonly string[]): string | undefined {
  const name = scale.endsWith('_0') ? scale.slice(0, -2) : ''
  return name !== '' && bias === `${name}_1` ? name : undefined
}

/** A scale and a shift for each channel behind a normalization without them. */
function affine(step: Step, type: string, fields: object, first: number): Operand {
  const x = input(step, 0)
  const [scale, bias] = ['scale', 'bias'].map((what, i) => constant(step, first + i, `its ${what}`))
  const channels = x.shape[1]
  if (scale.data.length !== channels || bias.data.length !== channels)
    throw refused(step, `its scale is of ${scale.data.length} channels, the input is [${x.shape.join(', ')}]`)
  const weights = [weightOf(scale, [channels]), weightOf(bias, [channels])]
  return one(step, type, x, x.shape, Object.keys(fields).length ? { group_norm_param: fields } : {}, weights)
}

const epsOf = (step: Step): { eps?: number } => {
  const eps = float(step.node, 'epsilon', 1e-5)
  return Math.fround(eps) === Math.fround(1e-5) ? {} : { eps }
}

function groupNorm(step: Step): Operand {
  const group = int(step.node, 'num_groups', 0)
  const channels = input(step, 0).shape[1]
  if (step.opset >= 21 || constant(step, 1, 'its scale').data.length === channels)
    return affine(step, 'GroupNorm', { ...(group !== 32 && { group }), ...epsOf(step) }, 1)
  throw refused(step, 'a scale for each group, as before operator set 21, is not there')
}

function layerNorm(step: Step): readonly Operand[] {
  const x = input(step, 0)
  const written = int(step.node, 'axis', -1)
  const axis = written < 0 ? written + x.shape.length : written
  const row = x.shape.slice(axis)
  const [scale, bias] = [constant(step, 1, 'its scale'), maybeConstant(step, 2, 'its bias')]
  const fits = (t: Tensor | undefined) => !t || t.data.length === countOf(row)
  if (!(axis >= 0 && axis < x.shape.length) || !fits(scale) || !fits(bias))
    throw refused(
      step,
      `its scale [${scale.shape.join(', ')}] is not that of axes ${axis} on of [${x.shape.join(', ')}]`,
    )
  const layer_norm_param = {
    ...(axis !== x.shape.length - 1 && { axis }),
    ...epsOf(step),
    ...(!bias && { bias_term: false }),
  }
  const weights = [weightOf(scale, row), ...(bias ? [weightOf(bias, row)] : [])]
  const fields = Object.keys(layer_norm_param).length ? { layer_norm_param } : {}
  const y = one(step, 'LayerNorm', x, x.shape, fields, weights)
  const isUsed = step.node.outputs.some((name, i) => i > 0 && step.reads(name) > 0)
  return isUsed ? [y, ...statistics(step, x, axis)] : [y]
}

const kept = (x: Operand, axes: readonly number[]) => x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size))

/** The mean of each row, and one over its deviation. */
function statistics(step: Step, x: Operand, first: number): readonly Operand[] {
  const axes = x.shape.map((_, axis) => axis).filter(axis => axis >= first)
  const reduce_param = { axis: axes, operation: 'MEAN' as const, keep_dims: true }
  const mean = one(step, 'Reduce', x, kept(x, axes), { reduce_param }, [], '_mean')
  const centred = binary(step, 'SUB', x, mean, '_centred')
  const squares = power(step, centred, { exponent: 2 }, '_squares')
  const variance = one(step, 'Reduce', squares, kept(x, axes), { reduce_param }, [], '_variance')
  const eps = float(step.node, 'epsilon', 1e-5)
  return [mean, power(step, variance, { shift: eps, exponent: -0.5 }, '_inverse')]
}

function lpNormalization(step: Step): Operand {
  const x = input(step, 0)
  const written = int(step.node, 'axis', -1)
  const axis = axisIn(written, x.shape.length, nodeText(step.node))
  const p = int(step.node, 'p', 2)
  const operation = ({ 1: 'ASUM', 2: 'L2' } as const)[p]
  if (!operation) throw refused(step, `p: ${p} is neither 1 nor 2`)
  const reduce_param = { axis: [axis], operation, keep_dims: true }
  return binary(step, 'DIV', x, one(step, 'Reduce', x, kept(x, [axis]), { reduce_param }, [], '_norm'))
}

function meanVariance(step: Step): Operand {
  const x = input(step, 0)
  const given = step.node.attributes.get('axes')
  const written = given?.type === 'ints' ? given.value : [0, 2, 3]
  const axes = written.map(axis => axisIn(axis, x.shape.length, nodeText(step.node)))
  const reduce_param = { axis: axes, operation: 'MEAN' as const, keep_dims: true }
  const shape = kept(x, axes)
  const centred = binary(step, 'SUB', x, one(step, 'Reduce', x, shape, { reduce_param }, [], '_mean'), '_centred')
  const squares = power(step, centred, { exponent: 2 }, '_squares')
  const variance = one(step, 'Reduce', squares, shape, { reduce_param }, [], '_variance')
  return binary(
    step,
    'DIV',
    centred,
    power(step, power(step, variance, { exponent: 0.5 }, '_root'), { shift: 1e-9 }, '_deviation'),
  )
}

function lrn(step: Step): Operand {
  const x = input(step, 0)
  const { node } = step
  const size = int(node, 'size', 0)
  if (size % 2 !== 1) throw refused(step, `size ${size} must be odd`)
  if (x.shape.length !== 4) throw refused(step, `the input [${x.shape.join(', ')}] must be N × C × H × W`)
  const [alpha, beta, k] = [float(node, 'alpha', 1e-4), float(node, 'beta', 0.75), float(node, 'bias', 1)]
  const lrn_param = {
    ...(size !== 5 && { local_size: size }),
    ...(alpha !== 1 && { alpha }),
    ...(beta !== 0.75 && { beta }),
    ...(k !== 1 && { k }),
  }
  return one(step, 'LRN', x, x.shape, { lrn_param })
}

export const normalization: Ops = {
  BatchNormalization: { layers: 'BatchNorm, Scale', note: 'no training_mode', build: batchNorm },
  InstanceNormalization: { layers: 'InstanceNorm', build: step => affine(step, 'InstanceNorm', epsOf(step), 1) },
  GroupNormalization: { layers: 'GroupNorm', note: 'a scale for each channel', build: groupNorm },
  LayerNormalization: { layers: 'LayerNorm', build: layerNorm },
  LpNormalization: { layers: 'Reduce, Broadcast', build: lpNormalization },
  MeanVarianceNormalization: { layers: 'Reduce, Power, as Sub and Div', build: meanVariance },
  LRN: { layers: 'LRN', build: lrn },
}
