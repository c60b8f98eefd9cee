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
export type { ByteSource } from './data/byte_source.js'
export type { ImageFormat } from './data/encode_image.js'
export { type LmdbCursor, LmdbReader } from './data/lmdb.js'
export { LmdbWriter, type LmdbWriterOptions } from './data/lmdb_writer.js'
export type {
  AccuracyShape,
  After,
  ArgMaxShape,
  ClassLossShape,
  ContrastiveShape,
  ConvolutionShape,
  CropShape,
  DeviceEngine,
  DryRun,
  Engine,
  FusingKernel,
  Fusions,
  HostEngine,
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
export {
  createEngine,
  type EngineFactory,
  type EngineName,
  type EngineOptions,
  registerEngine,
} from './engines/index.js'
export {
  EngineError,
  type ErrorDetails,
  FormatError,
  NetError,
  type NetErrorDetails,
  type Place,
  RistrettoError,
} from './errors.js'
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
export { type ChannelAffine, type Count, Layer, type LayerClass, type LayerContext } from './layer.js'
export { MemoryDataLayer } from './layers/memory_data.js'
export { type Block, type DeviceQueue, type Heap, Memory } from './memory.js'
export type { LearnableParam, NetNode, NetParam, NetParts } from './net/build.js'
export type { LayerDescription, NetDescription, ParamDescription } from './net/description.js'
export type { FeedItem, FeedSource, FeedValues, JointFeedSource } from './net/feed.js'
export type { CopyOptions, CopyReport, NetFormat } from './net/files.js'
export type { MemoryPlan } from './net/memory_plan.js'
export type { Statistics } from './net/statistics.js'
export type { Arrays } from './net/values.js'
export { type BackwardOptions, type ForwardOptions, type LayerHook, Net, type NetOptions } from './net.js'
export { printNet, printSolver } from './proto/print.js'
export { parseNet, parseSolver, type TextOptions } from './proto/text.js'
export { upgradeNet, upgradeSolver } from './proto/upgrade.js'
export { Classifier, type ClassifierOptions, type PreprocessOptions } from './pycaffe/classifier.js'
export { type CoordMap, coordMap, coordMapFromTo, crop } from './pycaffe/coord_map.js'
export { type Detection, type DetectionWindow, Detector, type DetectorOptions } from './pycaffe/detector.js'
export type { GraphOptions, Rankdir } from './pycaffe/draw/drawing.js'
export { type DrawFormat, type DrawOptions, drawNet, drawNetToFile } from './pycaffe/draw.js'
export * from './pycaffe/io/index.js'
export * as io from './pycaffe/io/index.js'
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
} from './pycaffe/net_spec.js'
export { parseParamStr } from './pycaffe/param_str.js'
export { type CastOptions, castToConvolution } from './pycaffe/surgery.js'
export { layerTypes, registerLayer, registerLayerModule } from './registry.js'
export { RandomStream } from './rng.js'
export type { LearningRate } from './solver/learning_rate.js'
export { NumericsError } from './solver/numerics.js'
export {
  AdaDeltaSolver,
  AdaGradSolver,
  AdamSolver,
  createSolver,
  NesterovSolver,
  RMSPropSolver,
  SGDSolver,
  solverTypes,
} from './solver/rules/index.js'
export type { Snapshot } from './solver/snapshot.js'
export {
  type IterationEvent,
  Solver,
  type SolverHook,
  type SolverOptions,
  type TestEvent,
  type TestResult,
  type Watch,
} from './solver.js'
export type { FileReader, FileSource, Files } from './system/files.js'
export type { NestedValues, Values } from './system/ndarrays.js'
export {
  type ConvertImagesetOptions,
  convertImageset,
  type ImageSize,
  type ImagesetReport,
} from './tools/convert_imageset.js'
export { type ConvertMnistOptions, convertMnist } from './tools/convert_mnist.js'
export { extractFeatures } from './tools/extract_features.js'
export { computeImageMean, type ImageMean, writeImageMean } from './tools/image_mean.js'
export { type LogRow, type LogTables, parseLog } from './tools/parse_log.js'
export { type LayerSummary, type NetSummary, summarize } from './tools/summarize.js'
