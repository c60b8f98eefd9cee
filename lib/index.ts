/**
 * Ristretto: Caffe, concentrated.
 *
 * @example
 * import { Net } from 'ristretto'
 *
 * const net = await Net.create('deploy.prototxt', { phase: 'TEST', weights: 'net.caffemodel' })
 * const { prob } = await net.forward({ data: pixels })
 *
 * What a program needs every day is here. `ristretto/pycaffe` has pycaffe's helpers, `ristretto/tools` Caffe's tools,
 * `ristretto/schema` the types of every message of a prototxt, `ristretto/testing` checks for authors of layers.
 *
 * @module
 */
export { Blob, type Shape } from './blob.js'
export type { ResizeMode } from './data/picture_fit.js'
export type { Preparation } from './data/preparation.js'
export type { MeanImage } from './data/transformer.js'
export type {
  AccuracyShape,
  ActivationKernels,
  After,
  AfterKind,
  AnyEngine,
  ArgMaxShape,
  AxisKernels,
  AxisReduction,
  AxisReductionShape,
  BroadcastOperation,
  BroadcastShape,
  ChannelKernels,
  ClassLossShape,
  CommonKernels,
  ContrastiveShape,
  ConvolutionKernels,
  ConvolutionShape,
  CostVolumeShape,
  CropShape,
  DeviceCaller,
  DeviceEngine,
  DryRun,
  ElementwiseKernels,
  Engine,
  FlowKernels,
  FlowWarpShape,
  FusingKernel,
  Fusions,
  HostEngine,
  InterpShape,
  JoinedCalls,
  KernelCall,
  Kernels,
  LateKernels,
  LossKernels,
  LRNKernels,
  LRNShape,
  MatrixKernels,
  NamedKernels,
  NeuronKernels,
  Normalization,
  OtherLossKernels,
  PoolingKernels,
  PoolingShape,
  PreparedConvolutions,
  RecurrenceKernels,
  Reduction,
  RegionAlignShape,
  RegionKernels,
  RegionShape,
  ResizeKernels,
  TapsShape,
  UnaryOperation,
  UnpoolShape,
  UpdateKernels,
  UpdateRule,
  Workspace,
} from './engine.js'
export type { GpuMode } from './engines/gpu.js'
export {
  createEngine,
  type EngineFactory,
  type EngineName,
  type EngineOptions,
  type HostName,
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
export type { FillerParameter, LayerParameter, NetParameter, SolverParameter } from './generated/caffe.js'
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
export { joinGroup, startWorkers, trainWorkers } from './group/index.js'
export type { GroupOptions } from './group/patience.js'
export type { StartOptions, Workers } from './group/supervisor.js'
export type { TrainWorkersOptions } from './group/train_workers.js'
export type { Communicator, Share } from './group.js'
export {
  type AtDeploy,
  type ChannelAffine,
  type CoordMap,
  type Count,
  Layer,
  type LayerClass,
  type LayerContext,
  type Moving,
} from './layer.js'
export type { MemoryDataLayer } from './layers/memory_data.js'
export { type Block, type DeviceQueue, type Heap, Memory } from './memory.js'
export type { ArchiveExtras } from './net/archive.js'
export type { Runnable } from './net/batches.js'
export type { DeployNetOptions } from './net/deploy_net.js'
export type { DeployOptions } from './net/deploy_options.js'
export type { ArchiveOptions } from './net/deployed.js'
export type { LayerDescription, NetDescription, ParamDescription } from './net/description.js'
export type {
  Feed,
  FeedItem,
  FeedOptions,
  FeedPlace,
  FeedSource,
  FeedSurroundings,
  FeedValues,
  JointFeedSource,
} from './net/feed.js'
export type { CopyOptions, CopyReport, NetFormat, SaveOptions } from './net/files.js'
export type { Joined } from './net/joined.js'
export type { MemoryPlan } from './net/memory_plan.js'
export type { BuiltNet, LearnableParam, NetNode, NetParam, SelectedState } from './net/node.js'
export type { BackwardOptions, ForwardOptions, LayerHook, NetOptions, RunOptions, TaggedLog } from './net/options.js'
export type { Passes } from './net/passes.js'
export type { PictureInput } from './net/picture_input.js'
export type { Picture, PredictItem, PredictOptions, RgbaPicture } from './net/predict.js'
export type { Saving } from './net/save_options.js'
export type { Statistics } from './net/statistics.js'
export type { NetStructure } from './net/structure.js'
export type { PassLimits } from './net/time_limit.js'
export type { Arrays } from './net/values.js'
export type { WatchedNet } from './net/watched.js'
export { Net } from './net.js'
export type { AttributeValue, ExportOptions, OnnxGraph, ToOnnx } from './onnx/builder.js'
export type { ImportedNet, ImportReport } from './onnx/import.js'
export type { FreezeOptions, HeadOptions, ImportOptions, SizeOptions } from './onnx/import_options.js'
export { type ReadOnnxOptions, readOnnx } from './onnx/open.js'
export type { OnnxOptions } from './onnx/options.js'
export type { OnnxModel } from './onnx/read_net.js'
export type {
  DeclaredTypes,
  DeclaredValues,
  FieldDeclaration,
  MessageDeclaration,
  ParamDeclaration,
} from './proto/declared.js'
export { parseParamStr, printNet, printSolver } from './proto/public.js'
export { parseNet, parseSolver, type TextOptions } from './proto/text.js'
export { layerTypes, registerLayer, registerLayerModule } from './registry.js'
export { RandomStream } from './rng.js'
export type { EndReason, OutputValue, SnapshotFiles, SolverEvent, SolverListener } from './solver/events.js'
export type { LearningRate } from './solver/learning_rate.js'
export { type NumericsChecks, NumericsError } from './solver/numerics.js'
export type { Observed } from './solver/observed.js'
export type {
  IterationEvent,
  SolverHook,
  SolverOptions,
  TestEvent,
  TestResult,
  Watch,
} from './solver/options.js'
export {
  AdaDeltaSolver,
  AdaGradSolver,
  AdamSolver,
  createSolver,
  NesterovSolver,
  RMSPropSolver,
  SGDSolver,
} from './solver/rules/index.js'
export type { Saved } from './solver/saved.js'
export type { Snapshot } from './solver/snapshot.js'
export type { Tested } from './solver/tested.js'
export { Solver } from './solver.js'
export type { ByteSource } from './system/byte_source.js'
export type { FileOpener, FileOptions, FileReader, FileSource, Files, FileWriter } from './system/files.js'
export type { NestedValues, Values } from './system/ndarrays.js'
export type { FileContents } from './system/write_file.js'
