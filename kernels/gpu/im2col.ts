import type { ConvolutionShape, Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { type GpuKernel, generatedKernel } from '../../lib/gpu_kernel.js'
import { eachOutput, flatPlace, manyTaps, places, product } from './places.js'

// x is (N·C, plane), y (N·C, taps, outputs).

/** x under tap thread.y at output thread.x, 0 in the padding. */
function columnsSource(s: ConvolutionShape): string {
  const inside = s.kernel.map((_, a) => `i${a} >= 0 && i${a} < ${s.input[a]}`).join(' && ')
  return `function (x) {
    ${places('o', 'this.thread.x', s.output)} ${places('k', 'this.thread.y', s.kernel)}
    ${s.kernel.map((_, a) => `const i${a} = o${a} * ${s.stride[a]} + k${a} * ${s.dilation[a]} - ${s.pad[a]};`).join(' ')}
    if (${inside}) return x[0][this.thread.z][${flatPlace('i', s.input)}];
    return 0
  }`
}

/** Σ of dy wherever this place was copied to. */
function gradientSource(s: ConvolutionShape): string {
  const loops = s.kernel.map((size, a) => {
    const reached = `const r${a} = i${a} + ${s.pad[a]} - k${a} * ${s.dilation[a]}; const o${a} = Math.floor((r${a} + 0.5) / ${s.stride[a]});`
    const inside = `r${a} >= 0 && o${a} < ${s.output[a]} && o${a} * ${s.stride[a]} === r${a}`
    return `for (let k${a} = 0; k${a} < ${size}; k${a}++) { ${reached} if (${inside}) {`
  })
  const term = `sum += dy[this.thread.y][${flatPlace('k', s.kernel)}][${flatPlace('o', s.output)}];`
  return `function (dy) {
    ${places('i', 'this.thread.x', s.input)}
    let sum = 0;
    ${manyTaps(s) ? eachOutput(s, term) : `${loops.join(' ')} ${term} ${loops.map(() => '} }').join(' ')}`}
    return sum
  }`
}

const known = new Map<string, { columns: GpuKernel; gradient: GpuKernel }>()

function kernelsOf(s: ConvolutionShape): { columns: GpuKernel; gradient: GpuKernel } {
  const key = JSON.stringify(s)
  let kernels = known.get(key)
  if (!kernels) {
    kernels = {
      columns: generatedKernel('im2col', () => columnsSource(s)),
      gradient: generatedKernel('im2colGradient', () => gradientSource(s)),
    }
    known.set(key, kernels)
  }
  return kernels
}

const imageDims = (s: ConvolutionShape) => [product(s.input), s.batch * s.channels, 1] as const
const columnDims = (s: ConvolutionShape) => [product(s.output), product(s.kernel), s.batch * s.channels] as const

export const im2col = (gpu: Gpu): Partial<Kernels> => ({
  im2col: (s, x, y) =>
    gpu.run(kernelsOf(s).columns, [{ memory: x, dims: imageDims(s) }], { memory: y, dims: columnDims(s) }),
  im2colGradient: (s, dy, dx) =>
    gpu.run(kernelsOf(s).gradient, [{ memory: dy, dims: columnDims(s) }], { memory: dx, dims: imageDims(s) }),
})
