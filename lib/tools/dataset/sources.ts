import { RistrettoError } from '../../errors.js'
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
  if ('folder' in source) return folderPictures(source, options)
  if ('zip' in source) return zipPictures(source, options)
  if ('list' in source) return listPictures(source, options)
  if ('images' in source) return idxPictures(source, options)
  if ('data' in source) return arrayPictures(source, options)
  if (Symbol.iterator in source || Symbol.asyncIterator in source) return itemPictures(source, options)
  throw noSource()
}

const noSource = () =>
  new RistrettoError(
    'makeDataset: the source is a path, { folder }, { zip }, { list }, { images, labels }, { data, shape, labels } or items',
  )
