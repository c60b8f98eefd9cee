import type { Layer } from '../../layer.js'
import { filled } from '../fold/arrays.js'
import { countOf, int } from '../graph.js'
import { FIXED, type Fields, type Operand, one, reshape, type Step } from '../pieces.js'
import { input, type Ops, onlyOutputs, refused } from './handler.js'
import { kernelOf, padded, type Windows, windowsOf } from './windows.js'

type PoolingFields = NonNullable<Layer['param']['pooling_param']>

/** What a maximum cannot be: −FLT_MAX, which Caffe starts from, too. */
const LOWEST = -3.4028234663852886e38

interface Method {
  readonly pool: 'MAX' | 'AVE'
  /** Means divide by all of the window, padding included. */
  readonly counts: boolean
}

/** Pairs as one field where both are the same, else as _h and _w. */
const pair = (name: 'kernel_size' | 'stride' | 'pad', [h, w]: readonly number[]): PoolingFields => {
  if (h === w) return { [name]: h }
  const short = name === 'kernel_size' ? 'kernel' : name
  return { [`${short}_h`]: h, [`${short}_w`]: w }
}

/** How many windows Caffe makes of the size by itself. */
function caffeCount(n: number, k: number, s: number, p: number, anyPad: boolean, up: boolean): number {
  const steps = (n + 2 * p - k) / s
  const count = (up ? Math.ceil(steps) : Math.floor(steps)) + 1
  return anyPad && (count - 1) * s >= n + p ? count - 1 : count
}

/** Whether Caffe's windows, with the front pads on both sides, are these and divide by the same. */
function fitsAsItIs(size: readonly number[], w: Windows, { pool, counts }: Method): boolean {
  if (w.before.some((pad, i) => pad >= w.kernel[i])) return false
  if (pool === 'MAX' || !counts) return true
  // what is counted must end where Caffe's count ends, or before
  return size.every((n, i) => {
    const end = (w.out[i] - 1) * w.stride[i] - w.before[i] + w.kernel[i]
    return w.after[i] === w.before[i] || end <= n + Math.min(w.before[i], w.after[i])
  })
}

/** A pooling over the last two axes of four. */
function poolTwo(step: Step, x: Operand, w: Windows, method: Method, suffix: string): Operand {
  const size = x.shape.slice(2)
  const shape = [...x.shape.slice(0, 2), ...w.out]
  const fields = (pad: readonly number[], up: boolean, leavesOut: boolean): Fields => ({
    pooling_param: {
      ...(method.pool === 'AVE' && { pool: 'AVE' as const }),
      ...pair('kernel_size', w.kernel),
      ...(w.stride.some(s => s !== 1) && pair('stride', w.stride)),
      ...(pad.some(p => p !== 0) && pair('pad', pad)),
      ...(!up && { round_mode: 'FLOOR' as const }),
      ...(leavesOut && { count_include_pad: false }),
    },
  })
  const makes = (from: readonly number[], pad: readonly number[], up: boolean): boolean =>
    from.every(
      (n, i) =>
        caffeCount(
          n,
          w.kernel[i],
          w.stride[i],
          pad[i],
          pad.some(p => p > 0),
          up,
        ) === w.out[i],
    )
  const leavesOut = method.pool === 'AVE' && !method.counts && w.before.some(pad => pad > 0)
  if (fitsAsItIs(size, w, method))
    for (const up of [true, false])
      if (makes(size, w.before, up)) return one(step, 'Pooling', x, shape, fields(w.before, up, leavesOut), [], suffix)
  const around = padded(step, x, w.before, w.after, method.pool === 'MAX' ? LOWEST : 0, `${suffix}_pad`)
  const zero = w.before.map(() => 0)
  const up = makes(around.shape.slice(2), zero, true)
  if (!up && !makes(around.shape.slice(2), zero, false))
    throw refused(step, 'its windows are none that a Pooling layer has')
  if (method.pool === 'MAX' || method.counts)
    return one(step, 'Pooling', around, shape, fields(zero, up, false), [], suffix)
  const means = one(step, 'Pooling', around, shape, fields(zero, up, false), [], `${suffix}_all`)
  return onlyInside(step, means, size, w, suffix)
}

/** Means over window and padding, times what they were divided by over what they should have been: a fixed factor a place. */
function onlyInside(step: Step, x: Operand, size: readonly number[], w: Windows, suffix: string): Operand {
  const along = (i: number): number[] =>
    Array.from({ length: w.out[i] }, (_, o) => {
      const from = o * w.stride[i] - w.before[i]
      const to = Math.min(from + w.kernel[i], size[i] + w.after[i])
      return (to - from) / Math.max(1, Math.min(to, size[i]) - Math.max(from, 0))
    })
  const columns = along(1)
  const values = along(0).flatMap(row => columns.map(column => row * column))
  const weight = { shape: w.out, data: () => Float32Array.from(values) }
  const fields: Fields = { scale_param: { axis: 2, num_axes: 2 }, param: [FIXED] }
  return one(step, 'Scale', x, x.shape, fields, [weight], suffix)
}

/** Where the values came from, counted through all items and channels: Caffe counts within a plane. */
function withPlaces(step: Step, y: Operand, x: Operand): readonly Operand[] {
  const { maker } = y
  if (maker?.bottoms[0] !== x) throw refused(step, 'Indices are not there with pads that Caffe does not make')
  const [n, c, h, width] = x.shape
  const mask: Operand = { name: step.workshop.blobs.unique(`${step.name}_mask`), shape: y.shape, type: 'int64', maker }
  maker.tops.push(mask)
  const planes = filled('float', [n, c, 1, 1], plane => plane * h * width)
  const offset: Operand = { name: `${step.name}_planes`, shape: planes.shape, type: 'float', constant: planes }
  return [y, one(step, 'Broadcast', [mask, offset], y.shape, {}, [], '_places')]
}

/** The windows along some of the axes, with one of size 1 where there is none. */
const along = (w: Windows, axes: readonly (number | undefined)[]): Windows => {
  const pick = (values: readonly number[], none: number) => axes.map(axis => (axis === undefined ? none : values[axis]))
  return {
    kernel: pick(w.kernel, 1),
    stride: pick(w.stride, 1),
    dilation: pick(w.dilation, 1),
    before: pick(w.before, 0),
    after: pick(w.after, 0),
    out: pick(w.out, 1),
  }
}

/** Maxima of values that lie apart: along one axis after the other, each the largest of as many slices as the kernel is long. */
function apart(step: Step, x: Operand, w: Windows): Operand {
  const after = w.out.map((out, i) => {
    const end = (out - 1) * w.stride[i] + w.dilation[i] * (w.kernel[i] - 1) + 1
    return Math.max(w.after[i], end - w.before[i] - x.shape[2 + i])
  })
  const axes = w.kernel.map((_, i) => i).filter(i => w.kernel[i] > 1 || w.stride[i] > 1 || after[i] > 0)
  return axes.reduce(
    (from, i, k) => {
      const axis = 2 + i
      const shape = from.shape.map((size, a) => (a === axis ? w.out[i] : size))
      const suffix = k === axes.length - 1 ? '' : `_axis${axis}`
      const slices = Array.from({ length: w.kernel[i] }, (_, tap) => {
        const start = tap * w.dilation[i]
        const end = start + (w.out[i] - 1) * w.stride[i] + 1
        const strided_slice_param = {
          axis: [axis],
          start: [start],
          end: [end],
          ...(w.stride[i] !== 1 && { step: [w.stride[i]] }),
        }
        const last = w.kernel[i] === 1 ? suffix : `_axis${axis}_${tap}`
        return one(step, 'StridedSlice', from, shape, { strided_slice_param }, [], last)
      })
      if (slices.length === 1) return slices[0]
      return one(step, 'Eltwise', slices, shape, { eltwise_param: { operation: 'MAX' } }, [], suffix)
    },
    padded(step, x, w.before, after, LOWEST),
  )
}

function pooling(step: Step, method: Method): Operand | readonly Operand[] {
  const x = input(step, 0)
  const w = windowsOf(step, x, kernelOf(step))
  if (w.dilation.some((d, i) => d !== 1 && w.kernel[i] > 1)) {
    if (method.pool !== 'MAX' || w.dilation.some(d => d < 1))
      throw refused(step, `dilations [${w.dilation.join(', ')}] of a pooling are not there`)
    onlyOutputs(step, 1)
    return apart(step, x, w)
  }
  if (int(step.node, 'storage_order', 0)) throw refused(step, 'storage_order 1 is not there')
  const [n, c, ...size] = x.shape
  const wantsPlaces = step.reads(step.node.outputs[1] ?? '') > 0
  if (wantsPlaces && (size.length !== 2 || method.pool !== 'MAX'))
    throw refused(step, 'Indices are there with two spatial axes only')
  if (wantsPlaces) return withPlaces(step, poolTwo(step, x, w, method, ''), x)
  if (size.length === 2) return poolTwo(step, x, w, method, '')
  if (size.length === 1) {
    const flat = reshape(step, x, [n, c, 1, size[0]], '_in')
    const line = { ...along(w, [undefined, 0]) }
    return reshape(step, poolTwo(step, flat, line, method, ''), [n, c, ...w.out], '_out')
  }
  if (size.length !== 3) throw refused(step, `a pooling over ${size.length} axes is not there`)
  // largest values of largest values, means of means
  const [d, h, width] = size
  const planes = poolTwo(step, reshape(step, x, [n, c * d, h, width], '_in'), along(w, [1, 2]), method, '')
  const columns = reshape(step, planes, [n * c, 1, d, w.out[1] * w.out[2]], '_columns')
  const line = { ...along(w, [0, undefined]), out: [w.out[0], columns.shape[3]] }
  const deep = poolTwo(step, columns, line, method, '_deep')
  return reshape(step, deep, [n, c, ...w.out], '_out')
}

/** One value a channel: all spatial axes have the size 1 then. */
export function globalPooling(step: Step, x: Operand, pool: 'MAX' | 'AVE'): Operand {
  const [n, c, ...size] = x.shape
  if (size.length < 1) throw refused(step, `it needs spatial axes, the input is [${x.shape.join(', ')}]`)
  const flat = size.length === 2 ? x : reshape(step, x, [n, c, 1, countOf(size)], '_in')
  const fields = { pooling_param: { ...(pool === 'AVE' && { pool }), global_pooling: true } }
  const y = one(step, 'Pooling', flat, [n, c, 1, 1], fields)
  return reshape(step, y, [n, c, ...size.map(() => 1)], '_out')
}

export const poolings: Ops = {
  MaxPool: {
    layers: 'Pooling, or StridedSlice and Eltwise',
    note: 'one to three spatial axes; pads that Caffe does not make: Padding; dilated windows are the largest of slices',
    build: step => pooling(step, { pool: 'MAX', counts: false }),
  },
  AveragePool: {
    layers: 'Pooling',
    note: 'means without their padding: count_include_pad: false, or Padding and Scale',
    build: step => pooling(step, { pool: 'AVE', counts: int(step.node, 'count_include_pad', 0) === 1 }),
  },
  GlobalMaxPool: { layers: 'Pooling', build: step => globalPooling(step, input(step, 0), 'MAX') },
  GlobalAveragePool: { layers: 'Pooling', build: step => globalPooling(step, input(step, 0), 'AVE') },
}
