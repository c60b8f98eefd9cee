import * as kernels from '../../kernels/js/index.js'
import type { Kernels } from '../engine.js'

/** Plain loops: the definition of every kernel, what faster engines are tested against and fall back to. */
export const jsKernels: Kernels = { ...kernels }
