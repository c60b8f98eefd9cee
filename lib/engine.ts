import type { Heap, Memory } from './memory.js'
import type { RandomStream } from './rng.js'

// Letters: N batch, C input channels, M output channels, H W height and width, K the summed-over size; ← marks what is written.
// "inner" and "outer" are the products of the axes after and before the one an operation works along.

/** Sizes of a convolution. Spatial arrays run over the spatial axes, outermost first (two of them for images). */
export interface ConvolutionShape {
  readonly batch: number
  /** C, input channels over all groups. */
  readonly channels: number
  /** M, output channels over all groups. */
  readonly outputs: number
  readonly group: number
  readonly input: readonly number[]
  readonly output: readonly number[]
  readonly kernel: readonly number[]
  readonly stride: readonly number[]
  readonly pad: readonly number[]
  readonly dilation: readonly number[]
}

/** Sizes of a 2-D pooling: each pair is [height, width]. `planes` is N·C. */
export interface PoolingShape {
  readonly planes: number
  readonly input: readonly [number, number]
  readonly output: readonly [number, number]
  readonly kernel: readonly [number, number]
  readonly stride: readonly [number, number]
  readonly pad: readonly [number, number]
}

export type Normalization = 'FULL' | 'VALID' | 'BATCH_SIZE' | 'NONE'

/** Sizes of a loss over class scores (outer, classes, inner) with labels (outer, inner). */
export interface ClassLossShape {
  readonly outer: number
  readonly classes: number
  readonly inner: number
  readonly ignoreLabel: number | undefined
  readonly normalization: Normalization
}

/** Sizes of an accuracy over class scores (outer, classes, inner) with labels (outer, inner). */
export interface AccuracyShape {
  readonly outer: number
  readonly classes: number
  readonly inner: number
  readonly topK: number
  readonly ignoreLabel: number | undefined
}

/** What every solver update does to a raw gradient dw first: g = scale·dw + decay·w (L2) or scale·dw + decay·sign(w) (L1). */
export interface UpdateRule {
  /** Learning rate of this parameter. */
  readonly rate: number
  /** Clipping times 1/iter_size. */
  readonly scale: number
  readonly decay: number
  readonly regularization: 'L1' | 'L2'
}

/** Every computation that a layer or solver may ask for, one formula each. Memories are (n) values unless a shape is given. */
export interface Kernels {
  // ---- matrices -----------------------------------------------------------------------------------------------------
  /** C ← α·op(A)·op(B) + β·C, with op(A): (M, K), op(B): (K, N), C: (M, N); op transposes where asked. */
  gemm(
    transA: boolean,
    transB: boolean,
    M: number,
    N: number,
    K: number,
    alpha: number,
    A: Memory,
    B: Memory,
    beta: number,
    C: Memory,
  ): void

  // ---- convolution --------------------------------------------------------------------------------------------------
  /** y ← w ∗ x + bias.  x: (N, C, in…), w: (M, C/group, kernel…), bias: (M) or null, y: (N, M, out…). */
  convolution(s: ConvolutionShape, x: Memory, w: Memory, bias: Memory | null, y: Memory): void
  /** dx ← ∂E/∂x.  dy: (N, M, out…), w: (M, C/group, kernel…), dx: (N, C, in…). */
  convolutionInputGradient(s: ConvolutionShape, dy: Memory, w: Memory, dx: Memory): void
  /** dw ← dw + ∂E/∂w.  x: (N, C, in…), dy: (N, M, out…), dw: (M, C/group, kernel…). */
  convolutionWeightGradient(s: ConvolutionShape, x: Memory, dy: Memory, dw: Memory): void
  /** y[n,c,i] ← y[n,c,i] + bias[c].  y: (N, C, inner). */
  addBias(batch: number, channels: number, inner: number, bias: Memory, y: Memory): void
  /** db[c] ← db[c] + Σₙᵢ dy[n,c,i].  dy: (N, C, inner), db: (C). */
  biasGradient(batch: number, channels: number, inner: number, dy: Memory, db: Memory): void
  /** y ← x under every kernel position, 0 in the padding.  x: (N, C, in…), y: (N, C·kernel…, out…). M and group are not used. */
  im2col(s: ConvolutionShape, x: Memory, y: Memory): void
  /** dx ← the adjoint of im2col applied to dy. */
  im2colGradient(s: ConvolutionShape, dy: Memory, dx: Memory): void

  // ---- pooling ------------------------------------------------------------------------------------------------------
  /** y ← largest x of each window, mask ← its index in the H×W plane (the first one, in row-major order, on a tie). */
  maxPool(s: PoolingShape, x: Memory, y: Memory, mask: Memory): void
  /** dx ← 0, then dx[mask] += dy. */
  maxPoolGradient(s: PoolingShape, dy: Memory, mask: Memory, dx: Memory): void
  /** y ← mean x of each window, divided by the window's area clipped to size + pad. */
  averagePool(s: PoolingShape, x: Memory, y: Memory): void
  /** dx ← the adjoint of averagePool applied to dy. */
  averagePoolGradient(s: PoolingShape, dy: Memory, dx: Memory): void
  /** y ← one x of each window, drawn with probability max(x, 0) / Σ max(x, 0), mask ← its index; window i uses uint32 number i of the stream. */
  stochasticPool(s: PoolingShape, x: Memory, stream: RandomStream, y: Memory, mask: Memory): void
  /** y ← Σ max(x, 0)² / Σ max(x, 0) of each window, the mean of stochasticPool; 0 if no x is positive. */
  stochasticMean(s: PoolingShape, x: Memory, y: Memory): void
  /** dx ← the sum over windows of dy·(2x − y) / Σ max(x, 0) where x > 0. */
  stochasticMeanGradient(s: PoolingShape, x: Memory, y: Memory, dy: Memory, dx: Memory): void

  // ---- neurons: elementwise over (n); x and y, dy and dx may be the same memory -------------------------------------------
  /** y ← x if x > 0, else slope·x. */
  relu(n: number, slope: number, x: Memory, y: Memory): void
  /** dx ← dy if x > 0, else slope·dy. */
  reluGradient(n: number, slope: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← 1 / (1 + e⁻ˣ). */
  sigmoid(n: number, x: Memory, y: Memory): void
  /** dx ← dy·y·(1 − y). */
  sigmoidGradient(n: number, y: Memory, dy: Memory, dx: Memory): void
  /** y ← tanh x. */
  tanh(n: number, x: Memory, y: Memory): void
  /** dx ← dy·(1 − y²). */
  tanhGradient(n: number, y: Memory, dy: Memory, dx: Memory): void
  /** mask ← 0 with probability `ratio`, else 1/(1 − ratio); value i uses uint32 number i of the stream's iteration. */
  dropoutMask(n: number, ratio: number, stream: RandomStream, mask: Memory): void

  // ---- elementwise arithmetic ---------------------------------------------------------------------------------------
  /** y ← value. */
  fill(n: number, value: number, y: Memory): void
  /** y ← x. */
  copy(n: number, x: Memory, y: Memory): void
  /** y ← α·x + β·y. With β = 0 the old y is not read. */
  axpby(n: number, alpha: number, x: Memory, beta: number, y: Memory): void
  /** y ← a·b. */
  multiply(n: number, a: Memory, b: Memory, y: Memory): void
  /** y[yOffset + r·yStride + i] ← x[xOffset + r·xStride + i] for r < rows, i < width. Concat, Slice, Crop and Tile are made of it. */
  copyRows(rows: number, width: number, x: Memory, xOffset: number, xStride: number, y: Memory, yOffset: number, yStride: number): void
  /** y ← Σᵢ coefficient[i]·xs[i]. */
  eltwiseSum(n: number, xs: readonly Memory[], coefficients: readonly number[], y: Memory): void
  /** y ← Πᵢ xs[i]. */
  eltwiseProduct(n: number, xs: readonly Memory[], y: Memory): void
  /** y ← maxᵢ xs[i], mask ← the i it came from (the second of the first two on a tie, the earlier one after that). */
  eltwiseMax(n: number, xs: readonly Memory[], y: Memory, mask: Memory): void
  /** dx ← dy where mask = index, else 0. */
  eltwiseMaxGradient(n: number, index: number, mask: Memory, dy: Memory, dx: Memory): void
  /** dx ← dy·Πⱼ≠ᵢ xs[j], i = `index`. */
  eltwiseProductGradient(n: number, index: number, xs: readonly Memory[], dy: Memory, dx: Memory): void

  // ---- softmax and losses -------------------------------------------------------------------------------------------
  /** y ← e^(x − max) / Σ over the middle axis of (outer, channels, inner). */
  softmax(outer: number, channels: number, inner: number, x: Memory, y: Memory): void
  /** dx ← y·(dy − Σ y·dy) over the middle axis. */
  softmaxGradient(outer: number, channels: number, inner: number, y: Memory, dy: Memory, dx: Memory): void
  /** loss[0] ← −Σ log max(p[label], FLT_MIN) / normalizer.  p: (outer, classes, inner), label: (outer, inner). */
  softmaxLoss(s: ClassLossShape, p: Memory, label: Memory, loss: Memory): void
  /** dx ← (p − onehot(label))·dloss[0] / normalizer, 0 where ignored. */
  softmaxLossGradient(s: ClassLossShape, p: Memory, label: Memory, dloss: Memory, dx: Memory): void
  /** difference ← a − b; loss[0] ← Σ difference² / (2·batch). */
  euclideanLoss(n: number, batch: number, a: Memory, b: Memory, difference: Memory, loss: Memory): void
  /** dx ← factor·dloss[0]·difference. */
  euclideanLossGradient(n: number, factor: number, difference: Memory, dloss: Memory, dx: Memory): void
  /** accuracy[0] ← share of labels among the topK scores (a tie counts against); perClass[c] ← the same per true class, or null. */
  accuracy(s: AccuracyShape, x: Memory, label: Memory, accuracy: Memory, perClass: Memory | null): void

  // ---- reductions and solver updates --------------------------------------------------------------------------------
  /** sum[index] ← Σ x². */
  sumOfSquares(n: number, x: Memory, sum: Memory, index: number): void
  /** h ← rate·g + momentum·h; dw ← h; w ← w − h.  g as UpdateRule says. */
  sgdUpdate(n: number, rule: UpdateRule, momentum: number, w: Memory, dw: Memory, h: Memory): void
}

/** Where kernels run. A host engine computes at once; a device has one queue, and only a download waits. */
export interface Engine {
  /** What was asked for: 'js', 'wasm', 'native', 'gpu:webgl2' … */
  readonly name: string
  /** What that is here: 'fma, 2 threads', the BLAS library's name, the adapter's name. */
  readonly detail: string
  readonly threads: number
  readonly isHost: boolean
  /** Where this engine's host values live. */
  readonly heap: Heap
  /** Complete on a host engine; on a device, a layer whose kernels are missing runs on the host. */
  readonly kernels: Kernels
  /** The only workspace: at least `length` values, whose contents last until the next call with the same slot. */
  scratch(length: number, slot?: number): Memory
}
