import { RistrettoError } from '../../errors.js'
import {
  aFile,
  aFlag,
  anArray,
  anObject,
  anything,
  aPath,
  aText,
  checkNeeded,
  type OptionRule,
  type OptionRules,
} from '../../system/check_options.js'
import { isNode } from '../../system/nodejs.js'
import { type ArraysSource, arrayPictures, type IdxSource, idxPictures } from './arrays.js'
import type { FindOptions, Found } from './candidates.js'
import { type FolderSource, folderPictures } from './folder.js'
import { type DatasetItem, itemPictures } from './items.js'
import { type ListSource, listPictures } from './lists.js'
import { sourceAt } from './source_at.js'
import { type ZipSource, zipPictures } from './zip_pictures.js'

/**
 * What a dataset is made of. A path is a folder of class folders, a zip of such, a list (.txt, .csv), or a folder with
 * MNIST's four idx files; the other forms say so themselves and, paths left aside, need no file system.
 */
export type DatasetSource =
  | string
  | FolderSource
  | ZipSource
  | ListSource
  | IdxSource
  | ArraysSource
  | Iterable<DatasetItem>
  | AsyncIterable<DatasetItem>

/** The pictures of a source, their classes, and what is no picture. */
export async function findPictures(source: DatasetSource, options: FindOptions): Promise<Found> {
  if (typeof source === 'string') {
    if (!isNode)
      throw new RistrettoError(
        `makeDataset: '${source}' is a path, and there is no file system here: give { zip: bytes }, idx bytes, arrays or items`,
      )
    return findPictures(await sourceAt(source), options)
  }
  if (typeof source !== 'object' || source === null) throw noSource()
  if ('folder' in source) return folderPictures(known(source, FOLDER), options)
  if ('zip' in source) return zipPictures(known(source, ZIP), options)
  if ('list' in source) return listPictures(known(source, LIST), options)
  if ('images' in source) return idxPictures(known(source, IDX, ['labels']), options)
  if ('data' in source) return arrayPictures(known(source, ARRAYS, ['shape', 'labels']), options)
  if (Symbol.iterator in source || Symbol.asyncIterator in source) return itemPictures(source, options)
  throw noSource()
}

const FOLDER: OptionRules<FolderSource> = { folder: aPath, followLinks: aFlag }
const ZIP: OptionRules<ZipSource> = { zip: [v => aFile[0](v) || anObject[0](v), 'a path, bytes or a ByteSource'] }
const aListing: OptionRule = [v => aPath[0](v) || Array.isArray(v), 'a path, or an array of { path, label }']
const LIST: OptionRules<ListSource> = { list: aListing, valList: aListing, testList: aListing, root: aText }
const IDX: OptionRules<IdxSource> = {
  images: anything,
  labels: anything,
  testImages: anything,
  testLabels: anything,
}
const ARRAYS: OptionRules<ArraysSource> = { data: anArray, shape: anArray, labels: anArray }

function known<S extends object>(source: S, rules: OptionRules<S>, needed: readonly (keyof S & string)[] = []): S {
  checkNeeded('makeDataset: its source', source, rules, needed)
  return source
}

const noSource = () =>
  new RistrettoError(
    'makeDataset: the source is a path, { folder }, { zip }, { list }, { images, labels }, { data, shape, labels } or items',
  )
