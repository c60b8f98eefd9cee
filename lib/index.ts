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
export { Classifier, type ClassifierOptions, type PreprocessOptions } from './classifier.js'
export { type CoordMap, coordMap, coordMapFromTo, crop } from './coord_map.js'
export type { ByteSource } from './data/byte_source.js'
export { type ConvertImagesetOptions, convertImageset, type ImageSize, type ImagesetReport } from './data/convert_imageset.js'
export { type ConvertMnistOptions, convertMnist } from './data/convert_mnist.js'
export type { ImageFormat } from './data/encode_image.js'
export { type LmdbCursor, LmdbReader } from './data/lmdb.js'
export { LmdbWriter, type LmdbWriterOptions } from './data/lmdb_writer.js'
export { computeImageMean, type ImageMean, writeImageMean } from './data/mean.js'
export { type Detection, type DetectionWindow, Detector, type DetectorOptions } from './detector.js'
export type { GraphOptions, Rankdir } from './draw/graph.js'
export { type DrawFormat, type DrawOptions, drawNet, drawNetToFile } from './draw.js'
export type {
  AccuracyShape,
  ArgMaxShape,
  ClassLossShape,
  ContrastiveShape,
  ConvolutionPass,
  ConvolutionShape,
  CropShape,
  Engine,
  Kernels,
  LRNShape,
  Normalization,
  PoolingShape,
  PreparedConvolutions,
  Reduction,
  UpdateRule,
  Workspace,
} from './engine.js'
export type { GpuMode } from './engines/gpu.js'
export type { EngineName } from './engines/index.js'
export { EngineError, FormatError, NetError, RistrettoError } from './errors.js'
export { extractFeatures } from './extract_features.js'
export type { FeedItem, FeedSource, FeedValues, JointFeedSource } from './feed.js'
export type { FileReader, FileSource, Files } from './files.js'
export type * from './generated/caffe.js'
export {
  type Constants,
  type Dims,
  type GpuKernel,
  gpuKernel,
  type KernelFunction,
  type KernelThis,
  type Tensor,
  type View,
  view,
} from './gpu_kernel.js'
export * from './io/index.js'
export * as io from './io/index.js'
export { type ChannelAffine, type Count, Layer, type LayerClass, type LayerContext } from './layer.js'
export { MemoryDataLayer } from './layers/memory_data.js'
export type { LearningRate } from './learning_rate.js'
export { type Block, type DeviceQueue, type Heap, Memory } from './memory.js'
export type { MemoryPlan } from './memory_plan.js'
export type { NestedValues, Values } from './ndarrays.js'
export { type BackwardOptions, type ForwardOptions, type LayerHook, Net, type NetOptions } from './net.js'
export type { LearnableParam, NetNode, NetParam, NetParts } from './net_builder.js'
export type { LayerDescription, NetDescription, ParamDescription } from './net_description.js'
export type { CopyOptions, CopyReport, NetFormat } from './net_files.js'
export {
  type CommonParams,
  customLayer,
  type KnownLayerType,
  L,
  type LayerFunction,
  type LayerParams,
  type LayerSpec,
  NetSpec,
  type NetSpecMethods,
  P,
  type ParameterConstants,
  type Top,
  toProto,
  type Wiring,
} from './net_spec.js'
export type { Arrays } from './net_values.js'
export { NumericsError } from './numerics.js'
export { parseParamStr } from './param_str.js'
export { type LogRow, type LogTables, parseLog } from './parse_log.js'
export { parseNet, parseSolver, printNet, printSolver, type TextOptions } from './proto/text.js'
export { upgradeNet, upgradeSolver } from './proto/upgrade.js'
export { layerTypes, registerLayer, registerLayerModule } from './registry.js'
export { RandomStream } from './rng.js'
export type { Snapshot } from './snapshot.js'
export { type IterationEvent, Solver, type SolverHook, type SolverOptions, type TestEvent, type TestResult, type Watch } from './solver.js'
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
export { type LayerSummary, type NetSummary, summarize } from './summarize.js'
export { type CastOptions, castToConvolution } from './surgery.js'
