import { int, ints, string, type Tensor } from '../graph.js'
import { type Operand, one, type Step, type Weight, weightOf } from '../pieces.js'
import { constant, input, type Ops, refused } from './handler.js'
import { compact, kernelOf, padded, windowsOf } from './windows.js'

/** The bias, where it is a constant of one value an output. */
function biasOf(step: Step, outputs: number): { weights: Weight[]; later: Operand | undefined } {
  const bias = step.inputs[2]
  if (!bias) return { weights: [], later: undefined }
  if (bias.shape.length !== 1 || bias.shape[0] !== outputs)
    throw refused(step, `its bias is [${bias.shape.join(', ')}], it has ${outputs} outputs`)
  return bias.constant ? { weights: [weightOf(bias.constant)], later: undefined } : { weights: [], later: bias }
}

/** The shape of the weights, which must have the axes of the input. */
function weightShape(step: Step, x: Operand, { shape }: Tensor): readonly number[] {
  if (shape.length !== x.shape.length || shape.length < 3)
    throw refused(step, `its weights are [${shape.join(', ')}], the input is [${x.shape.join(', ')}]`)
  return shape
}

/** A bias that is computed is a layer of its own. */
const biased = (step: Step, x: Operand, bias: Operand | undefined): Operand =>
  bias ? one(step, 'Bias', [x, bias], x.shape, { bias_param: { axis: 1 } }, [], '_bias') : x

function convolution(step: Step): Operand {
  const x = input(step, 0)
  const w = constant(step, 1, 'the weights')
  const [outputs, perGroup, ...kernel] = weightShape(step, x, w)
  const group = int(step.node, 'group', 1)
  if (x.shape[1] !== perGroup * group)
    throw refused(step, `its weights are for ${perGroup * group} channels, the input has ${x.shape[1]}`)
  const windows = windowsOf(step, x, kernelOf(step, kernel))
  const { before, after, stride, dilation, out } = windows
  const isEven = before.every((pad, i) => pad === after[i])
  const pad = isEven ? before : before.map(() => 0)
  const from = isEven ? x : padded(step, x, before, after)
  const bias = biasOf(step, outputs)
  const fields = {
    convolution_param: {
      num_output: outputs,
      ...(bias.weights.length === 0 && { bias_term: false }),
      ...(pad.some(p => p !== 0) && { pad: compact(pad) }),
      kernel_size: compact(windows.kernel),
      ...(group !== 1 && { group }),
      ...(stride.some(s => s !== 1) && { stride: compact(stride) }),
      ...(dilation.some(d => d !== 1) && { dilation: compact(dilation) }),
    },
  }
  const y = one(step, 'Convolution', from, [x.shape[0], outputs, ...out], fields, [weightOf(w), ...bias.weights])
  return biased(step, y, bias.later)
}

function deconvolution(step: Step): Operand {
  const { node } = step
  const x = input(step, 0)
  const w = constant(step, 1, 'the weights')
  const [channels, perGroup, ...kernel] = weightShape(step, x, w)
  const group = int(node, 'group', 1)
  if (x.shape[1] !== channels)
    throw refused(step, `its weights are for ${channels} channels, the input has ${x.shape[1]}`)
  kernelOf(step, kernel)
  const axes = kernel.length
  const list = (name: string, standard: number) => {
    const values = ints(node, name) ?? Array<number>(axes).fill(standard)
    if (values.length !== axes) throw refused(step, `${name} [${values.join(', ')}] is not of ${axes} axes`)
    return values
  }
  const [stride, dilation] = [list('strides', 1), list('dilations', 1)]
  const whole = kernel.map((k, i) => stride[i] * (x.shape[2 + i] - 1) + dilation[i] * (k - 1) + 1)
  const { before, after, more } = deconvolutionPads(step, whole, stride, list('output_padding', 0), x.shape.slice(2))
  const pad = before.map((p, i) => Math.min(p, after[i]))
  const tooFar = more.findIndex((p, i) => p >= stride[i])
  if (tooFar >= 0) throw refused(step, `output_padding ${more[tooFar]} is not below the stride ${stride[tooFar]}`)
  const bias = biasOf(step, perGroup * group)
  const fields = {
    convolution_param: {
      num_output: perGroup * group,
      ...(bias.weights.length === 0 && { bias_term: false }),
      ...(pad.some(p => p !== 0) && { pad: compact(pad) }),
      kernel_size: compact(kernel),
      ...(group !== 1 && { group }),
      ...(stride.some(s => s !== 1) && { stride: compact(stride) }),
      ...(dilation.some(d => d !== 1) && { dilation: compact(dilation) }),
      ...(more.some(p => p !== 0) && { output_pad: compact(more) }),
    },
  }
  const size = whole.map((n, i) => n + more[i] - 2 * pad[i])
  const shape = [x.shape[0], perGroup * group, ...size]
  const y = one(step, 'Deconvolution', x, shape, fields, [weightOf(w), ...bias.weights])
  // what one side is cut by more than the other
  const cut = padded(
    step,
    y,
    before.map((p, i) => pad[i] - p),
    after.map((p, i) => pad[i] - p),
    0,
    '_crop',
  )
  return biased(step, cut, bias.later)
}

/** What pads of a ConvTranspose cut off, and how much there is more behind. */
function deconvolutionPads(
  step: Step,
  whole: readonly number[],
  stride: readonly number[],
  more: readonly number[],
  size: readonly number[],
): { before: readonly number[]; after: readonly number[]; more: readonly number[] } {
  const mode = string(step.node, 'auto_pad', 'NOTSET')
  const target = ints(step.node, 'output_shape')?.slice(-whole.length)
  const zero = whole.map(() => 0)
  if (!target && mode === 'VALID') return { before: zero, after: zero, more }
  if (!target && mode === 'NOTSET') {
    const pads = ints(step.node, 'pads') ?? [...zero, ...zero]
    if (pads.length !== 2 * whole.length || pads.some(pad => pad < 0))
      throw refused(step, `pads [${pads.join(', ')}] are not two for each axis, from 0 on`)
    return { before: pads.slice(0, whole.length), after: pads.slice(whole.length), more }
  }
  const out = target ?? size.map((n, i) => n * stride[i])
  const total = whole.map((n, i) => n + more[i] - out[i])
  // what is missing is more behind
  const all = more.map((n, i) => n + Math.max(0, -total[i]))
  const small = total.map(pad => Math.floor(Math.max(0, pad) / 2))
  const large = total.map((pad, i) => Math.max(0, pad) - small[i])
  return mode === 'SAME_UPPER' ? { before: small, after: large, more: all } : { before: large, after: small, more: all }
}

export const convolutions: Ops = {
  Conv: {
    layers: 'Convolution',
    note: 'any number of spatial axes; uneven pads: Padding before it; weights must be constant',
    build: convolution,
  },
  ConvTranspose: {
    layers: 'Deconvolution',
    note: 'uneven pads: Padding behind it cuts; output_padding below the stride; weights must be constant',
    build: deconvolution,
  },
}
