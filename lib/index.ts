/**
 * Ristretto: Caffe, concentrated.
 *
 * @example
 * import { Net } from 'ristretto'
 *
 * const net = await Net.create('deploy.prototxt', { phase: 'TEST', weights: 'net.caffemodel' })
 * const { prob } = await net.forward({ data: pixels })
 *
 * @module
 */
export { Blob, type Shape } from './blob.js'
export type { Engine, Kernels } from './engine.js'
export type { EngineName } from './engines/index.js'
export { EngineError, FormatError, NetError, RistrettoError } from './errors.js'
export type { FeedSource } from './feed.js'
export type { FileReader, FileSource } from './files.js'
export type * from './generated/caffe.js'
export { type Count, Layer, type LayerClass, type LayerContext } from './layer.js'
export type { Values } from './ndarrays.js'
export { type Arrays, type BackwardOptions, type ForwardOptions, Net, type NetOptions } from './net.js'
export type { NetDescription } from './net_description.js'
export type { CopyOptions, CopyReport } from './net_files.js'
export { NumericsError } from './numerics.js'
export { parseNet, parseSolver, printNet, printSolver } from './proto/text.js'
export { upgradeNet, upgradeSolver } from './proto/upgrade.js'
export { layerTypes, registerLayer, registerLayerModule } from './registry.js'
export { RandomStream } from './rng.js'
export type { Snapshot } from './snapshot.js'
export { type IterationEvent, Solver, type SolverOptions, type TestEvent, type TestResult, type Watch } from './solver.js'
export {
  AdaDeltaSolver,
  AdaGradSolver,
  AdamSolver,
  createSolver,
  NesterovSolver,
  RMSPropSolver,
  SGDSolver,
  solverTypes,
} from './solvers/index.js'
export type { Statistics } from './statistics.js'
