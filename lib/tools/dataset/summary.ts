import type { ImageFormat } from '../../data/encode_image.js'
import type { ResizeMode } from '../../data/picture_fit.js'
import type { LeftOut, SetName } from './candidates.js'

export type { LeftOut }

/** What a dataset consists of: summary.json. */
export interface DatasetSummary {
  /** Of this file's form: 1. */
  readonly version: 1
  /** Names of the classes; a label is an index of them. */
  readonly classes: readonly string[]
  /** 1: grey, 3: planes B, G, R. */
  readonly channels: 1 | 3
  readonly height: number
  readonly width: number
  /** How pictures got that size; null: they had it. */
  readonly resize: ResizeMode | null
  /** Type of the stored files; null: planes are stored. */
  readonly encode: ImageFormat | null
  readonly seed: number
  /** Of each database that was written: pictures, and how many of each class. */
  readonly sets: Readonly<Partial<Record<SetName, DatasetSetSummary>>>
  /** Mean of each channel of the pictures to train on: what `mean_value` takes. */
  readonly mean: readonly number[]
  /** Files that are not in it, and why. */
  readonly leftOut: readonly LeftOut[]
  /** What somebody may want to know. */
  readonly notes: readonly string[]
}

/** One database of a dataset. */
export interface DatasetSetSummary {
  readonly records: number
  /** Pictures of each class. */
  readonly histogram: readonly number[]
}

/** What `makeDataset` made. */
export interface DatasetReport extends DatasetSummary {
  /** The files by their paths, such as 'train_db/data.mdb'; only where no output was given. */
  readonly files?: Readonly<Record<string, Uint8Array>>
}
