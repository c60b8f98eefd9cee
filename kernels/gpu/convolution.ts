import type { ConvolutionShape, Kernels } from '../../lib/engine.js'
import type { Gpu, HandleView } from '../../lib/engines/gpu/gpu.js'
import { type Dims, type GpuKernel, generatedKernel, gpuKernel, type Tensor, type View } from '../../lib/gpu_kernel.js'
import type { Memory } from '../../lib/memory.js'
import { type Correlation, type CorrelationKernels, correlationKernels } from './correlation.js'
import { type WeightGradientKernels, weightGradientKernels } from './correlation_gradient.js'
import { eachOutput, flatPlace, manyTaps, places, product } from './places.js'
import { inBlocks, LONG_SUM } from './sums.js'

// Tensors are x: (N, C, plane), y: (N, M, plane), w: (M, C/group, taps). Every shape has sources of its own, for any
// number of spatial axes;
// o_a, i_a and k_a are the places along axis a in the output, the input and the kernel.

/** Taps that are written out one by one; larger kernels run in loops. */
const MOST_UNROLLED = 9

/** Threads that a weight gradient wants at least: fewer, and the batch is summed in parts. */
const WANTED_THREADS = 65536

interface ConvolutionKernels {
  readonly forward: GpuKernel
  readonly forwardBiased: GpuKernel
  readonly inputGradient: GpuKernel
  readonly weightGradient: GpuKernel
  /** Four values a thread, where the shape allows. */
  readonly rows: CorrelationKernels | undefined
  readonly rowsInputGradient: CorrelationKernels | undefined
  readonly rowsWeightGradient: WeightGradientKernels | undefined
}

/** y as sums over a window of x. */
const correlation = (s: ConvolutionShape): Correlation => ({
  ...s,
  reduced: s.channels / s.group,
  produced: s.outputs / s.group,
})

/** dx as sums over a window of dy, which is the kernel turned around: steps of one only. */
const turned = (s: ConvolutionShape): Correlation => ({
  ...s,
  reduced: s.outputs / s.group,
  produced: s.channels / s.group,
  input: s.output,
  output: s.input,
  pad: s.kernel.map((k, a) => (k - 1) * s.dilation[a] - s.pad[a]),
})

/**
 * `body(k, tap)` for every tap, written out or in loops; `before(a, k_a)` opens what axis a needs and `after` closes
 * it.
 */
function eachTap(
  kernel: readonly number[],
  before: (axis: number, k: string) => string,
  body: (tap: string) => string,
  after: (axis: number) => string,
  line = (taps: string) => taps,
): string {
  const unrolled = product(kernel) <= MOST_UNROLLED
  const visit = (axis: number, at: string[]): string => {
    if (axis === kernel.length) {
      const steps = kernel.map((_, a) => product(kernel.slice(a + 1)))
      return body(
        unrolled
          ? String(at.reduce((sum, k, a) => sum + Number(k) * steps[a], 0))
          : at.map((k, a) => `${k} * ${steps[a]}`).join(' + '),
      )
    }
    const inside = (k: string) => `${before(axis, k)} ${visit(axis + 1, [...at, k])} ${after(axis)}`
    if (!unrolled) {
      const all = `for (let k${axis} = 0; k${axis} < ${kernel[axis]}; k${axis}++) { ${inside(`k${axis}`)} }`
      return axis === kernel.length - 1 ? line(all) : all
    }
    return Array.from({ length: kernel[axis] }, (_, k) => `{ ${inside(String(k))} }`).join('\n')
  }
  return visit(0, [])
}

/** y[n,m,o] = bias[m] + Σ over channels and taps of w·x. */
function forwardSource(s: ConvolutionShape, biased: boolean): string {
  const channels = s.channels / s.group
  const outputs = s.outputs / s.group
  const group = s.group === 1 ? '' : `const first = Math.floor((this.thread.y + 0.5) / ${outputs}) * ${channels};`
  const channel = s.group === 1 ? 'c' : 'first + c'
  const inParts = channels * product(s.kernel) > LONG_SUM
  const sum = !inParts ? 'sum' : product(s.kernel) > MOST_UNROLLED ? 'line' : 'part'
  // without padding every tap is inside
  const guarded = (a: number) =>
    s.pad[a] > 0 || (s.output[a] - 1) * s.stride[a] + (s.kernel[a] - 1) * s.dilation[a] >= s.input[a]
  const taps = eachTap(
    s.kernel,
    (a, k) => {
      const place = `const i${a} = o${a} * ${s.stride[a]} + ${k} * ${s.dilation[a]} - ${s.pad[a]};`
      return guarded(a) ? `${place} if (i${a} >= 0 && i${a} < ${s.input[a]}) {` : place
    },
    tap => `${sum} += x[this.thread.z][${channel}][${flatPlace('i', s.input)}] * w[this.thread.y][c][${tap}];`,
    a => (guarded(a) ? '}' : ''),
    taps => (sum === 'line' ? `let line = 0; ${taps} part += line;` : taps),
  )
  return `function (x, w${biased ? ', bias' : ''}) {
    ${places('o', 'this.thread.x', s.output)} ${group}
    let sum = ${biased ? 'bias[0][0][this.thread.y]' : '0'};
    ${inParts ? inBlocks('c', channels, product(s.kernel), 'let part = 0;', taps, 'sum += part;') : `for (let c = 0; c < ${channels}; c++) { ${taps} }`}
    return sum
  }`
}

/**
 * dx[n,c,i] = Σ over outputs and taps that meet this place of w·dy: over the taps of a small window, over the outputs of
 * one that is larger than what it gives.
 */
function inputGradientSource(s: ConvolutionShape): string {
  const channels = s.channels / s.group
  const outputs = s.outputs / s.group
  const group =
    s.group === 1
      ? 'const c = this.thread.y;'
      : `const g = Math.floor((this.thread.y + 0.5) / ${channels}); const c = this.thread.y - g * ${channels}; const first = g * ${outputs};`
  const output = s.group === 1 ? 'm' : 'first + m'
  const products = (tap: string) =>
    `const o = ${flatPlace('o', s.output)}; let part = 0; for (let m = 0; m < ${outputs}; m++) { part += dy[this.thread.z][${output}][o] * w[${output}][c][${tap}]; } sum += part;`
  const taps = manyTaps(s)
    ? eachOutput(s, `const tap = ${flatPlace('k', s.kernel)}; ${products('tap')}`)
    : eachTap(
        s.kernel,
        (a, k) => {
          const reached = `const r${a} = i${a} + ${s.pad[a]} - ${k} * ${s.dilation[a]};`
          if (s.stride[a] === 1) return `${reached} const o${a} = r${a}; if (o${a} >= 0 && o${a} < ${s.output[a]}) {`
          const place = `const o${a} = Math.floor((r${a} + 0.5) / ${s.stride[a]});`
          return `${reached} ${place} if (r${a} >= 0 && o${a} < ${s.output[a]} && o${a} * ${s.stride[a]} === r${a}) {`
        },
        products,
        () => '}',
      )
  return `function (dy, w) {
    ${places('i', 'this.thread.x', s.input)} ${group}
    let sum = 0;
    ${taps}
    return sum
  }`
}

/** Part p of dw[m,c,k] = Σ over images and outputs of dy·x; thread.z = p·M + m, a part being `images` images. */
function weightGradientSource(s: ConvolutionShape, images: number): string {
  const channels = s.channels / s.group
  const outputs = s.outputs / s.group
  const group = s.group === 1 ? '' : `const first = Math.floor((m + 0.5) / ${outputs}) * ${channels};`
  const channel = s.group === 1 ? 'this.thread.y' : 'first + this.thread.y'
  // a sum for each line and for each image, so that none is long
  const visit = (a: number): string => {
    const place = `const i${a} = o${a} * ${s.stride[a]} + k${a} * ${s.dilation[a]} - ${s.pad[a]};`
    const inside = (body: string) => `${place} if (i${a} >= 0 && i${a} < ${s.input[a]}) { ${body} }`
    if (a < s.output.length - 1)
      return `for (let o${a} = 0; o${a} < ${s.output[a]}; o${a}++) { ${inside(visit(a + 1))} }`
    const product = `x[n][${channel}][${flatPlace('i', s.input)}] * dy[n][m][${flatPlace('o', s.output)}]`
    return inBlocks(`o${a}`, s.output[a], 1, 'let line = 0;', inside(`line += ${product};`), 'image += line;')
  }
  const guard = s.batch % images ? `if (n < ${s.batch}) {` : '{'
  return `function (x, dy) {
    const p = Math.floor((this.thread.z + 0.5) / ${s.outputs});
    const m = this.thread.z - p * ${s.outputs};
    ${places('k', 'this.thread.x', s.kernel)} ${group}
    let sum = 0;
    for (let j = 0; j < ${images}; j++) {
      const n = p * ${images} + j;
      let image = 0;
      ${guard} ${visit(0)} }
      sum += image;
    }
    return sum
  }`
}

/** Σₚ x[p,i]. */
const overParts = gpuKernel('convolutionWeightGradient, sum of parts', function (x: Tensor) {
  let sum = 0
  for (let p = 0; p < this.constants.parts; p++) sum += x[p][this.thread.y][this.thread.x]
  return sum
})

/** Images that one thread of the weight gradient goes through. */
function imagesPerPart(s: ConvolutionShape): number {
  const threads = product(s.kernel) * (s.channels / s.group) * s.outputs
  const parts = Math.min(s.batch, Math.ceil(WANTED_THREADS / threads))
  return Math.max(1, Math.ceil(s.batch / parts))
}

/**
 * The place of tap k when the kernel is turned around; gpu.js makes no whole number of a difference of two literals.
 */
const mirrored = (taps: number, k: string): string =>
  Number.isNaN(Number(k)) ? `${taps - 1} - (${k})` : String(taps - 1 - Number(k))

const known = new Map<string, ConvolutionKernels>()

function kernelsOf({ backend: { mostRows } }: Gpu, s: ConvolutionShape): ConvolutionKernels {
  const key = `${mostRows} ${JSON.stringify(s)}`
  let kernels = known.get(key)
  if (!kernels) {
    kernels = {
      forward: generatedKernel('convolution', () => forwardSource(s, false)),
      forwardBiased: generatedKernel('convolution', () => forwardSource(s, true)),
      inputGradient: generatedKernel('convolutionInputGradient', () => inputGradientSource(s)),
      weightGradient: generatedKernel('convolutionWeightGradient', () => weightGradientSource(s, imagesPerPart(s))),
      rows: correlationKernels('convolution', correlation(s), (c, m, _, k) => `w[${m}][${c}][${k}]`, mostRows),
      rowsInputGradient:
        s.stride.every(n => n === 1) && !manyTaps(s)
          ? correlationKernels(
              'convolutionInputGradient',
              turned(s),
              (m, _, c, k) => `w[first + ${m}][${c}][${mirrored(product(s.kernel), k)}]`,
              mostRows,
            )
          : undefined,
      rowsWeightGradient: weightGradientKernels('convolutionWeightGradient', correlation(s), mostRows),
    }
    known.set(key, kernels)
  }
  return kernels
}

const inputDims = (s: ConvolutionShape): Dims => [product(s.input), s.channels, s.batch]
const outputDims = (s: ConvolutionShape): Dims => [product(s.output), s.outputs, s.batch]
const weightDims = (s: ConvolutionShape): Dims => [product(s.kernel), s.channels / s.group, s.outputs]

/** y ← the correlation of x and w, with its steps. */
function correlate(gpu: Gpu, k: CorrelationKernels, x: Memory, w: View, bias: Memory | null, y: Memory): void {
  const source = padded(gpu, k, x)
  const tensors = [source, w, ...(bias ? [bias] : [])]
  let sums = gpu.compute(bias ? k.sumsBiased : k.sums, tensors, k.sumsDims)
  if (k.padded) gpu.release(source.handle)
  if (k.unpacked) {
    const rows = sums
    sums = gpu.compute(k.unpacked, [{ handle: rows, dims: k.sumsDims }], k.dims)
    gpu.release(rows)
  }
  gpu.set(y, sums)
}

/** x as the kernels read it; a padded one is the caller's to release. */
function padded(gpu: Gpu, k: CorrelationKernels | WeightGradientKernels, x: Memory): HandleView {
  if (!k.padded) return { handle: gpu.handle(x), dims: k.inputDims }
  return { handle: gpu.compute(k.padded, [{ memory: x, dims: k.inputDims }], k.paddedDims), dims: k.paddedDims }
}

export const convolution = (gpu: Gpu): Partial<Kernels> => ({
  convolution(s, x, w, bias, y) {
    const tensors = [
      { memory: x, dims: inputDims(s) },
      { memory: w, dims: weightDims(s) },
    ]
    const out = { memory: y, dims: outputDims(s) }
    const kernels = kernelsOf(gpu, s)
    if (kernels.rows) correlate(gpu, kernels.rows, x, tensors[1], bias, y)
    else if (bias) gpu.run(kernels.forwardBiased, [...tensors, bias], out)
    else gpu.run(kernels.forward, tensors, out)
  },
  convolutionInputGradient(s, dy, w, dx) {
    const tensors = [
      { memory: dy, dims: outputDims(s) },
      { memory: w, dims: weightDims(s) },
    ]
    const { rowsInputGradient, inputGradient } = kernelsOf(gpu, s)
    if (rowsInputGradient) correlate(gpu, rowsInputGradient, dy, tensors[1], null, dx)
    else gpu.run(inputGradient, tensors, { memory: dx, dims: inputDims(s) })
  },
  convolutionWeightGradient(s, x, dy, dw) {
    // kernels are cut by the batch
    if (s.batch === 0) return
    const tensors = [
      { memory: x, dims: inputDims(s) },
      { memory: dy, dims: outputDims(s) },
    ]
    const [taps, channels, outputs] = weightDims(s)
    const k = kernelsOf(gpu, s).rowsWeightGradient
    if (k) {
      const source = padded(gpu, k, x)
      const sums = gpu.compute(k.parts, [source, { memory: dy, dims: k.outputDims }], k.partsDims)
      const total = gpu.compute(k.total, [{ handle: sums, dims: k.partsDims }], k.totalDims)
      if (k.padded) gpu.release(source.handle)
      gpu.release(sums)
      gpu.set(dw, gpu.plus(total, 1, dw, taps * channels * outputs))
      return
    }
    const parts = Math.ceil(s.batch / imagesPerPart(s))
    let sum = gpu.compute(kernelsOf(gpu, s).weightGradient, tensors, [taps, channels, outputs * parts])
    if (parts > 1) {
      const all = { handle: sum, dims: [taps * channels, outputs, parts] as const }
      const total = gpu.compute(overParts, [all], [taps * channels, outputs, 1], { parts })
      gpu.release(sum)
      sum = total
    }
    gpu.set(dw, gpu.plus(sum, 1, dw, taps * channels * outputs))
  },
})
