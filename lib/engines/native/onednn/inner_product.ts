/** Inner products of many rows as products by primitives, whose weights lie in order once: sgemm packs them in each pass. */
import type { After, KernelCall } from '../../../engine.js'
import type { Memory } from '../../../memory.js'
import { productRowsOf } from './cut.js'
import { WHOLE_IMAGES } from './graph.js'
import { Kept, type Runner } from './kept.js'
import type { Handle, Library } from './library.js'
import { BIAS, type Primitive } from './maker.js'
import { areKnown } from './params.js'
import { OrderedWeights, RowMaker } from './rows.js'
import { StepTable } from './step_table.js'

/** y ← after(x·wᵀ + b).  x: (M, K), w: (N, K), b: (N), y: (M, N). */
export interface InnerProduct {
  readonly M: number
  readonly N: number
  readonly K: number
  readonly x: Memory
  readonly w: Memory
  readonly b: Memory | null
  readonly y: Memory
  readonly after: After | undefined
  /** Layers that it takes the place of: one, or the ReLU behind it as well. */
  readonly layers: number
}

/** Weights that leave the cache between two chunks of rows would be read from memory for each of them. */
const MOST_WEIGHTS = 2 ** 20

/** The inner product that layer `i` is, with a ReLU in its place behind it; undefined for other layers, and few rows. */
export function innerProductAt(
  layers: readonly (readonly KernelCall[] | undefined)[],
  i: number,
): InnerProduct | undefined {
  const [product, added, ...rest] = layers[i] ?? []
  if (product?.kernel !== 'gemm' || rest.length || (added && added.kernel !== 'addBias')) return undefined
  const [transA, transB, M, N, K, alpha, x, w, beta, y] = product.args
  if (transA || !transB || alpha !== 1 || beta !== 0 || M < WHOLE_IMAGES || N < 1 || K < 1 || N * K > MOST_WEIGHTS)
    return undefined
  const [rows, width, inner, b = null, sum, after] = added?.args ?? [M, N, 1, null, y]
  if (rows !== M || width !== N || inner !== 1 || sum !== y || x === y) return undefined
  const found = { M, N, K, x, w, b, y }
  const [relu, ...more] = layers[i + 1] ?? []
  const isBehind = relu?.kernel === 'relu' && more.length === 0 && relu.args[0] === M * N
  if (after || !isBehind || relu.args[2] !== y || relu.args[3] !== y) return { ...found, after, layers: 1 }
  return { ...found, after: { relu: relu.args[1] }, layers: 2 }
}

/** Primitives and what they need, which has to be given back. */
export class InnerProductProgram {
  private readonly maker: RowMaker
  private readonly kept: Kept
  /** By how many rows they take. */
  private readonly made = new Map<number, Primitive>()
  private readonly weights: OrderedWeights
  private readonly bias: Handle | undefined
  private readonly table: StepTable
  /** Params as they were when they were prepared. */
  private readonly seen = new Map<Memory, number>()

  /** Throws `Refused` where the library has nothing for it, or no memory. */
  constructor(
    library: Library,
    private readonly runner: Runner,
    private readonly product: InnerProduct,
  ) {
    this.maker = new RowMaker(library)
    this.kept = new Kept(library, runner)
    const { M, N, K, b, after } = product
    const { maker, kept, made } = this
    const rows = productRowsOf(M, N * K)
    try {
      for (const each of new Set([rows, M % rows || rows]))
        made.set(each, maker.product({ rows: each, inputs: K, outputs: N }, { sum: false, after }, b !== null))
      const first = made.get(rows)!
      this.weights = new OrderedWeights(maker, kept, first, { inputs: K, outputs: N }, [K, 1])
      this.bias = b ? kept.object(first.memories.get(BIAS)!, kept.base) : undefined
      const { bias } = this
      const weights = this.weights.handle
      this.table = new StepTable(
        kept,
        Array.from({ length: Math.ceil(M / rows) }, (_, i) => {
          const place = (memory: number, width: number) => ({ memory, at: 4 * i * rows * width, step: 0 })
          const primitive = made.get(Math.min(rows, M - i * rows))!
          return [{ primitive, weights, bias, from: place(0, K), to: place(1, N) }]
        }),
      )
    } catch (error) {
      this.dispose()
      throw error
    }
  }

  /** Does all that the calls did; false, and nothing is done, if a param can be written at any time. */
  run(): boolean {
    if (!this.follow()) return false
    const { base } = this.kept
    const { x, y } = this.product
    this.table.point(base + x.readPointer, base + y.pointer)
    this.runner.run(this.table.pointer, this.table.chunks.length)
    return true
  }

  /** Bytes that it keeps. */
  get bytes(): number {
    return this.kept.bytes
  }

  dispose(): void {
    this.kept.dispose()
    for (const primitive of this.made.values()) this.maker.destroy(primitive)
    if (this.weights) this.maker.destroy(this.weights.reorder)
    this.made.clear()
  }

  private follow(): boolean {
    const { w, b } = this.product
    const params = b ? [w, b] : [w]
    if (!areKnown(params)) return false
    if (params.every(memory => this.seen.get(memory) === memory.revision)) return true
    this.weights.follow(w.readPointer)
    if (b) this.maker.library.setHandle(this.bias!, this.kept.base + b.readPointer)
    for (const memory of params) this.seen.set(memory, memory.revision)
    return true
  }
}
