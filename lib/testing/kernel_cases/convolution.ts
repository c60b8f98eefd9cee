import type { After, ConvolutionShape } from '../../engine.js'
import { convolutionShape, everywhere, finishingShapes, hostShapes, hugeShapes } from './convolution_shapes.js'
import { type HostOnly, type KernelCase, type KernelCases, type Kit, product, withAfter } from './kit.js'

interface Sized {
  readonly s: ConvolutionShape
  readonly name: string
  /** Values of x, w, y. */
  readonly nx: number
  readonly nw: number
  readonly ny: number
  readonly tolerance?: number
}

const sized = (name: string): Sized => {
  const s = convolutionShape(name)
  return {
    s,
    name,
    nx: s.batch * s.channels * product(s.input),
    nw: (s.outputs * s.channels * product(s.kernel)) / s.group,
    ny: s.batch * s.outputs * product(s.output),
    ...(isTiled(s) && { tolerance: 6e-6 }),
  }
}

/** Convolutions that may pass by tiles of 6 × 6, which have two or three times the error of a plain sum. */
function isTiled({ channels, outputs, kernel, stride, dilation }: ConvolutionShape): boolean {
  const square = kernel.length === 2 && kernel[0] === kernel[1] && (kernel[0] === 3 || kernel[0] === 5)
  return square && [...stride, ...dilation].every(n => n === 1) && Math.min(channels, outputs) >= 32
}

const shapes = everywhere.map(sized)
const onlyHosts = hostShapes.map(sized)
const huge = hugeShapes.map(sized)
const finishing = finishingShapes.map(sized)

type Make = (shape: Sized) => KernelCase['run']

const onAll = (make: Make, suffix = ''): KernelCase[] =>
  shapes.map(shape => ({ name: `${shape.name}${suffix}`, run: make(shape) }))
const large = (make: Make, suffix = '', over = onlyHosts, hostOnly: HostOnly = 'large'): KernelCase[] =>
  over.map(shape => ({
    name: `${shape.name}${suffix}`,
    run: make(shape),
    hostOnly,
    ...(shape.tolerance && { tolerance: shape.tolerance }),
  }))
const onHosts = (make: Make, suffix = ''): KernelCase[] => [
  ...large(make, suffix),
  ...large(make, suffix, huge, 'huge'),
]

const inputs = (kit: Kit, { s, nx, nw }: Sized) => [kit.random(nx), kit.random(nw), kit.random(s.outputs)] as const

const withBias: Make = shape => (kernels, kit) => {
  const [x, w, bias] = inputs(kit, shape)
  kernels.convolution(shape.s, x, w, bias, kit.out(shape.ny))
}
const withoutBias: Make = shape => (kernels, kit) =>
  kernels.convolution(shape.s, kit.random(shape.nx), kit.random(shape.nw), null, kit.out(shape.ny))
const followed =
  (after: After): Make =>
  shape =>
  (kernels, kit) => {
    const [x, w, bias] = inputs(kit, shape)
    kernels.convolution(shape.s, x, w, bias, kit.out(shape.ny), after)
  }
const inputGradient: Make = shape => (kernels, kit) =>
  kernels.convolutionInputGradient(shape.s, kit.random(shape.ny), kit.random(shape.nw), kit.out(shape.nx))
const weightGradient: Make = shape => (kernels, kit) => {
  const [x, dy, dw] = [kit.random(shape.nx), kit.random(shape.ny), kit.random(shape.nw)]
  kernels.convolutionWeightGradient(shape.s, x, dy, kit.out(dw))
}

/** Values of the matrix that im2col makes. */
const matrix = ({ s }: Sized) => s.batch * s.channels * product(s.kernel) * product(s.output)
const im2col: Make = shape => (kernels, kit) => kernels.im2col(shape.s, kit.random(shape.nx), kit.out(matrix(shape)))
const im2colGradient: Make = shape => (kernels, kit) =>
  kernels.im2colGradient(shape.s, kit.random(matrix(shape)), kit.out(shape.nx))
const withSmallMatrices = onlyHosts.filter(({ nx, s }) => nx * product(s.kernel) < 2 ** 19)

/** Convolutions and the matrix that they are a product with. */
export const convolutions: KernelCases = {
  convolution: [
    ...onAll(withBias, ', bias'),
    ...onAll(withoutBias),
    ...onHosts(withBias, ', bias'),
    ...large(withoutBias, '', finishing),
    ...withAfter(after => [...onAll(followed(after), ', bias'), ...large(followed(after), ', bias', finishing)]),
  ],
  convolutionInputGradient: [...onAll(inputGradient), ...onHosts(inputGradient)],
  convolutionWeightGradient: [...onAll(weightGradient), ...onHosts(weightGradient)],
  im2col: [...onAll(im2col), ...large(im2col, '', withSmallMatrices)],
  im2colGradient: [...onAll(im2colGradient), ...large(im2colGradient, '', withSmallMatrices)],
}
