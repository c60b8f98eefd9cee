import type { After, AfterKind } from './formulas/after.js'
import type { AxisKernels } from './formulas/axes.js'
import type { ChannelKernels } from './formulas/channels.js'
import type { ConvolutionKernels, ConvolutionShape } from './formulas/convolution.js'
import type { ElementwiseKernels } from './formulas/elementwise.js'
import type { FlowKernels } from './formulas/flow.js'
import type { LossKernels } from './formulas/losses.js'
import type { LRNKernels } from './formulas/lrn.js'
import type { MatrixKernels } from './formulas/matrices.js'
import type { NeuronKernels } from './formulas/neurons.js'
import type { PoolingKernels } from './formulas/pooling.js'
import type { RecurrenceKernels } from './formulas/recurrence.js'
import type { RegionKernels } from './formulas/regions.js'
import type { ResizeKernels } from './formulas/resize.js'
import type { UpdateKernels } from './formulas/updates.js'
import type { Constants, GpuKernel, View } from './gpu_kernel.js'
import type { Heap, Memory } from './memory.js'

export type * from './formulas/after.js'
export type * from './formulas/axes.js'
export type * from './formulas/channels.js'
export type * from './formulas/convolution.js'
export type * from './formulas/elementwise.js'
export type * from './formulas/flow.js'
export type * from './formulas/losses.js'
export type * from './formulas/lrn.js'
export type * from './formulas/matrices.js'
export type * from './formulas/neurons.js'
export type * from './formulas/pooling.js'
export type * from './formulas/recurrence.js'
export type * from './formulas/regions.js'
export type * from './formulas/resize.js'
export type * from './formulas/updates.js'

// Letters in the formulas: N batch, C input channels, M output channels, H W height and width, K the summed-over size;
// ← marks what is written.
// "inner" and "outer" are the products of the axes after and before the one an operation works along.

/**
 * Every computation that a layer or solver may ask for. lib/formulas has one formula each, a file a family. Memories are
 * (n) values unless a shape is given.
 */
<<<<<<< HEAD
export interface Kernels
  extends MatrixKernels,
    ConvolutionKernels,
    PoolingKernels,
    RegionKernels,
    ResizeKernels,
    FlowKernels,
    NeuronKernels,
    ElementwiseKernels,
    ChannelKernels,
    LRNKernels,
    AxisKernels,
    LossKernels,
    RecurrenceKernels,
    UpdateKernels {}
=======
export interface RegionShape {
  readonly regions: number
  readonly batch: number
  /** Of y. */
  readonly channels: number
  readonly input: readonly [number, number]
  readonly output: readonly [number, number]
  readonly scale: number
}

/** With so many samples along each axis of a bin; 0: one a pixel, rounded up, at most ⌈(size + 1) / bins⌉. */
export interface RegionAlignShape extends RegionShape {
  readonly samples: number
}

/** What a loss over classes is divided by: all places, those that are not ignored, the batch size, or nothing. */
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

/** Sizes and constants of a local response normalization over (N, C, H, W); `size` is odd. */
export interface LRNShape {
  readonly batch: number
  readonly channels: number
  readonly height: number
  readonly width: number
  readonly size: number
  readonly alpha: number
  readonly beta: number
  readonly k: number
}

/** What argMax looks for along the middle axis of (outer, size, inner), and what it puts out. */
export interface ArgMaxShape {
  readonly outer: number
  readonly size: number
  readonly inner: number
  readonly topK: number
  readonly output: 'index' | 'value' | 'both'
}

/** A block of `output` sizes that starts `offset` into an array of `input` sizes, one number an axis. */
export interface CropShape {
  readonly input: readonly number[]
  readonly output: readonly number[]
  readonly offset: readonly number[]
}

/** A part of planes of `input` sizes, `size` from `offset` on, brought to `output` sizes: each pair is [height, width]. */
export interface InterpShape {
  readonly planes: number
  readonly input: readonly [number, number]
  readonly offset: readonly [number, number]
  readonly size: readonly [number, number]
  readonly output: readonly [number, number]
}

/**
 * x: (outer, size, inner) becomes (outer, out, inner). Each of the `out` places takes `taps` places of x at most;
 * `nothing` stands where there is none.
 */
export interface TapsShape {
  readonly outer: number
  readonly size: number
  readonly out: number
  readonly inner: number
  readonly taps: number
  readonly nothing: number
}

/** Planes of `places` values, each of which belongs to one of `size` places of a larger plane. */
export interface UnpoolShape {
  readonly planes: number
  readonly places: number
  readonly size: number
}

/**
 * Sizes of a comparison of two pictures: patches of the first with those of the second that are displaced. Pairs are rows
 * and columns, in pixels; outside the pictures are zeros.
 */
export interface CostVolumeShape {
  readonly batch: number
  readonly channels: number
  readonly input: readonly [number, number]
  readonly output: readonly [number, number]
  /** Side of a patch. */
  readonly kernel: number
  /** From one patch to the next. */
  readonly stride: number
  /** Where the first patch begins, below 0 in what is outside. */
  readonly start: readonly [number, number]
  /** The first displacement. */
  readonly shift: readonly [number, number]
  /** How many displacements there are. */
  readonly shifts: readonly [number, number]
  /** From one displacement to the next. */
  readonly step: number
  /** |a − b| in place of a·b. */
  readonly subtract: boolean
}

/** Sizes of pictures that a flow moves, and what stands where it leads out of them. */
export interface FlowWarpShape {
  readonly batch: number
  readonly channels: number
  readonly height: number
  readonly width: number
  /** 0 or NaN. */
  readonly outside: number
}

/** Sizes of a contrastive loss over pairs of (N, size). */
export interface ContrastiveShape {
  readonly batch: number
  readonly size: number
  readonly margin: number
  readonly legacy: boolean
}

/** Σx, Σ|x| or Σx². */
export type Reduction = 'SUM' | 'ASUM' | 'SUMSQ'

/**
 * A function of one value. ROUND rounds halves to the even number, SOFTSIGN is x / (1 + |x|), GELU x·Φ(x) with the normal
 * distribution Φ, GELU_TANH ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))).
 */
export type UnaryOperation =
  | ('ERF' | 'FLOOR' | 'CEIL' | 'ROUND' | 'SIGN' | 'SOFTSIGN' | 'GELU' | 'GELU_TANH')
  | ('SIN' | 'COS' | 'TAN' | 'ASIN' | 'ACOS' | 'ATAN' | 'SINH' | 'COSH' | 'ASINH' | 'ACOSH' | 'ATANH')

/** A function of two values, comparisons being 1 or 0; WHERE is one of three: the second where the first is not 0, else the third. */
export type BroadcastOperation =
  | ('ADD' | 'SUB' | 'MUL' | 'DIV' | 'MAX' | 'MIN' | 'POW' | 'WHERE')
  | ('EQUAL' | 'GREATER' | 'GREATER_EQUAL' | 'LESS' | 'LESS_EQUAL')

/** Sizes of y, the last axis last, and how far apart values of each operand are along them: 0 where it is repeated. */
export interface BroadcastShape {
  readonly sizes: readonly number[]
  /** Along the last axis 0 or 1. */
  readonly steps: readonly (readonly number[])[]
}

/** What becomes of the values along an axis: a sum and the like, or the place of the best one. */
export type AxisReduction =
  | ('SUM' | 'MEAN' | 'ASUM' | 'SUMSQ' | 'L2' | 'LOG_SUM_EXP' | 'PROD' | 'MAX' | 'MIN')
  | ('ARGMAX' | 'ARGMIN')

/** What is made of the middle axis of (outer, size, inner). */
export interface AxisReductionShape {
  readonly operation: AxisReduction
  readonly outer: number
  readonly size: number
  readonly inner: number
  /** Of equal best ones the last, not the first; of places alone. */
  readonly last: boolean
}

/**
 * What every solver update does to a raw gradient dw first: g = scale·dw + decay·w (L2) or scale·dw + decay·sign(w)
 * (L1).
 */
export interface UpdateRule {
  /** Learning rate of this parameter. */
  readonly rate: number
  /** Clipping times 1/iter_size. */
  readonly scale: number
  readonly decay: number
  readonly regularization: 'L1' | 'L2'
}

/**
 * What a kernel that fuses does to its result while it has it in hand, in the bits that the kernel of that name would
 * give: relu with that slope, clip with [low, high], or hardSwish with [α, β].
 */
export type After =
  | { readonly relu: number }
  | { readonly clip: readonly [low: number, high: number] }
  | { readonly hardSwish: readonly [alpha: number, beta: number] }
>>>>>>> 7475cc4 (Broadcast, Where, Reduce, Unary and Gelu have kernels on js, wasm and gpu with their gradients: a formula of several operands that repeat, one along an axis, one of a value (beside the loops, one thread under load: ADD 5.9, GELU 10.6 and its gradient 26, sums 4, Where 43 times as fast); what gradients add up goes through sumMiddle; a page loads 30 kB more for them. A training that goes on with other frozen layers than before says so)

/** Kernels that may take an `after`. */
export type FusingKernel = 'convolution' | 'addBias' | 'eltwiseSum' | 'scaleChannels' | 'normalizeChannels'

/** What each of an engine's kernels takes as `after`. */
export type Fusions = { readonly [K in FusingKernel]?: readonly AfterKind[] }

<<<<<<< HEAD
=======
/**
 * Every computation that a layer or solver may ask for, one formula each. Memories are (n) values unless a shape is
 * given.
 */
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
  /** y ← after(w ∗ x + bias).  x: (N, C, in…), w: (M, C/group, kernel…), bias: (M) or null, y: (N, M, out…). */
  convolution(s: ConvolutionShape, x: Memory, w: Memory, bias: Memory | null, y: Memory, after?: After): void
  /** dx ← ∂E/∂x.  dy: (N, M, out…), w: (M, C/group, kernel…), dx: (N, C, in…). */
  convolutionInputGradient(s: ConvolutionShape, dy: Memory, w: Memory, dx: Memory): void
  /** dw ← dw + ∂E/∂w.  x: (N, C, in…), dy: (N, M, out…), dw: (M, C/group, kernel…). */
  convolutionWeightGradient(s: ConvolutionShape, x: Memory, dy: Memory, dw: Memory): void
  /** y[n,c,i] ← after(y[n,c,i] + bias[c]).  y: (N, C, inner). */
  addBias(batch: number, channels: number, inner: number, bias: Memory, y: Memory, after?: After): void
  /** db[c] ← db[c] + Σₙᵢ dy[n,c,i].  dy: (N, C, inner), db: (C). */
  biasGradient(batch: number, channels: number, inner: number, dy: Memory, db: Memory): void
  /**
   * y ← x under every kernel position, 0 in the padding.  x: (N, C, in…), y: (N, C·kernel…, out…). M and group are not
   * used.
   */
  im2col(s: ConvolutionShape, x: Memory, y: Memory): void
  /** dx ← the adjoint of im2col applied to dy. */
  im2colGradient(s: ConvolutionShape, dy: Memory, dx: Memory): void

  // ---- pooling ------------------------------------------------------------------------------------------------------
  /**
   * y ← largest x of each window, mask ← its index in the H×W plane (the first one, in row-major order, on a tie; −1
   * where none is above −FLT_MAX).
   * On a host engine the mask may be null: it is for the gradient.
   */
  maxPool(s: PoolingShape, x: Memory, y: Memory, mask: Memory | null): void
  /** dx ← 0, then dx[mask] += dy. */
  maxPoolGradient(s: PoolingShape, dy: Memory, mask: Memory, dx: Memory): void
  /** y ← mean x of each window, divided by the window's area clipped to size + pad. */
  averagePool(s: PoolingShape, x: Memory, y: Memory): void
  /** dx ← the adjoint of averagePool applied to dy. */
  averagePoolGradient(s: PoolingShape, dy: Memory, dx: Memory): void
  /**
   * y ← one x of each window, drawn with probability max(x, 0) / Σ max(x, 0) (the first if all are 0), mask ← its
   * index, so that maxPoolGradient is the gradient; window i uses uint32 number i of the stream's iteration.
   */
  stochasticPool(s: PoolingShape, x: Memory, stream: RandomStream, y: Memory, mask: Memory): void
  /** y ← Σ max(x, 0)² / Σ max(x, 0) of each window, the mean of stochasticPool; 0 if no x is positive. */
  stochasticMean(s: PoolingShape, x: Memory, y: Memory): void
  /** dx ← the sum over windows of dy·(2x − y) / Σ max(x, 0) where x > 0. */
  stochasticMeanGradient(s: PoolingShape, x: Memory, y: Memory, dy: Memory, dx: Memory): void

  // ---- pooling of regions: a region of a picture that there is not is 0, and no gradient leaves it ---------------------
  /**
   * y ← largest x of each bin of the region, whose corners are rounded; mask ← its index in the H×W plane, the first on
   * a tie; 0 and −1 where a bin is empty.  x: (batch, channels, H, W), y, mask: (regions, channels, PH, PW).
   * On a host engine the mask may be null: it is for the gradient.
   */
  roiPool(s: RegionShape, x: Memory, rois: Memory, y: Memory, mask: Memory | null): void
  /** dx ← 0, then dx[mask] += dy where the mask lies within the rounded corners. */
  roiPoolGradient(s: RegionShape, dy: Memory, rois: Memory, mask: Memory, dx: Memory): void
  /** y[r,c,p,q] ← mean of x[n, (c·PH + p)·PW + q] over bin (p, q) of the region; 0 where it is empty. */
  positionRoiPool(s: RegionShape, x: Memory, rois: Memory, y: Memory): void
  /** dx ← the adjoint of positionRoiPool applied to dy. */
  positionRoiPoolGradient(s: RegionShape, dy: Memory, rois: Memory, dx: Memory): void
  /** y ← mean of x between pixels at the samples of each bin, 0 for those more than a pixel outside. */
  roiAlign(s: RegionAlignShape, x: Memory, rois: Memory, y: Memory): void
  /** dx ← the adjoint of roiAlign applied to dy. */
  roiAlignGradient(s: RegionAlignShape, dy: Memory, rois: Memory, dx: Memory): void
  /**
   * y ← largest Σ weight·x of four samples, mask ← which (−1: none is above an empty bin's 0); a sample, at ±½ of the
   * region from −1 to 1, weighs the first four grid points in the bin.
   */
  roiAlignMax(s: RegionShape, x: Memory, rois: Memory, y: Memory, mask: Memory | null): void
  /** dx ← the adjoint of the samples that the mask names applied to dy. */
  roiAlignMaxGradient(s: RegionShape, dy: Memory, rois: Memory, mask: Memory, dx: Memory): void

  // ---- other sizes --------------------------------------------------------------------------------------------------
  /**
   * y[i, j] ← x between the places around i·(h − 1)/(H′ − 1), j·(w − 1)/(W′ − 1) of the part of x: corners stay
   * corners, without smoothing; the first place where an output is 1.
   */
  interp(s: InterpShape, x: Memory, y: Memory): void
  /** dx ← the adjoint of interp applied to dy; 0 outside the part. */
  interpGradient(s: InterpShape, dy: Memory, dx: Memory): void
  /** y ← 0, then y[mask] ← x in each plane, the last of equal places; masks beyond the plane are left out. */
  unpool(s: UnpoolShape, x: Memory, mask: Memory, y: Memory): void
  /** dx ← dy[mask] in each plane, 0 for masks beyond it. */
  unpoolGradient(s: UnpoolShape, dy: Memory, mask: Memory, dx: Memory): void
  /** y[p, i, j] ← x[p, ⌊i/factor⌋, ⌊j/factor⌋].  x: (planes, H, W), y: (planes, H·factor, W·factor). */
  enlarge(planes: number, height: number, width: number, factor: number, x: Memory, y: Memory): void
  /** dx ← the sum of each factor × factor block of dy. */
  enlargeGradient(planes: number, height: number, width: number, factor: number, dy: Memory, dx: Memory): void

  /**
   * y[o,j,i] ← Σₖ weight[j,k]·x[o,from[j,k],i] over the k whose place there is, `nothing` where there is none.  from,
   * weight: (out, taps), places below 2²⁴. Padding, slices and other sizes, axis by axis, and their adjoints.
   */
  mixAxis(s: TapsShape, from: Memory, weight: Memory, x: Memory, y: Memory): void

  // ---- two pictures -------------------------------------------------------------------------------------------------
  /**
   * y[n,d,i,j] ← the mean, over channels and the patch at (i, j), of a·b, or |a − b|, b displaced by d.  a, b: (N, C, H,
   * W), y: (N, displacements, h, w).
   */
  costVolume(s: CostVolumeShape, a: Memory, b: Memory, y: Memory): void
  /** dx ← the adjoint of costVolume applied to dy, by x, which is b where it is the `second`, and `other` a. */
  costVolumeGradient(s: CostVolumeShape, second: boolean, x: Memory, other: Memory, dy: Memory, dx: Memory): void
  /**
   * y[n,c,i,j] ← x[n,c] between the pixels around (i + flow[n,1], j + flow[n,0]), each in [i,j]; `outside` where that is not
   * in the picture.  x, y: (N, C, H, W), flow: (N, 2, H, W).
   */
  flowWarp(s: FlowWarpShape, x: Memory, flow: Memory, y: Memory): void
  /** dx ← the adjoint of flowWarp applied to dy. */
  flowWarpGradient(s: FlowWarpShape, flow: Memory, dy: Memory, dx: Memory): void
  /** dflow ← Σ over channels dy·∂y/∂flow, the slope to the right and below; 0 where the flow leads out. */
  flowWarpFlowGradient(s: FlowWarpShape, x: Memory, flow: Memory, dy: Memory, dflow: Memory): void

  // ---- neurons: elementwise over (n); x and y, dy and dx may be the same memory
  // -------------------------------------------
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
  /**
   * y[yOffset + r·yStride + i] ← x[xOffset + r·xStride + i] for r < rows, i < width. Concat, Slice, Crop and Tile are
   * made of it.
   */
  copyRows(
    rows: number,
    width: number,
    x: Memory,
    xOffset: number,
    xStride: number,
    y: Memory,
    yOffset: number,
    yStride: number,
  ): void
  /** y ← after(Σᵢ coefficient[i]·xs[i]). */
  eltwiseSum(n: number, xs: readonly Memory[], coefficients: readonly number[], y: Memory, after?: After): void
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
  /** losses ← −log max(p[label], FLT_MIN), 0 where ignored.  p: (outer, classes, inner), label, losses: (outer, inner). */
  labelLosses(s: ClassLossShape, p: Memory, label: Memory, losses: Memory): void
  /** dx ← (p − onehot(label))·dloss[0] / normalizer, 0 where ignored. */
  softmaxLossGradient(s: ClassLossShape, p: Memory, label: Memory, dloss: Memory, dx: Memory): void
  /** difference ← a − b; loss[0] ← Σ difference² / (2·batch). */
  euclideanLoss(n: number, batch: number, a: Memory, b: Memory, difference: Memory, loss: Memory): void
  /** dx ← factor·dloss[0]·difference. */
  euclideanLossGradient(n: number, factor: number, difference: Memory, dloss: Memory, dx: Memory): void
  /**
   * accuracy[0] ← share of labels among the topK scores; perClass[c] ← the same per true class, or null. Both are 0
   * where nothing counts. A tie counts against the label, and so does a score that is not a number.
   */
  accuracy(s: AccuracyShape, x: Memory, label: Memory, accuracy: Memory, perClass: Memory | null): void

  // ---- reductions and solver updates --------------------------------------------------------------------------------
  /** sum[index] ← Σ x². */
  sumOfSquares(n: number, x: Memory, sum: Memory, index: number): void
  /** h ← rate·g + momentum·h; dw ← h; w ← w − h.  g as UpdateRule says. */
  sgdUpdate(n: number, rule: UpdateRule, momentum: number, w: Memory, dw: Memory, h: Memory): void
  /** h' ← rate·g + momentum·h; dw ← (1 + momentum)·h' − momentum·h; w ← w − dw. */
  nesterovUpdate(n: number, rule: UpdateRule, momentum: number, w: Memory, dw: Memory, h: Memory): void
  /** h ← h + g²; dw ← rate·g / (√h + delta); w ← w − dw. */
  adagradUpdate(n: number, rule: UpdateRule, delta: number, w: Memory, dw: Memory, h: Memory): void
  /** h ← decay·h + (1 − decay)·g²; dw ← rate·g / (√h + delta); w ← w − dw. */
  rmspropUpdate(n: number, rule: UpdateRule, decay: number, delta: number, w: Memory, dw: Memory, h: Memory): void
  /** g2 ← m·g2 + (1 − m)·g²; u ← g·√((u2 + delta) / (g2 + delta)); u2 ← m·u2 + (1 − m)·u²; dw ← rate·u; w ← w − dw. */
  adadeltaUpdate(
    n: number,
    rule: UpdateRule,
    momentum: number,
    delta: number,
    w: Memory,
    dw: Memory,
    g2: Memory,
    u2: Memory,
  ): void
  /**
   * m ← β1·m + (1 − β1)·g; v ← β2·v + (1 − β2)·g²; dw ← rate·correction·m / (√v + delta); w ← w − dw, with correction =
   * √(1 − β2ᵗ) / (1 − β1ᵗ) for update number t.
   */
  adamUpdate(
    n: number,
    rule: UpdateRule,
    beta1: number,
    beta2: number,
    delta: number,
    correction: number,
    w: Memory,
    dw: Memory,
    m: Memory,
    v: Memory,
  ): void

  // ---- more neurons: elementwise over (n), gradients from the input; x and y, dy and dx may be the same memory
  // -------------
  /** y ← |x|. */
  absolute(n: number, x: Memory, y: Memory): void
  /** dx ← dy·sign(x), with sign(0) = 0. */
  absoluteGradient(n: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← log(1 + eˣ). */
  bnll(n: number, x: Memory, y: Memory): void
  /** dx ← dy / (1 + e⁻ˣ). */
  bnllGradient(n: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← x, but at least low and at most high. */
  clip(n: number, low: number, high: number, x: Memory, y: Memory): void
  /** dx ← dy if low ≤ x ≤ high, else 0. */
  clipGradient(n: number, low: number, high: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← x if x > 0, else α·(eˣ − 1). */
  elu(n: number, alpha: number, x: Memory, y: Memory): void
  /** dx ← dy if x > 0, else dy·α·eˣ. */
  eluGradient(n: number, alpha: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← factor·e^(scale·x). */
  exponential(n: number, scale: number, factor: number, x: Memory, y: Memory): void
  /** dx ← dy·factor·scale·e^(scale·x). */
  exponentialGradient(n: number, scale: number, factor: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← factor·log(shift + scale·x). */
  logarithm(n: number, scale: number, shift: number, factor: number, x: Memory, y: Memory): void
  /** dx ← dy·factor·scale / (shift + scale·x). */
  logarithmGradient(n: number, scale: number, shift: number, factor: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← (shift + scale·x)^exponent. */
  power(n: number, exponent: number, scale: number, shift: number, x: Memory, y: Memory): void
  /** dx ← dy·exponent·scale·(shift + scale·x)^(exponent − 1). */
  powerGradient(n: number, exponent: number, scale: number, shift: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← x / (1 + e^(−β·x)). */
  swish(n: number, beta: number, x: Memory, y: Memory): void
  /** dx ← dy·(s + β·x·s·(1 − s)), with s = 1 / (1 + e^(−β·x)). */
  swishGradient(n: number, beta: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← α·x + β, but at least 0 and at most 1. */
  hardSigmoid(n: number, alpha: number, beta: number, x: Memory, y: Memory): void
  /** dx ← dy·α if 0 < α·x + β < 1, else 0. */
  hardSigmoidGradient(n: number, alpha: number, beta: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← x·h, with h = α·x + β, but at least 0 and at most 1. */
  hardSwish(n: number, alpha: number, beta: number, x: Memory, y: Memory): void
  /** dx ← dy·(h + α·x if 0 < α·x + β < 1, else h), with h = α·x + β, but at least 0 and at most 1. */
  hardSwishGradient(n: number, alpha: number, beta: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← x·tanh(log(1 + eˣ)). */
  mish(n: number, x: Memory, y: Memory): void
  /** dx ← dy·(t + x·s·(1 − t²)), with t = tanh(log(1 + eˣ)), s = 1 / (1 + e⁻ˣ). */
  mishGradient(n: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← 1 if x > limit, else 0. */
  threshold(n: number, limit: number, x: Memory, y: Memory): void

  // ---- per channel: x, y, dx, dy are (outer, channels, inner); x and y, dy and dx may be the same memory
  // --------------------
  /** y ← x if x > 0, else slope[c]·x.  slope: (channels). */
  prelu(outer: number, channels: number, inner: number, x: Memory, slope: Memory, y: Memory): void
  /** dx ← dy if x > 0, else slope[c]·dy. */
  preluGradient(outer: number, channels: number, inner: number, x: Memory, slope: Memory, dy: Memory, dx: Memory): void
  /** dslope[c] ← dslope[c] + Σ dy·min(x, 0). */
  preluSlopeGradient(outer: number, channels: number, inner: number, x: Memory, dy: Memory, dslope: Memory): void
  /** y ← after(factor[c]·x + bias[c]).  factor: (channels), bias: (channels) or null. */
  scaleChannels(
    outer: number,
    channels: number,
    inner: number,
    x: Memory,
    factor: Memory,
    bias: Memory | null,
    y: Memory,
    after?: After,
  ): void
  /** dfactor[c] ← dfactor[c] + Σ x·dy. */
  scaleGradient(outer: number, channels: number, inner: number, x: Memory, dy: Memory, dfactor: Memory): void

  // ---- normalization ------------------------------------------------------------------------------------------------
  /** scale ← k + α/size·Σ x² over the size channels around c; y ← x·scale^−β.  All (N, C, H·W). y may be x. */
  lrnAcross(s: LRNShape, x: Memory, scale: Memory, y: Memory): void
  /**
   * dx ← dy·scale^−β − 2αβ/size·x·Σ ratio over the size channels around c, ratio ← dy·x·scale^(−β − 1) (workspace). dx
   * may be dy.
   */
  lrnAcrossGradient(s: LRNShape, x: Memory, scale: Memory, dy: Memory, ratio: Memory, dx: Memory): void
  /**
   * scale ← 1 + α/size²·Σ x² over the size×size window around a position; y ← x·scale^−β.  All (N·C, H, W). y may be x.
   */
  lrnWithin(s: LRNShape, x: Memory, scale: Memory, y: Memory): void
  /**
   * dx ← dy·scale^−β − 2αβ/size²·x·Σ ratio over the size×size window, ratio ← dy·x·scale^(−β − 1) (workspace). dx may
   * be dy.
   */
  lrnWithinGradient(s: LRNShape, x: Memory, scale: Memory, dy: Memory, ratio: Memory, dx: Memory): void
  /** mean[c] ← mean of x over N and inner, variance[c] ← mean of (x − mean[c])².  x: (N, C, inner). */
  channelStatistics(batch: number, channels: number, inner: number, x: Memory, mean: Memory, variance: Memory): void
  /** mean ← meanSum / factor[0], variance ← varianceSum / factor[0]; 0 where factor[0] is 0.  All (C), factor: (1). */
  movingStatistics(
    channels: number,
    meanSum: Memory,
    varianceSum: Memory,
    factor: Memory,
    mean: Memory,
    variance: Memory,
  ): void
  /** deviation ← √(variance + inside) + outside. */
  deviations(n: number, inside: number, outside: number, variance: Memory, deviation: Memory): void
  /** y ← after((x − mean[c]) / deviation[c]).  x, y: (N, C, inner); y may be x. */
  normalizeChannels(
    batch: number,
    channels: number,
    inner: number,
    x: Memory,
    mean: Memory,
    deviation: Memory,
    y: Memory,
    after?: After,
  ): void
  /**
   * dx ← (dy − mean(dy) − y·mean(dy·y)) / deviation[c], y = (x − mean[c]) / deviation[c], means over N and inner. dx
   * may be dy.
   */
  normalizeChannelsGradient(
    batch: number,
    channels: number,
    inner: number,
    x: Memory,
    mean: Memory,
    deviation: Memory,
    dy: Memory,
    dx: Memory,
  ): void

  // ---- rows, axes and blocks ----------------------------------------------------------------------------------------
  /**
   * y[r] ← table[index[r]] for r < rows; NaN where there is no such row.  table: (count, width), index: (rows), y:
   * (rows, width).
   */
  gatherRows(rows: number, width: number, count: number, index: Memory, table: Memory, y: Memory): void
  /**
   * dtable[index[r]] ← dtable[index[r]] + dy[r] for r < rows, where there is such a row: the adjoint of gatherRows,
   * added.
   */
  scatterRows(rows: number, width: number, count: number, index: Memory, dy: Memory, dtable: Memory): void
  /**
   * y ← the topK largest along the middle axis, largest first, the larger index first on a tie: indices, values, or all
   * indices before all values.  x: (outer, size, inner), y: (outer, topK or 2·topK, inner).
   */
  argMax(s: ArgMaxShape, x: Memory, y: Memory): void
  /** y[o] ← coefficient·Σᵢ f(x[o,i]), f the value, its magnitude or its square.  x: (outer, inner), y: (outer). */
  reduce(operation: Reduction, outer: number, inner: number, coefficient: number, x: Memory, y: Memory): void
  /** dx[o,i] ← dy[o]·coefficient·f′(x[o,i]), f′ being 1, sign(x) or 2x. */
  reduceGradient(
    operation: Reduction,
    outer: number,
    inner: number,
    coefficient: number,
    x: Memory,
    dy: Memory,
    dx: Memory,
  ): void
  /** y[o,i] ← Σₘ x[o,m,i].  x: (outer, middle, inner), y: (outer, inner). */
  sumMiddle(outer: number, middle: number, inner: number, x: Memory, y: Memory): void
  /** y ← x with its axes in another order: axis i of y is axis order[i] of x.  x: shape; y is another memory. */
  permute(shape: readonly number[], order: readonly number[], x: Memory, y: Memory): void
  /** y ← the block of x of y's size that starts at the offsets. */
  crop(s: CropShape, x: Memory, y: Memory): void
  /** dx ← 0, then the block of dx that crop takes ← dy. */
  cropGradient(s: CropShape, dy: Memory, dx: Memory): void

  /** y[o,i] ← what the operation makes of x[o,·,i].  x: (outer, size, inner), y: (outer, inner). */
  reduceAxis(s: AxisReductionShape, x: Memory, y: Memory): void
  /** dx[o,j,i] ← dy[o,i]·∂y[o,i]/∂x[o,j,i]: of equal largest or smallest ones the first's alone; 0 where L2 is 0. */
  reduceAxisGradient(s: AxisReductionShape, x: Memory, y: Memory, dy: Memory, dx: Memory): void

  // ---- formulas by name: y is another memory than x ---------------------------------------------------------------------
  /** y ← operation(x), value by value. */
  unary(operation: UnaryOperation, n: number, x: Memory, y: Memory): void
  /** dx ← dy·operation′(x), 0 where it goes in steps. */
  unaryGradient(operation: UnaryOperation, n: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← operation(xs[0], xs[1], …), each operand where the steps lead. */
  broadcast(operation: BroadcastOperation, s: BroadcastShape, xs: readonly Memory[], y: Memory): void
  /**
   * slope ← dy·∂y/∂xs[index], as large as y: what a repeated value gets is a sum over it. MAX and MIN of equal values are
   * the second, 0⁰ and logarithms of what is not above 0 have the slope 0.
   */
  broadcastGradient(
    operation: BroadcastOperation,
    s: BroadcastShape,
    index: number,
    xs: readonly Memory[],
    dy: Memory,
    slope: Memory,
  ): void

  // ---- recurrence ---------------------------------------------------------------------------------------------------
  /**
   * c ← cont[n]·σ(f)·cPrevious + σ(i)·tanh(g), h ← σ(o)·tanh c.  gates: (N, 4, H) = i, f, o, g; cPrevious, c, h: (N,
   * H); cont: (N).
   */
  lstmUnit(batch: number, hidden: number, cPrevious: Memory, gates: Memory, cont: Memory, c: Memory, h: Memory): void
  /**
   * With i, f, o, g after their σ and tanh, f times cont[n], and dstate = dc + dh·o·(1 − tanh² c): dcPrevious ←
   * dstate·f, dgates ← dstate·g·i(1 − i), dstate·cPrevious·f(1 − f), dh·tanh(c)·o(1 − o), dstate·i·(1 − g²). dcPrevious
   * may be dc.
   */
  lstmUnitGradient(
    batch: number,
    hidden: number,
    cPrevious: Memory,
    gates: Memory,
    cont: Memory,
    c: Memory,
    dc: Memory,
    dh: Memory,
    dcPrevious: Memory,
    dgates: Memory,
  ): void

  /**
   * For each step: conted[t] ← cont[t]·h[t−1], 0 where cont is 0; gates[t] ← gates[t] + conted[t]·Whᵀ; c[t+1] and h[t]
   * as lstmUnit has them from c[t].  cont: (T, N), Wh: (4H, H), h0: (N, H), gates: (T, N, 4, H), conted, h: (T, N, H),
   * c: (T+1, N, H), of which c[0] is given.
   */
  lstm(
    steps: number,
    batch: number,
    hidden: number,
    cont: Memory,
    Wh: Memory,
    h0: Memory,
    gates: Memory,
    conted: Memory,
    c: Memory,
    h: Memory,
  ): void
  /**
   * From the last step to the first: dgates[t], dc ← as lstmUnitGradient has them from dh[t] +
   * cont[t+1]·(dgates[t+1]·Wh), no summand where that cont is 0.  gates, c: as lstm left them; dh: (T, N, H), dc: (N,
   * H), what comes into c behind the last step and, afterwards, what reaches c before the first, dgates: (T, N, 4, H).
   */
  lstmGradient(
    steps: number,
    batch: number,
    hidden: number,
    cont: Memory,
    Wh: Memory,
    gates: Memory,
    c: Memory,
    dh: Memory,
    dc: Memory,
    dgates: Memory,
  ): void
  /**
   * For each step: conted[t] ← cont[t]·h[t−1], 0 where cont is 0; gates[t] ← gates[t] + conted[t]·Whᵀ; h[t] ← tanh
   * gates[t].  Shapes as in lstm, one gate.
   */
  rnn(
    steps: number,
    batch: number,
    hidden: number,
    cont: Memory,
    Wh: Memory,
    h0: Memory,
    gates: Memory,
    conted: Memory,
    h: Memory,
  ): void
  /**
   * From the last step to the first: dgates[t] ← (dh[t] + cont[t+1]·(dgates[t+1]·Wh))·(1 − h[t]²), no summand where
   * that cont is 0.
   */
  rnnGradient(
    steps: number,
    batch: number,
    hidden: number,
    cont: Memory,
    Wh: Memory,
    h: Memory,
    dh: Memory,
    dgates: Memory,
  ): void

  // ---- more losses --------------------------------------------------------------------------------------------------
  /**
   * loss[0] ← Σ max(0, 1 + (j = label ? −x : x)) / N, squared before summing if asked.  x: (N, classes), label: (N).
   */
  hingeLoss(batch: number, classes: number, squared: boolean, x: Memory, label: Memory, loss: Memory): void
  /** dx ← dloss[0]·∂loss/∂x, the derivative at a margin of 0 being 0. */
  hingeLossGradient(
    batch: number,
    classes: number,
    squared: boolean,
    x: Memory,
    label: Memory,
    dloss: Memory,
    dx: Memory,
  ): void
  /** loss[0] ← −Σ log max(p[label], 10⁻²⁰) / N.  p: (N, classes), label: (N). */
  multinomialLogisticLoss(batch: number, classes: number, p: Memory, label: Memory, loss: Memory): void
  /** dp ← −dloss[0] / (N·max(p, 10⁻²⁰)) at the labels, else 0. */
  multinomialLogisticLossGradient(
    batch: number,
    classes: number,
    p: Memory,
    label: Memory,
    dloss: Memory,
    dp: Memory,
  ): void
  /**
   * loss[0] ← −Σ over labels Σₗ H[label,l]·log max(p[l], 10⁻²⁰) / normalizer.  p: (outer, classes, inner), H: (classes,
   * classes).
   */
  infogainLoss(s: ClassLossShape, p: Memory, label: Memory, H: Memory, loss: Memory): void
  /** dx ← (p[l]·Σₖ H[label,k] − H[label,l])·dloss[0] / normalizer, 0 where ignored; p = softmax(x). */
  infogainLossGradient(s: ClassLossShape, p: Memory, label: Memory, H: Memory, dloss: Memory, dx: Memory): void
  /**
   * loss[0] ← −Σ (t·log σ(x) + (1 − t)·log(1 − σ(x))) / normalizer over the t not ignored.  x, t: (outer, inner);
   * classes is not used.
   */
  sigmoidCrossEntropyLoss(s: ClassLossShape, x: Memory, target: Memory, loss: Memory): void
  /** dx ← (σ(x) − t)·dloss[0] / normalizer, 0 where ignored. */
  sigmoidCrossEntropyLossGradient(s: ClassLossShape, x: Memory, target: Memory, dloss: Memory, dx: Memory): void
  /**
   * difference ← a − b, distance ← Σ difference²; loss[0] ← Σ (similar ? distance : max(0, margin − √distance)²) / 2N;
   * legacy: max(0, margin − distance) for the dissimilar.  a, b, difference: (N, size), similar, distance: (N).
   */
  contrastiveLoss(
    s: ContrastiveShape,
    a: Memory,
    b: Memory,
    similar: Memory,
    difference: Memory,
    distance: Memory,
    loss: Memory,
  ): void
  /**
   * dx ← sign·dloss[0]/N·difference·(similar ? 1 : −max(0, margin − √distance) / (√distance + 10⁻⁴)); legacy: −1 for the
   * dissimilar within the margin. sign is 1 for a and −1 for b.
   */
  contrastiveLossGradient(
    s: ContrastiveShape,
    sign: number,
    difference: Memory,
    distance: Memory,
    similar: Memory,
    dloss: Memory,
    dx: Memory,
  ): void
}

>>>>>>> 7475cc4 (Broadcast, Where, Reduce, Unary and Gelu have kernels on js, wasm and gpu with their gradients: a formula of several operands that repeat, one along an axis, one of a value (beside the loops, one thread under load: ADD 5.9, GELU 10.6 and its gradient 26, sums 4, Where 43 times as fast); what gradients add up goes through sumMiddle; a page loads 30 kB more for them. A training that goes on with other frozen layers than before says so)
/** Bytes that kernels take for themselves, kept for the next call: for each thread, and for all of them. */
export interface Workspace {
  readonly own: number
  readonly shared: number
  /** What they keep for these calls alone. */
  readonly kept?: number
}

/**
 * Forward passes of convolutions whose weights are kept in another form than a param's: that of Winograd's products,
 * made once.
 */
export interface PreparedConvolutions {
  /** Values that the weights take in that form; 0 if the pass is faster with the weights as they are. */
  length(s: ConvolutionShape): number
  /** prepared ← w in that form. */
  prepare(s: ConvolutionShape, w: Memory, prepared: Memory): void
  /** y ← after(w ∗ x + bias). */
  convolution(s: ConvolutionShape, x: Memory, prepared: Memory, bias: Memory | null, y: Memory, after?: After): void
}

/** A call of a kernel, written down. */
export type KernelCall = {
  [K in keyof Kernels]: { readonly kernel: K; readonly args: Parameters<Kernels[K]> }
}[keyof Kernels]

/** Layers in a row whose calls of kernels are one computation: what lies between them is not written anywhere. */
export interface JoinedCalls {
  /** Places of the first and the last layer in the list that was given. */
  readonly first: number
  readonly last: number
  /** What computes them, for people. */
  readonly what: string
  /** Bytes that it keeps. */
  readonly bytes: number
  /** Does what the calls do. False: not now, since params can be written at any time; nothing was done. */
  run(): boolean
  /** Give back what it keeps; it runs no more. */
  dispose(): void
}

/** Functions that compute nothing and leave the memories they are given alone: what they take is counted. */
export interface DryRun {
  readonly kernels: Kernels
  readonly prepared: PreparedConvolutions
}

/** What both kinds of engine have. */
export interface AnyEngine {
  /** What was asked for: 'js', 'wasm', 'native', 'gpu:webgl2' … */
  readonly name: string
  /** What that is here: 'fma, 2 threads', the BLAS library's name, the adapter's name. */
  readonly detail: string
  readonly threads: number
  /** Where this engine's host values live. */
  readonly heap: Heap
  /**
   * Settles when every thread runs, or an EngineError says why one does not; kernels may be called before. Threads may
   * wait with their start until a kernel has work for them, or somebody waits for this: createEngine does, Net.create
   * does not.
   */
  readonly ready?: PromiseLike<void>
  /** Kernels that take an `after`, and which; the others never get one. `convolution` stands for `prepared` too. */
  readonly fuses?: Fusions
  /** Where this engine has such passes. */
  readonly prepared?: PreparedConvolutions
  /**
   * Rows of layers that this engine computes faster together; `calls` of a layer that does something else as well are
   * undefined. After layer `last` somebody reads the memories that `isRead`. In `room` more bytes.
   */
  join?(
    calls: readonly (readonly KernelCall[] | undefined)[],
    isRead: (memory: Memory, last: number) => boolean,
    room: number,
  ): JoinedCalls[]
  /** Where kernels take memory for themselves: the most of it that any of these calls takes. */
  dryRun?(calls: (dry: DryRun) => void): Workspace
  /** On a device: resolves when everything queued so far has run, rejects with the first failure. Reads nothing back. */
  finish?(): Promise<void>
  /** On the gpu engine: out ← kernel(args), a kernel that a layer brings along. Memories without sizes are flat. */
  run?(
    kernel: GpuKernel,
    args: readonly (Memory | View | number)[],
    out: Memory | View,
    constants?: Constants,
    /** Who runs it, for errors. */
    by?: string,
  ): void
  /** The only workspace: at least `length` values, whose contents last until the next call with the same slot. */
  scratch(length: number, slot?: number): Memory
}

/** Computes at once, with every kernel. */
export interface HostEngine extends AnyEngine {
  readonly isHost: true
  readonly kernels: Kernels
}

/** Whose kernels a device is given: named where one fails, and told while kernels are compiled. */
export interface DeviceCaller {
  readonly name: string
  readonly type: string
  readonly context: {
    /** Takes a line for people. */
    readonly log: (line: string) => void
  }
}

/** Has one queue, and only a download waits. */
export interface DeviceEngine extends AnyEngine {
  readonly isHost: false
  /** A layer whose kernels are missing here runs on the host. */
  readonly kernels: Partial<Kernels>
  /** For such layers and for plain host code, in the same heap. */
  readonly host: HostEngine
  /** Who calls kernels from now on; nobody in particular where it is left out. */
  calledBy?(caller?: DeviceCaller): void
}

/** Where kernels run. */
export type Engine = HostEngine | DeviceEngine
