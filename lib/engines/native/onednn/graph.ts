/**
 * Calls of kernels, layer by layer, as a graph of the operations that oneDNN has: what is kept of each image between two
 * of them is nobody else's business, so it may lie in any layout.
 */
import type { After, ConvolutionShape, KernelCall, Kernels, LRNShape, PoolingShape } from '../../../engine.js'
import type { Memory } from '../../../memory.js'
import { type Extent, overhang, type Pair, type Planar, type Pooled, type PoolWindow } from './primitives.js'

/** From so many images on threads take whole ones, from the first operation to the last: what is between stays in the cache. */
export const WHOLE_IMAGES = 4
/** Weights of an inner product from which a second copy costs more than it gives: memory is what they wait for. */
const MOST_PRODUCT = 2 ** 22

/** What an operation reads or writes, of each image: made once. */
export interface Value {
  readonly extent: Extent
  /** Where it lies plainly before the first operation. */
  readonly source: Memory | undefined
}

interface Base {
  /** The layer that it belongs to. */
  readonly layer: number
  readonly y: Value
}
export interface ConvolutionOp extends Base {
  readonly kind: 'convolution'
  /** Of all images, as it was asked for. */
  readonly asked: ConvolutionShape
  /** An inner product: its one window is the picture. */
  readonly isProduct: boolean
  readonly shape: Planar
  readonly weight: Memory
  readonly bias: Memory | null
  readonly x: Value
  /** Added to the result, which takes its place. */
  sum: Value | undefined
  after: After | undefined
  y: Value
}
/** The gradient of a convolution's input, y, from that of its output, x. */
export interface InputGradientOp extends Base {
  readonly kind: 'input gradient'
  readonly shape: Planar
  readonly weight: Memory
  readonly x: Value
}
export interface PoolOp extends Base {
  readonly kind: 'pool'
  readonly method: Pooled
  readonly window: PoolWindow
  readonly x: Value
}
export interface LrnOp extends Base {
  readonly kind: 'lrn'
  readonly shape: LRNShape
  readonly x: Value
}
export interface EltwiseOp extends Base {
  readonly kind: 'eltwise'
  readonly after: After
  readonly x: Value
}
export interface AddOp extends Base {
  readonly kind: 'add'
  readonly x: Value
  readonly other: Value
  after: After | undefined
  y: Value
}
export interface ConcatOp extends Base {
  readonly kind: 'concat'
  readonly parts: readonly Value[]
}
export type Op = ConvolutionOp | InputGradientOp | PoolOp | LrnOp | EltwiseOp | AddOp | ConcatOp

export const readsOf = (op: Op): readonly Value[] => {
  if (op.kind === 'concat') return op.parts
  if (op.kind === 'add') return [op.x, op.other]
  return op.kind === 'convolution' && op.sum ? [op.x, op.sum] : [op.x]
}

/** Layers in a row, and what is to be found in memories after them. */
export interface Graph {
  readonly first: number
  readonly last: number
  readonly batch: number
  readonly ops: Op[]
  readonly results: ReadonlyMap<Memory, Value>
}

/** Calls of a layer, or undefined if it does something else as well. */
export type Calls = readonly KernelCall[] | undefined

const planeOf = ({ height, width }: Extent): number => height * width
const sizeOf = (extent: Extent): number => extent.channels * planeOf(extent)
const sameExtent = (a: Extent, b: Extent): boolean =>
  a.channels === b.channels && a.height === b.height && a.width === b.width

/** One axis is an image of height 1. */
const pair = (sizes: readonly number[], missing: number): Pair =>
  sizes.length === 1 ? [missing, sizes[0]] : [sizes[0], sizes[1]]

export function planar(s: ConvolutionShape): Planar {
  return {
    channels: s.channels,
    outputs: s.outputs,
    group: s.group,
    input: pair(s.input, 1),
    output: pair(s.output, 1),
    kernel: pair(s.kernel, 1),
    stride: pair(s.stride, 1),
    pad: pair(s.pad, 0),
    dilation: pair(s.dilation, 1),
  }
}

/** Follows the calls of layers as long as it understands them. */
class Trace {
  batch = 0
  readonly ops: Op[] = []
  /** What is in a memory now. */
  private readonly current = new Map<Memory, Value>()
  private readonly written = new Set<Memory>()

  /** Whether all calls of the layer were understood; if not, the trace is of no further use. */
  take(layer: number, calls: readonly KernelCall[]): boolean {
    if (calls.length > 1 && calls.every(({ kernel }) => kernel === 'copyRows')) return this.concat(layer, calls)
    if (calls[0]?.kernel === 'gemm') return this.product(layer, calls[0].args, calls.slice(1))
    return calls.every(call => this.call(layer, call))
  }

  results(isWanted: (memory: Memory) => boolean): Map<Memory, Value> {
    return new Map([...this.current].filter(([memory]) => this.written.has(memory) && isWanted(memory)))
  }

  private call(layer: number, call: KernelCall): boolean {
    switch (call.kernel) {
      case 'convolution':
        return this.convolution(layer, call.args)
      case 'maxPool': {
        const [s, x, y, mask] = call.args
        return mask === null && this.pool(layer, 'max', s, x, y)
      }
      case 'averagePool': {
        const [s, x, y] = call.args
        const over = [0, 1].some(i => overhang(undilated(s), i) > s.pad[i])
        if (over && (s.pad[0] > 0 || s.pad[1] > 0)) return false
        return this.pool(layer, over ? 'mean inside' : 'mean', s, x, y)
      }
      case 'lrnAcross': {
        const [shape, memory, , y] = call.args
        const x = this.current.get(memory)
        const { channels, height, width, batch } = shape
        if (!x || batch !== this.batch || !sameExtent(x.extent, { channels, height, width })) return false
        return this.write(y, x.extent, value => ({ kind: 'lrn', layer, shape, x, y: value }))
      }
      case 'relu':
        return this.eltwise(layer, call.args[0], { relu: call.args[1] }, call.args[2], call.args[3])
      case 'clip': {
        const [n, low, high, x, y] = call.args
        return this.eltwise(layer, n, { clip: [low, high] }, x, y)
      }
      case 'copy': {
        const [n, from, to] = call.args
        const x = this.current.get(from)
        if (!x || x.source || n !== this.batch * sizeOf(x.extent) || to.length < n) return false
        this.put(to, x)
        return true
      }
      case 'eltwiseSum':
        return this.sum(layer, ...call.args)
      default:
        return false
    }
  }

  /** An inner product of few images: those of many are products of rows (inner_product.ts). */
  private product(layer: number, args: Parameters<Kernels['gemm']>, rest: readonly KernelCall[]): boolean {
    const [transA, transB, batch, outputs, values, alpha, from, weight, beta, to] = args
    const x = this.current.get(from)
    if (!x || transA || !transB || alpha !== 1 || beta !== 0 || batch >= WHOLE_IMAGES) return false
    if (batch !== this.batch || values !== sizeOf(x.extent) || rest.length > 1) return false
    if (values * outputs > MOST_PRODUCT) return false
    const [added] = rest
    if (added && added.kernel !== 'addBias') return false
    const [rows, width, inner, bias = null, sum, after] = added?.args ?? [batch, outputs, 1, null, to]
    if (rows !== batch || width !== outputs || inner !== 1 || sum !== to) return false
    const { channels, height, width: columns } = x.extent
    const window = { input: [height, columns], kernel: [height, columns], output: [1, 1], stride: [1, 1] }
    const s = { ...window, batch, channels, outputs, group: 1, pad: [0, 0], dilation: [1, 1] }
    return this.convolution(layer, [s, from, weight, bias, to, after], true)
  }

  private convolution(
    layer: number,
    [s, from, weight, bias, to, after]: Parameters<Kernels['convolution']>,
    isProduct = false,
  ): boolean {
    if (s.input.length > 2 || s.batch < 1 || s.channels < 1) return false
    if (this.batch === 0) this.batch = s.batch
    const shape = planar(s)
    const extent = { channels: shape.channels, height: shape.input[0], width: shape.input[1] }
    const x = this.current.get(from) ?? this.enter(from, extent)
    const taps = shape.kernel[0] * shape.kernel[1]
    if (!x || s.batch !== this.batch || !sameExtent(x.extent, extent)) return false
    if (weight.length < (shape.outputs * shape.channels * taps) / shape.group) return false
    if (bias && bias.length < shape.outputs) return false
    const result = { channels: shape.outputs, height: shape.output[0], width: shape.output[1] }
    const sum = undefined
    return this.write(to, result, y => ({
      kind: 'convolution',
      layer,
      asked: s,
      isProduct,
      shape,
      weight,
      bias,
      x,
      y,
      sum,
      after,
    }))
  }

  private pool(layer: number, method: Pooled, s: PoolingShape, from: Memory, to: Memory): boolean {
    const x = this.current.get(from)
    if (!x || x.extent.height !== s.input[0] || x.extent.width !== s.input[1]) return false
    const { channels } = x.extent
    if (s.planes !== this.batch * channels) return false
    const padAfter: Pair = [overhang(undilated(s), 0), overhang(undilated(s), 1)]
    const window = { kernel: s.kernel, stride: s.stride, pad: s.pad, padAfter }
    const result = { channels, height: s.output[0], width: s.output[1] }
    return this.write(to, result, y => ({ kind: 'pool', layer, method, window, x, y }))
  }

  private eltwise(layer: number, n: number, after: After, from: Memory, to: Memory): boolean {
    const x = this.current.get(from)
    if (!x || n !== this.batch * sizeOf(x.extent)) return false
    return this.write(to, x.extent, y => ({ kind: 'eltwise', layer, after, x, y }))
  }

  private sum(
    layer: number,
    n: number,
    from: readonly Memory[],
    factors: readonly number[],
    to: Memory,
    after?: After,
  ): boolean {
    const values = from.map(memory => this.current.get(memory))
    let [x] = values
    if (!x || n !== this.batch * sizeOf(x.extent) || factors.some(factor => factor !== 1)) return false
    for (const [i, other] of values.slice(1).entries()) {
      if (!other || !sameExtent(other.extent, x!.extent)) return false
      const left: Value = x!
      const last = i === values.length - 2
      const add = (y: Value): Op => ({ kind: 'add', layer, x: left, other, y, after: last ? after : undefined })
      if (last) return this.write(to, left.extent, add)
      x = { extent: left.extent, source: undefined }
      this.ops.push(add(x))
    }
    return false
  }

  /** All memories behind each other along the channels of the last one. */
  private concat(layer: number, calls: readonly KernelCall[]): boolean {
    const parts: Value[] = []
    let channels = 0
    let to: Memory | undefined
    for (const call of calls) {
      if (call.kernel !== 'copyRows') return false
      const [rows, width, from, offset, step, y, yOffset, yStep] = call.args
      const x = this.current.get(from)
      if (!x || rows !== this.batch || width !== sizeOf(x.extent) || offset !== 0 || step !== width) return false
      if (parts.length && planeOf(parts[0].extent) !== planeOf(x.extent)) return false
      if (parts.length && parts[0].extent.width !== x.extent.width) return false
      if ((to ?? y) !== y || yOffset !== channels * planeOf(x.extent)) return false
      channels += x.extent.channels
      if (calls.length === parts.push(x) && yStep !== channels * planeOf(x.extent)) return false
      to = y
    }
    return this.write(to!, { ...parts[0].extent, channels }, y => ({ kind: 'concat', layer, parts, y }))
  }

  private enter(memory: Memory, extent: Extent): Value | undefined {
    if (memory.length < this.batch * sizeOf(extent)) return undefined
    const value = { extent, source: memory }
    this.current.set(memory, value)
    return value
  }

  private write(memory: Memory, extent: Extent, op: (y: Value) => Op): boolean {
    if (memory.length < this.batch * sizeOf(extent) || sizeOf(extent) < 1) return false
    const value = { extent, source: undefined }
    this.ops.push(op(value))
    this.put(memory, value)
    return true
  }

  private put(memory: Memory, value: Value): void {
    this.current.set(memory, value)
    this.written.add(memory)
  }
}

const undilated = (s: PoolingShape) => ({ ...s, dilation: [1, 1] as const })

/**
 * The longest rows of layers whose calls are understood, each with a convolution. `excluded` are layers that the library
 * has no fast code for; after layer `last` somebody reads the memories that `isWanted`.
 */
export function graphsOf(
  layers: readonly Calls[],
  excluded: ReadonlySet<number>,
  isWanted: (memory: Memory, last: number) => boolean,
): Graph[] {
  const graphs: Graph[] = []
  let first = 0
  while (first < layers.length) {
    const trace = longest(layers, excluded, first)
    const last = trace.end - 1
    if (trace.ops.some(({ kind }) => kind === 'convolution')) {
      const results = trace.results(memory => isWanted(memory, last))
      const ops = fused(trace.ops, new Set(results.values()))
      graphs.push({ first, last, batch: trace.batch, ops, results })
    }
    first = Math.max(trace.end, first + 1)
  }
  return graphs
}

/** What is understood from a layer on, and the layer behind it. */
function longest(layers: readonly Calls[], excluded: ReadonlySet<number>, first: number): Trace & { end: number } {
  let end = first
  let trace = new Trace()
  for (; end < layers.length; end++) {
    const calls = layers[end]
    if (!calls || excluded.has(end)) break
    if (trace.take(end, calls)) continue
    // what was understood of a layer that was not is forgotten
    trace = replay(layers, first, end)
    break
  }
  return Object.assign(trace, { end })
}

function replay(layers: readonly Calls[], first: number, end: number): Trace {
  const trace = new Trace()
  for (let i = first; i < end; i++) trace.take(i, layers[i]!)
  return trace
}

/** Sums and what is done to each value join the convolution or the sum before them, where nobody else reads that. */
function fused(ops: readonly Op[], wanted: ReadonlySet<Value>): Op[] {
  const left = [...ops]
  const producer = new Map(ops.map(op => [op.y, op]))
  const readers = new Map<Value, Op[]>()
  for (const op of ops) for (const x of readsOf(op)) readers.set(x, [...(readers.get(x) ?? []), op])
  const isOwn = (value: Value): boolean => readers.get(value)!.length === 1 && !wanted.has(value)
  const take = (by: ConvolutionOp | AddOp, op: Op): void => {
    left.splice(left.indexOf(op), 1)
    by.y = op.y
    producer.set(op.y, by)
  }
  const place = (value: Value): number => ops.indexOf(producer.get(value)!)
  for (const op of ops) {
    if (op.kind === 'eltwise') {
      const by = producer.get(op.x)
      if (!by || (by.kind !== 'convolution' && by.kind !== 'add') || by.after || !isOwn(op.x)) continue
      by.after = op.after
      take(by, op)
    } else if (op.kind === 'add' && op.x !== op.other) {
      // the later one of the two takes the earlier one's place, which nobody may want afterwards
      const [early, late] = place(op.x) < place(op.other) ? [op.x, op.other] : [op.other, op.x]
      const by = producer.get(late)
      const at = place(late)
      if (by?.kind !== 'convolution' || by.after || by.sum || !isOwn(late) || early.source || wanted.has(early))
        continue
      // what is put behind others lies in one place with these
      const from = producer.get(early)
      const isLate = (reader: Op) => reader !== op && (reader.kind === 'concat' || ops.indexOf(reader) >= at)
      if (!from || from.kind === 'concat' || readers.get(early)!.some(isLate)) continue
      by.sum = early
      by.after = op.after
      take(by, op)
    }
  }
  return left
}

/** A single gradient between plain memories. */
export function inputGradientGraph(s: ConvolutionShape, dy: Memory, weight: Memory, dx: Memory): Graph {
  const shape = planar(s)
  const [x, y]: Value[] = [
    { extent: { channels: s.outputs, height: shape.output[0], width: shape.output[1] }, source: dy },
    { extent: { channels: s.channels, height: shape.input[0], width: shape.input[1] }, source: undefined },
  ]
  const ops: Op[] = [{ kind: 'input gradient', layer: 0, shape, weight, x, y }]
  return { first: 0, last: 0, batch: s.batch, ops, results: new Map([[dx, y]]) }
}
