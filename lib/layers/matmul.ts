import { type Blob, shapeText } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { Memory } from '../memory.js'
import { withDefaults } from '../proto/message.js'

/** How the matrices of two bottoms are multiplied: a (M, K), b (K, N), each turned where its bottom has it so. */
interface Product {
  readonly M: number
  readonly N: number
  readonly K: number
  /** Which matrix of a and of b each matrix of the top is of. */
  readonly pairs: readonly (readonly [a: number, b: number])[]
}

/**
 * top = a·b for the matrices in the last two axes of the bottoms. The axes before them are compared from the last; one
 * of size 1, or one that is missing, is repeated.
 */
export class MatMulLayer extends Layer {
  static override readonly param = ['matmul_param'] as const
  static override readonly uses = ['gemm', 'copyRows', 'fill'] as const
  static override readonly onlyKernels = true
  override readonly bottomCount: Count = { exactly: 2 }
  override readonly topCount: Count = { exactly: 1 }
  private readonly p = withDefaults('MatMulParameter', this.param.matmul_param)
  private product!: Product
  /** One matrix of each, where there are several: kernels take whole memories. */
  private readonly one = [0, 1, 2].map(() => new Memory(0, this.engine.heap))

  override reshape(bottom: Blob[], top: Blob[]): void {
    if (bottom.includes(top[0]))
      throw this.error(`top '${top[0].name}' may not be one of its bottoms: give it a name of its own`)
    const [a, b] = bottom
    const both = `'${a.name}' (${shapeText(a.shape)}) and '${b.name}' (${shapeText(b.shape)})`
    const flat = bottom.find(blob => blob.numAxes < 2)
    if (flat) throw this.error(`'${flat.name}' (${shapeText(flat.shape)}) is no matrix: it needs two axes at least`)
    const turned = (blob: Blob, turn: boolean) => (turn ? [blob.dim(-1), blob.dim(-2)] : [blob.dim(-2), blob.dim(-1)])
    const [M, K] = turned(a, this.p.transpose_a)
    const [rows, N] = turned(b, this.p.transpose_b)
    if (rows !== K) throw this.error(`the matrices of ${both} do not fit: ${M}×${K} by ${rows}×${N}`)
    const batch = this.batchOf(a.shape.slice(0, -2), b.shape.slice(0, -2), both)
    const matrices = batch.reduce((x, y) => x * y, 1)
    const [ofA, ofB] = [a, b].map(blob => matricesOf(batch, blob.shape.slice(0, -2)))
    this.product = { M, N, K, pairs: Array.from({ length: matrices }, (_, i) => [ofA[i], ofB[i]]) }
    // matrices of a that all meet the same b, row by row, are one matrix
    if (!this.p.transpose_a && b.size(0, b.numAxes - 2) === 1 && matrices > 1)
      this.product = { M: M * matrices, N, K, pairs: [[0, 0]] }
    top[0].reshape([...batch, M, N])
    const several = this.product.pairs.length > 1
    for (const [i, size] of [M * K, K * N, M * N].entries()) this.one[i].resize(several ? size : 0)
  }

  private batchOf(a: readonly number[], b: readonly number[], both: string): number[] {
    const axes = Math.max(a.length, b.length)
    return Array.from({ length: axes }, (_, i) => {
      const [x, y] = [a[i - axes + a.length] ?? 1, b[i - axes + b.length] ?? 1]
      if (x !== y && x !== 1 && y !== 1)
        throw this.error(`${both} do not go together: axes before the matrices must be the same, or 1 on one side`)
      return x === 1 ? y : x
    })
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const { M, N, K } = this.product
    const { transpose_a: turnA, transpose_b: turnB } = this.p
    const [x, w, y] = [bottom[0].memory.data, bottom[1].memory.data, top[0].memory.data]
    this.each(x, M * K, w, K * N, y, M * N, false, (a, b, c) => this.kernels.gemm(turnA, turnB, M, N, K, 1, a, b, 0, c))
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    const { M, N, K } = this.product
    const { transpose_a: turnA, transpose_b: turnB } = this.p
    const dy = top[0].memory.diff
    const [a, b] = bottom.map(blob => blob.memory)
    if (propagateDown[0]) {
      this.kernels.fill(a.diff.length, 0, a.diff)
      this.each(a.diff, M * K, b.data, K * N, dy, M * N, true, (da, w, dc) =>
        turnA
          ? this.kernels.gemm(turnB, true, K, M, N, 1, w, dc, 1, da)
          : this.kernels.gemm(false, !turnB, M, K, N, 1, dc, w, 1, da),
      )
    }
    if (propagateDown[1]) {
      this.kernels.fill(b.diff.length, 0, b.diff)
      this.each(a.data, M * K, b.diff, K * N, dy, M * N, true, (x, db, dc) =>
        turnB
          ? this.kernels.gemm(true, turnA, N, K, M, 1, dc, x, 1, db)
          : this.kernels.gemm(!turnA, false, K, N, M, 1, x, dc, 1, db),
      )
    }
  }

  /** Calls `run` for each pair of matrices and what is theirs of c; writes c back, or with `sums` whichever of a and b. */
  private each(
    a: Memory,
    ofA: number,
    b: Memory,
    ofB: number,
    c: Memory,
    ofC: number,
    sums: boolean,
    run: (a: Memory, b: Memory, c: Memory) => void,
  ): void {
    const { pairs } = this.product
    if (pairs.length === 1) {
      run(a, b, c)
      return
    }
    const { kernels } = this
    const [oneA, oneB, oneC] = this.one
    pairs.forEach(([i, j], k) => {
      kernels.copyRows(1, ofA, a, i * ofA, ofA, oneA, 0, ofA)
      kernels.copyRows(1, ofB, b, j * ofB, ofB, oneB, 0, ofB)
      if (sums) kernels.copyRows(1, ofC, c, k * ofC, ofC, oneC, 0, ofC)
      run(oneA, oneB, oneC)
      if (!sums) kernels.copyRows(1, ofC, oneC, 0, ofC, c, k * ofC, ofC)
      else {
        // the one that did not change is what it was
        kernels.copyRows(1, ofA, oneA, 0, ofA, a, i * ofA, ofA)
        kernels.copyRows(1, ofB, oneB, 0, ofB, b, j * ofB, ofB)
      }
    })
  }

  override dispose(): void {
    for (const memory of this.one) memory.dispose()
  }
}

/** For each matrix of the whole batch, the one of a bottom with these axes before its matrices. */
function matricesOf(batch: readonly number[], own: readonly number[]): number[] {
  let matrices = [0]
  batch.forEach((size, axis) => {
    const mine = own[axis - batch.length + own.length] ?? 1
    matrices = matrices.flatMap(matrix => Array.from({ length: size }, (_, i) => matrix * mine + (mine === 1 ? 0 : i)))
  })
  return matrices
}
