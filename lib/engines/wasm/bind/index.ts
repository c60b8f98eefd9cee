import type { Kernels } from '../../../engine.js'
import type { Bounds } from '../../bounds.js'
import { jsKernels } from '../../plain_loops.js'
import { bindCommon, type CommonExports, commonBounds } from './common.js'
import { bindLate, type LateExports, lateBounds } from './late.js'

/** Everything that kernels are bound to. */
export type KernelExports = CommonExports & LateExports

/** All kernels that WebAssembly has; the others are those of the js engine, and what these cannot do is done by `plain`. */
export const wasmKernels = (wasm: KernelExports, plain: Kernels = jsKernels) => ({
  ...bindCommon(wasm, plain),
  ...bindLate(wasm, plain),
})

/** What stands before every kernel of the contract, those of the js engine included. */
export const bounds: Bounds = { ...commonBounds, ...lateBounds }
