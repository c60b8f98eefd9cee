/**
 * Checks for authors of layers and of engines.
 *
 * @example
 * import { checkLayer } from 'ristretto/testing'
 *
 * await checkLayer(SwishLayer, { param: 'swish_param { beta: 2 }', bottoms: [[2, 3, 4, 5]], engine: 'wasm', inPlace:
 * true }) await checkLayer(MyLossLayer, { bottoms: [[4, 10], { shape: [4], labels: 10 }] })
 *
 * @module
 */
export { checkEngine, EngineCheckError, type EngineCheckOptions, type EngineReport } from './testing/engine.js'
export { CheckError } from './testing/errors.js'
export { checkGradient, type GradientOptions, type GradientReport } from './testing/gradient.js'
export type { KernelResult } from './testing/kernel_cases/run.js'
export { checkLayer, type LayerOptions, type LayerReport } from './testing/layer.js'
export type { BottomOptions, BottomSpec, RigOptions } from './testing/rig.js'
