import type { Sgemm } from '../native/bind.js'
import type { DirectExports } from './direct.js'

/**
 * What the WebAssembly module exports: kernels/wasm/index.ts, with byte offsets in place of memories. Those not listed
 * are in direct.ts.
 */
export interface WasmExports extends DirectExports {
  start(control: number, threads: number, mainMayWait: boolean): void
  serve(control: number, thread: number): void
  countChunks(chunks: number, counters: number): void
  /** Jobs that were offered to the workers so far, and their chunks. */
  dispatches(): number
  chunksDispatched(): number

  /** Recurrent kernels call sgemm from now on. */
  useBlas(): void
  /** The same four passes with the native engine's sgemm. */
  blasGemm(
    transA: boolean,
    transB: boolean,
    M: number,
    N: number,
    K: number,
    alpha: number,
    a: number,
    b: number,
    beta: number,
    c: number,
  ): void
  /**
   * Sizes of the next convolution pass, as in ConvolutionShape: N C M group H W, output H W, then kernel, stride, pad,
   * dilation.
   */
  convolutionShape(
    N: number,
    C: number,
    M: number,
    G: number,
    H: number,
    W: number,
    OH: number,
    OW: number,
    KH: number,
    KW: number,
    SH: number,
    SW: number,
    PH: number,
    PW: number,
    DH: number,
    DW: number,
  ): void
  /** What kernels that fuse do to their results from now on: 0 nothing, 1 a ReLU with slope `low`, 2 a clip. */
  after(kind: number, low: number, high: number): void
  convolution(x: number, w: number, bias: number, y: number): void
  /** Values of the next convolution's weights in the form that preparedConvolution takes; 0 if it does not pay. */
  preparedLength(blas: boolean): number
  prepareWeights(w: number, prepared: number, blas: boolean): void
  preparedConvolution(x: number, prepared: number, bias: number, y: number, blas: boolean): void
  convolutionInputGradient(dy: number, w: number, dx: number): void
  /** The input gradient of wide kernels in wide steps; false if this is none. */
  upsample(dy: number, w: number, dx: number): boolean
  convolutionWeightGradient(x: number, dy: number, dw: number): void
  blasConvolution(x: number, w: number, bias: number, y: number): void
  blasConvolutionInputGradient(dy: number, w: number, dx: number): void
  blasConvolutionWeightGradient(x: number, dy: number, dw: number): void
  /** Sizes of the next pooling, as in PoolingShape. */
  poolingShape(
    planes: number,
    H: number,
    W: number,
    OH: number,
    OW: number,
    KH: number,
    KW: number,
    SH: number,
    SW: number,
    PH: number,
    PW: number,
  ): void
  maxPool(x: number, y: number, mask: number): void
  maxPoolGradient(dy: number, mask: number, dx: number): void
  averagePool(x: number, y: number): void
  averagePoolGradient(dy: number, dx: number): void
  stochasticPool(x: number, k0: number, k1: number, c1: number, c2: number, c3: number, y: number, mask: number): void
  stochasticMean(x: number, y: number): void
  /** `depth` rows an item in `index` and `value`, either of which may be 0. */
  argMax(
    outer: number,
    size: number,
    inner: number,
    topK: number,
    depth: number,
    x: number,
    index: number,
    value: number,
  ): void
  /** `ignore` is NaN if every label counts. */
  accuracy(
    outer: number,
    classes: number,
    inner: number,
    topK: number,
    ignore: number,
    x: number,
    label: number,
    accuracy: number,
    perClass: number,
  ): void
  dropoutMask(
    n: number,
    threshold: number,
    kept: number,
    k0: number,
    k1: number,
    c1: number,
    c2: number,
    c3: number,
    mask: number,
  ): void
  copyRows(rows: number, width: number, x: number, xStride: number, y: number, yStride: number): void
  /** `ignore` is NaN if every label counts; `mode` is the index of the normalization. */
  softmaxLoss(
    outer: number,
    classes: number,
    inner: number,
    ignore: number,
    mode: number,
    p: number,
    label: number,
    loss: number,
  ): void
  softmaxLossGradient(
    outer: number,
    classes: number,
    inner: number,
    ignore: number,
    mode: number,
    p: number,
    label: number,
    dloss: number,
    dx: number,
  ): void
  sigmoidCrossEntropyLoss(
    outer: number,
    inner: number,
    ignore: number,
    mode: number,
    x: number,
    target: number,
    loss: number,
  ): void
  sigmoidCrossEntropyLossGradient(
    outer: number,
    inner: number,
    ignore: number,
    mode: number,
    x: number,
    target: number,
    dloss: number,
    dx: number,
  ): void
  /** Sizes of axis d, below 16, of the next im2col; outputs from … from + output − 1 are wanted. */
  im2colAxis(
    d: number,
    input: number,
    from: number,
    output: number,
    kernel: number,
    stride: number,
    pad: number,
    dilation: number,
  ): void
  im2col(axes: number, planes: number, x: number, y: number): void
  addIm2colGradient(axes: number, planes: number, dy: number, dx: number): void
  /** Names input k, below 64, of the next eltwise call. */
  eltwiseInput(k: number, x: number, coefficient: number): void
  eltwiseSum(n: number, count: number, y: number): void
  addBias(batch: number, channels: number, inner: number, bias: number, y: number): void
  scaleChannels(
    outer: number,
    channels: number,
    inner: number,
    x: number,
    factor: number,
    bias: number,
    y: number,
  ): void
  normalizeChannels(
    batch: number,
    channels: number,
    inner: number,
    x: number,
    mean: number,
    deviation: number,
    y: number,
  ): void
  eltwiseProduct(n: number, count: number, y: number): void
  eltwiseProductGradient(n: number, count: number, index: number, dy: number, dx: number): void
  eltwiseMax(n: number, count: number, y: number, mask: number): void
  power(n: number, exponent: number, scale: number, shift: number, x: number, y: number): void
  powerGradient(n: number, exponent: number, scale: number, shift: number, x: number, dy: number, dx: number): void
  lrnAcross(
    batch: number,
    channels: number,
    plane: number,
    size: number,
    alpha: number,
    beta: number,
    k: number,
    x: number,
    scale: number,
    y: number,
  ): void
  lrnAcrossGradient(
    batch: number,
    channels: number,
    plane: number,
    size: number,
    alpha: number,
    beta: number,
    x: number,
    scale: number,
    dy: number,
    ratio: number,
    dx: number,
  ): void
  lrnWithin(
    planes: number,
    height: number,
    width: number,
    size: number,
    alpha: number,
    beta: number,
    x: number,
    scale: number,
    y: number,
  ): void
  lrnWithinGradient(
    planes: number,
    height: number,
    width: number,
    size: number,
    alpha: number,
    beta: number,
    x: number,
    scale: number,
    dy: number,
    ratio: number,
    dx: number,
  ): void
  /** `operation` is the index of the reduction. */
  reduce(operation: number, outer: number, inner: number, coefficient: number, x: number, y: number): void
  reduceGradient(
    operation: number,
    outer: number,
    inner: number,
    coefficient: number,
    x: number,
    dy: number,
    dx: number,
  ): void
  sumOfSquares(n: number, x: number, sum: number): void
  sgdUpdate(
    n: number,
    rate: number,
    scale: number,
    decay: number,
    l1: boolean,
    momentum: number,
    w: number,
    dw: number,
    h: number,
  ): void
  nesterovUpdate(
    n: number,
    rate: number,
    scale: number,
    decay: number,
    l1: boolean,
    momentum: number,
    w: number,
    dw: number,
    h: number,
  ): void
  adagradUpdate(
    n: number,
    rate: number,
    scale: number,
    decay: number,
    l1: boolean,
    delta: number,
    w: number,
    dw: number,
    h: number,
  ): void
  /** `added` is 1 − kept, in double precision. */
  rmspropUpdate(
    n: number,
    rate: number,
    scale: number,
    decay: number,
    l1: boolean,
    kept: number,
    added: number,
    delta: number,
    w: number,
    dw: number,
    h: number,
  ): void
  adadeltaUpdate(
    n: number,
    rate: number,
    scale: number,
    decay: number,
    l1: boolean,
    kept: number,
    added: number,
    delta: number,
    w: number,
    dw: number,
    g2: number,
    u2: number,
  ): void
  adamUpdate(
    n: number,
    rate: number,
    scale: number,
    decay: number,
    l1: boolean,
    beta1: number,
    beta2: number,
    rest1: number,
    rest2: number,
    delta: number,
    w: number,
    dw: number,
    m: number,
    v: number,
  ): void
}

/** What the module asks of its host. */
export interface WasmImports extends WebAssembly.ModuleImports {
  /** A block of at least `bytes`; the one that was returned for this slot before is void. */
  reserve(slot: number, bytes: number): number
  /** Throws. */
  workerDied(): void
  /** The system's BLAS, on the native engine; the passes of the wasm engine never ask for it. */
  sgemm: Sgemm
}

/** What the wasm engine gives as sgemm. */
export const noSgemm: Sgemm = () => {
  throw new Error('only the native engine has a BLAS')
}

export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory, engine: WasmImports): WasmExports {
  return new WebAssembly.Instance(module, { env: { memory }, engine }).exports as unknown as WasmExports
}
