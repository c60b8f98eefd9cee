/**
 * Datasets of pictures, Caffe's tools as functions, and the databases that they read and write; what looks into descriptions of nets
 * and changes them: `checkNet`, `summarize`, `deployNet`, `upgradeNet`.
 *
 * @example
 * import { convertImageset, makeDataset, writeImageMean } from 'ristretto/tools'
 *
 * await makeDataset('photos', { output: 'data', size: 64 })
 * await convertImageset({ root: 'images/', list: 'train.txt', output: 'train_lmdb', shuffle: true })
 * await writeImageMean('train_lmdb', 'mean.binaryproto')
 *
 * @module
 */
export type { ByteSource } from '../data/byte_source.js'
export { blobSource } from '../data/byte_source.js'
export type { ImageFormat } from '../data/encode_image.js'
export { type LmdbCursor, LmdbReader } from '../data/lmdb.js'
export { LmdbWriter, type LmdbWriterOptions } from '../data/lmdb_writer.js'
export type { ResizeMode } from '../data/picture_fit.js'
export type { Sink } from '../data/sink.js'
export type { ApVersion } from '../generated/caffe.js'
export { type ClassScores, Confusion } from '../layers/parts/confusion.js'
export { deployNet } from '../net/deploy.js'
export type { DeployOptions } from '../net/deploy_options.js'
export type { Finding } from '../net/findings.js'
export { statisticsOf } from '../net/statistics.js'
export { unknownFieldsOf } from '../proto/kept.js'
export { upgradeNet } from '../proto/upgrade.js'
export { upgradeSolver } from '../proto/upgrade_solver.js'
export {
  averagePrecision,
  type ClassPrecision,
  type DetectionScores,
  DetectionTally,
  type RankedDetection,
} from '../solver/average_precision.js'
export { solverTypes } from '../solver/rules/index.js'
export {
  type CheckOptions,
  checkNet,
  type DescriptionKind,
  type NetCheck,
  type PhaseCheck,
} from './check_net.js'
export {
  type AnnosetReport,
  type AnnotationFile,
  type ConvertAnnosetOptions,
  convertAnnoset,
} from './convert_annoset.js'
export {
  type ConvertImagesetOptions,
  convertImageset,
  type ImageSize,
  type ImagesetReport,
} from './convert_imageset.js'
export { type ConvertMnistOptions, convertMnist } from './convert_mnist.js'
export type { ArraysSource, IdxSource } from './dataset/arrays.js'
export type { SetName } from './dataset/candidates.js'
export type { FolderSource } from './dataset/folder.js'
export type { DatasetItem } from './dataset/items.js'
export type { ListEntry, ListSource } from './dataset/lists.js'
export type { MakeDatasetOptions } from './dataset/options.js'
export type { DatasetSource } from './dataset/sources.js'
export type { DatasetReport, DatasetSetSummary, DatasetSummary, LeftOut } from './dataset/summary.js'
export type { DatasetTarget } from './dataset/target.js'
export type { ZipSource } from './dataset/zip_pictures.js'
export { type EvaluateOptions, evaluate, type InputBatches } from './evaluate.js'
export {
  type EvaluatedItem,
  type Evaluation,
  EvaluationTally,
  type ScoredBatch,
  type TallyOptions,
} from './evaluation_tally.js'
export { extractFeatures } from './extract_features.js'
export { type FindRateOptions, findRate, type RatePoint, type RateSearch } from './find_rate.js'
export { computeImageMean, type ImageMean, writeImageMean } from './image_mean.js'
export { encodeLayerPicture, type LayerPicture, type LayerPictureOptions, layerPicture } from './layer_picture.js'
export { makeDataset } from './make_dataset.js'
export { type LogRow, type LogTables, parseLog } from './parse_log.js'
export {
  type ClassOverlap,
  type ScoredValues,
  type SegmentationScores,
  SegmentationTally,
} from './segmentation_scores.js'
export type { StandIn } from './stand_in.js'
export { type NewProject, type NewProjectOptions, newProject, planProject } from './standard/project.js'
export {
  type StandardData,
  type StandardNetName,
  type StandardNetOptions,
  type StandardSolverOptions,
  standardNet,
  standardNetNames,
  standardSolver,
} from './standard/standard_net.js'
export { type LayerSummary, type NetSummary, summarize } from './summarize.js'
