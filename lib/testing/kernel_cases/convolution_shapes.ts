import type { ConvolutionShape } from '../../engine.js'
import { dims } from './kit.js'

/**
 * 'N×C×in… to M, kernel 5×3, stride 2, pad 2×1, dilation 1, group 2' as a shape; one number stands for every axis, and
 * what is not said is 1, a pad 0.
 */
export function convolutionShape(text: string): ConvolutionShape {
  const [sizes, ...rest] = text.split(', ')
  const [bottom, outputs] = sizes.split(' to ')
  const [batch, channels, ...input] = dims(bottom)
  const said = Object.fromEntries(rest.map(part => part.split(' ')))
  const each = (name: string, otherwise: number) => {
    const given = name in said ? dims(said[name]) : [otherwise]
    return input.map((_, i) => given[given.length === 1 ? 0 : i])
  }
  const [kernel, stride, pad, dilation] = [each('kernel', 1), each('stride', 1), each('pad', 0), each('dilation', 1)]
  const output = input.map((n, i) => Math.floor((n + 2 * pad[i] - dilation[i] * (kernel[i] - 1) - 1) / stride[i]) + 1)
  const group = Number(said.group ?? 1)
  return { batch, channels, outputs: Number(outputs), group, input, output, kernel, stride, pad, dilation }
}

export const everywhere: readonly string[] = [
  '1×1×1×1 to 1, kernel 1',
  '3×2×7×9 to 5, kernel 3',
  '2×4×8×7 to 6, kernel 3×2, stride 2×3, pad 1, group 2',
  '2×3×9×11 to 4, kernel 3, stride 1×2, pad 2×1, dilation 2×3',
  '2×2×13×14 to 3, kernel 8×7, stride 3×2, pad 3',
  '5×3×6 to 3, kernel 3, pad 1, group 3',
  // rows of several fours, written out in pieces; many channels; kernels of one
  '2×5×11×38 to 7, kernel 5, pad 2',
  '1×3×19×67 to 4, kernel 7×11, stride 4',
  '3×10×9×10 to 9, kernel 1',
  '2×12×6×7 to 20, kernel 1, stride 2, group 2',
  '2×16×12×12 to 24, kernel 3, pad 1, group 2',
  '4×8×12×9 to 18, kernel 3, stride 2, pad 1',
  // too wide to be written out
  '2×2×3×24 to 3, kernel 2×17, pad 0×1',
  '2×2×4×5×3 to 3, kernel 2×3×2, stride 1×2×1, pad 1×0×1',
]

/** Kernels, strides, pads, dilations and groups that meet every path of the wasm and native engines. */
export const hostShapes: readonly string[] = [
  '3×1×28×28 to 20, kernel 5',
  '9×20×12×12 to 50, kernel 5',
  '2×3×15×13 to 7, kernel 3, pad 1',
  '2×5×23×21 to 9, kernel 5×3, stride 2, pad 2×1',
  '1×3×35×36 to 11, kernel 11, stride 4',
  '2×8×9×11 to 12, kernel 3, pad 1, group 4',
  '3×6×17×9 to 6, kernel 3, pad 1, group 6',
  '2×6×9×10 to 12, kernel 3, stride 2, pad 1, group 6',
  '1×4×13×9 to 12, kernel 5×3, stride 3, pad 2×1, group 4',
  '2×3×21×18 to 3, kernel 4, dilation 2, group 3',
  '2×33×7×9 to 17, kernel 1',
  '1×9×7×9 to 30, kernel 1, stride 2, group 3',
  '2×4×19×23 to 6, kernel 3, pad 2, dilation 2',
  '1×2×30×40 to 3, kernel 2×7, stride 3×1, pad 1×4, dilation 1×2',
  '1×70×13×13 to 130, kernel 3, pad 1',
  '5×3×4×4 to 5, kernel 4',
  '1×2×90×70 to 4, kernel 3, pad 1',
  '2×600×5×4 to 5, kernel 3, pad 1',
  '1×4×6×6 to 530, kernel 3, pad 1',
  // large enough for tiles of 6 × 6: whole and cut tiles, several images in a block of tiles, groups, both kernels,
  // several rounds
  '2×64×30×29 to 64, kernel 3, pad 1',
  '5×37×7×7 to 66, kernel 3, pad 1',
  '3×32×17×14 to 24, kernel 3',
  '1×128×14×13 to 130, kernel 3, pad 2',
  '9×32×16×15 to 33, kernel 5, pad 2',
  '3×64×13×12 to 96, kernel 5, pad 2, group 2',
  '4×50×8×9 to 20, kernel 5, pad 4',
  // tiles too many to be transformed once for all parts of the outputs, and several rounds of the weight gradient
  '76×96×6×6 to 40, kernel 3, pad 1',
  '2×3×41 to 4, kernel 5, stride 2, pad 2',
  '2×2×4×5×6 to 3, kernel 2×3×2, stride 1×1×2, pad 0×1×1',
  // wide kernels in wide steps, whose input gradient has a pass of its own
  '2×6×36×52 to 10, kernel 12×16, stride 3×8, group 2',
  '1×3×41×60 to 5, kernel 8×16, stride 8×9, pad 2×3, dilation 2×1',
  '1×2×130 to 2, kernel 8, stride 9, pad 5, group 2',
  // depthwise with so many channels that the weight gradient is direct, too: one to three outputs a group, every way to
  // step
  '3×18×13×37 to 18, kernel 3, pad 1, group 18',
  '2×17×14×45 to 34, kernel 5×3, stride 2, pad 2×1, group 17',
  '2×16×17×15 to 48, kernel 3×2, stride 1×3, pad 0×2, dilation 2, group 16',
  '2×20×37 to 20, kernel 4, stride 2, pad 1, group 20',
  // many small images by tiles, in blocks of two with sums of their own, the last block short; groups; odd planes
  '15×33×9×11 to 38, kernel 5, pad 2',
  '17×48×13×10 to 60, kernel 3, pad 1, group 2',
  // more than two axes: groups, dilation, padding beyond the kernel, several blocks of slices
  '3×6×5×1×7×6 to 4, kernel 3×1×2×3, stride 2×1×1×2, pad 1×0×2×1, dilation 1×1×3×2, group 2',
  '1×40×3×24×25 to 9, kernel 3, pad 1',
  '2×3×1×1×1×1×4 to 5, kernel 1, pad 0×0×0×0×3',
  // what a system's BLAS meets: one image in many positions, large weights, a kernel row at a time (strided, dilated,
  // grouped, in pieces), rows 4 KiB apart, few outputs, a pad wider than the input, small images side by side, strips
  '2×4×9×11 to 6, kernel 3, stride 2×3, pad 1×2',
  '2×4×9×11 to 6, kernel 3, pad 2×0, dilation 2×1, group 2',
  '1×16×70×65 to 24, kernel 3, pad 1',
  '2×64×6×5 to 72, kernel 3, pad 1',
  '19×4×7×7 to 6, kernel 5',
  '3×64×30×17 to 70, kernel 3, pad 1',
  '3×33×13×11 to 21, kernel 4×3, pad 2×1',
  '9×20×17×19 to 40, kernel 3, stride 1×2, pad 0×2',
  '2×48×21×20 to 6, kernel 3×2, pad 3×1, dilation 3×2, group 2',
  '1×40×75×71 to 12, kernel 5×2, pad 4×1',
  '3×3×32×32 to 32, kernel 5, pad 2',
  '2×70×28×29 to 8, kernel 1',
  '2×20×3×2 to 5, kernel 3, pad 3×4',
  '18×150×7×7 to 40, kernel 3×2, pad 1×0',
  '9×128×7×5 to 64, kernel 1, group 2',
  // rows long enough to be multiplied where they lie, image by image
  '2×36×12×13 to 24, kernel 1, group 2',
  '8×16×15×14 to 48, kernel 3, stride 2, pad 1',
  '1×3×61×67 to 100, kernel 3, stride 2, pad 1',
]

/** Many images of some size, and all that they are cut into. */
export const hugeShapes: readonly string[] = [
  '12×96×28×28 to 64, kernel 3, pad 1',
  '9×64×16×15 to 96, kernel 5, pad 2, group 2',
]

/**
 * Every pass that ends in a bias and what follows it, with several blocks of sums, outputs and positions: the product
 * without a matrix, depthwise, tiles of both kernels, more than two axes; and of a system's BLAS, which joins small
 * images, takes positions as they are, a kernel row at a time or all at once, and tiles.
 */
export const finishingShapes: readonly string[] = [
  '2×5×23×21 to 9, kernel 5×3, stride 2, pad 2×1',
  '2×600×5×4 to 5, kernel 3, pad 1',
  '1×4×6×6 to 530, kernel 3, pad 1',
  '1×2×90×70 to 4, kernel 3, pad 1',
  '3×18×13×37 to 18, kernel 3, pad 1, group 18',
  '2×17×14×45 to 34, kernel 5×3, stride 2, pad 2×1, group 17',
  '5×37×7×7 to 66, kernel 3, pad 1',
  '3×32×17×14 to 24, kernel 3',
  '2×32×8×8 to 33, kernel 5, pad 2',
  '2×2×4×5×6 to 3, kernel 2×3×2, stride 1×1×2, pad 0×1×1',
  '19×4×7×7 to 6, kernel 5',
  '2×70×28×29 to 8, kernel 1',
  '3×33×13×11 to 21, kernel 4×3, pad 2×1',
  '8×16×15×14 to 48, kernel 3, stride 2, pad 1',
  '1×64×24×21 to 70, kernel 3, pad 1',
]
