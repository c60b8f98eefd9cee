/**
 * Caffe's tools as functions, and the databases that they read and write.
 *
 * @example
 * import { convertImageset, writeImageMean } from 'ristretto/tools'
 *
 * await convertImageset({ root: 'images/', list: 'train.txt', output: 'train_lmdb', shuffle: true })
 * await writeImageMean('train_lmdb', 'mean.binaryproto')
 *
 * @module
 */
export type { ByteSource } from '../data/byte_source.js'
export type { ImageFormat } from '../data/encode_image.js'
export { type LmdbCursor, LmdbReader } from '../data/lmdb.js'
export { LmdbWriter, type LmdbWriterOptions } from '../data/lmdb_writer.js'
export type { Finding } from '../net/findings.js'
export {
  type ApVersion,
  averagePrecision,
  type ClassPrecision,
  type DetectionScores,
  DetectionTally,
  type RankedDetection,
} from '../solver/average_precision.js'
export {
  type CheckOptions,
  checkNet,
  type DescriptionKind,
  type NetCheck,
  type PhaseCheck,
} from './check_net.js'
export { type AnnosetReport, type ConvertAnnosetOptions, convertAnnoset } from './convert_annoset.js'
export {
  type ConvertImagesetOptions,
  convertImageset,
  type ImageSize,
  type ImagesetReport,
} from './convert_imageset.js'
export { type ConvertMnistOptions, convertMnist } from './convert_mnist.js'
export { extractFeatures } from './extract_features.js'
export { type FindRateOptions, findRate, type RatePoint, type RateSearch } from './find_rate.js'
export { computeImageMean, type ImageMean, writeImageMean } from './image_mean.js'
export { type LogRow, type LogTables, parseLog } from './parse_log.js'
export type { StandIn } from './stand_in.js'
export { type LayerSummary, type NetSummary, summarize } from './summarize.js'
