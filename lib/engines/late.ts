/** Kernels that most nets have no use for: they come when a layer names one of them, by fetchKernels. */
export * as plain from '../../kernels/js/late.js'
export { bindLate, lateBounds } from './wasm/bind/late.js'
