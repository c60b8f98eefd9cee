import { attribute, int, ints, string } from '../graph.js'
import type { Operand, Step } from '../pieces.js'
import { one } from '../pieces.js'
import { refused } from './handler.js'

/** Where the windows of a convolution or pooling lie; lists run over the spatial axes. */
export interface Windows {
  readonly kernel: readonly number[]
  readonly stride: readonly number[]
  readonly dilation: readonly number[]
  readonly before: readonly number[]
  readonly after: readonly number[]
  /** Windows along each axis. */
  readonly out: readonly number[]
}

function list(step: Step, name: string, axes: number, standard: number): readonly number[] {
  const values = ints(step.node, name) ?? Array<number>(axes).fill(standard)
  if (values.length !== axes) throw refused(step, `${name} [${values.join(', ')}] is not of ${axes} axes`)
  return values
}

/** Reads kernel, strides, dilations and pads, and works out how many windows there are. */
export function windowsOf(step: Step, x: Operand, kernelShape: readonly number[]): Windows {
  const size = x.shape.slice(2)
  const axes = size.length
  if (axes < 1 || kernelShape.length !== axes)
    throw refused(step, `a window [${kernelShape.join(', ')}] does not fit an input [${x.shape.join(', ')}]`)
  const stride = list(step, 'strides', axes, 1)
  const dilation = list(step, 'dilations', axes, 1)
  const extent = kernelShape.map((k, i) => dilation[i] * (k - 1) + 1)
  const mode = string(step.node, 'auto_pad', 'NOTSET')
  const pads = padsOf(step, mode, size, extent, stride)
  const ceil = int(step.node, 'ceil_mode', 0) === 1 && mode === 'NOTSET'
  const out = size.map((n, i) => {
    const steps = (n + pads.before[i] + pads.after[i] - extent[i]) / stride[i]
    let count = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1
    // a last window that starts in the end padding is none
    if (ceil && (count - 1) * stride[i] >= n + pads.before[i]) count--
    if (count < 1) throw refused(step, `its window is larger than the input [${x.shape.join(', ')}]`)
    return count
  })
  return { kernel: kernelShape, stride, dilation, ...pads, out }
}

function padsOf(
  step: Step,
  mode: string,
  size: readonly number[],
  extent: readonly number[],
  stride: readonly number[],
): { before: readonly number[]; after: readonly number[] } {
  const axes = size.length
  if (mode === 'NOTSET') {
    const pads = list(step, 'pads', 2 * axes, 0)
    if (pads.some(pad => pad < 0)) throw refused(step, `pads [${pads.join(', ')}] below 0 are not read`)
    return { before: pads.slice(0, axes), after: pads.slice(axes) }
  }
  if (mode === 'VALID') return { before: size.map(() => 0), after: size.map(() => 0) }
  if (mode !== 'SAME_UPPER' && mode !== 'SAME_LOWER') throw refused(step, `auto_pad ${mode} is not known`)
  const total = size.map((n, i) => Math.max(0, (Math.ceil(n / stride[i]) - 1) * stride[i] + extent[i] - n))
  const small = total.map(pad => Math.floor(pad / 2))
  const large = total.map((pad, i) => pad - small[i])
  return mode === 'SAME_UPPER' ? { before: small, after: large } : { before: large, after: small }
}

/** Places around the spatial axes of x. */
export function padded(
  step: Step,
  x: Operand,
  before: readonly number[],
  after: readonly number[],
  value = 0,
  suffix = '_pad',
): Operand {
  if (before.every(pad => pad === 0) && after.every(pad => pad === 0)) return x
  const shape = x.shape.map((size, axis) => size + (axis < 2 ? 0 : before[axis - 2] + after[axis - 2]))
  const padding_param = { before: [...before], after: [...after], ...(value !== 0 && { value }) }
  return one(step, 'Padding', x, shape, { padding_param }, [], suffix)
}

/** A list as a repeated field, once where all are the same. */
export const compact = (values: readonly number[]): number[] =>
  values.every(value => value === values[0]) ? values.slice(0, 1) : [...values]

/** kernel_shape as it is written, or as the weights have it. */
export function kernelOf(step: Step, weights?: readonly number[]): readonly number[] {
  const written = attribute(step.node, 'kernel_shape', 'ints')
  const kernel = written ?? weights
  if (!kernel) throw refused(step, 'it has no kernel_shape')
  if (written && weights && written.join() !== weights.join())
    throw refused(step, `kernel_shape [${written.join(', ')}] is not that of its weights, [${weights.join(', ')}]`)
  return kernel
}
