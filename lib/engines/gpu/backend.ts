import type { Constants, Dims, GpuKernel } from '../../gpu_kernel.js'

/** The device's own object for some values: an array, a texture, a buffer. */
export type Native = object

/** A tensor argument of a kernel call. */
export interface NativeTensor {
  readonly native: Native
  readonly dims: Dims
}

/** A kernel compiled for sizes and constants. */
export interface Program {
  run(args: readonly (NativeTensor | number)[]): Native | Promise<Native>
  destroy(): void
}

/** What the modes of gpu.js do differently: where values live and how they get there and back. */
export interface Backend {
  readonly mode: string
  /** The adapter or the way of computing, for people. */
  readonly detail: string
  /** Whether upload takes the host's own values and has read them when it returns; if not it gets a copy. */
  readonly uploadsAtOnce: boolean
  /** Whether a program can be one-dimensional of any length; if not, long rows are folded. */
  readonly longRows: boolean
  /** Most rows that one thread can compute. */
  readonly mostRows: number
  /** The arguments tell sizes and layouts, which are compiled in. */
  compile(kernel: GpuKernel, output: Dims, constants: Constants, args: readonly (NativeTensor | number)[]): Program
  /** What a program compiled for one native value depends on besides the dims. */
  layout(native: Native): string
  upload(values: Float32Array): Native
  /** At least `length` values. */
  download(native: Native, length: number): Float32Array | Promise<Float32Array>
  delete(native: Native): void
  /** Resolves when the device has done what it was given. */
  settle(): Promise<void>
  /** Why the device is gone, undefined while it is not. */
  lossReason(): string | undefined
  destroy(): Promise<void>
}

/** gpu.js ends a loop whose bound is no constant after 1000 rounds, and goes on with what it has by then. */
export const MOST_ROUNDS = 2 ** 31 - 1

/** How many threads along each axis compute an output. */
export function threadsOf({ width = 1, height = 1 }: GpuKernel, [x, y, z]: Dims): Dims {
  return [x / width, Math.ceil(y / height), z]
}
