import { FormatError } from '../errors.js'
import type { ByteSource } from '../system/byte_source.js'
import { type AnnotatedDescription, AnnotatedSource } from './annotated_source.js'
import { type DatumDescription, DatumSource } from './datum_source.js'
import type { PixelsModule } from './image.js'
import { ImageSource, type ImagesDescription } from './image_source.js'
import { openLevelRecords } from './leveldb.js'
import { openLmdbRecords } from './records.js'
import { SegmentationSource, type SegmentationsDescription } from './segmentation_source.js'
import { type BatchSource, type Position, withPrefix } from './source.js'
import { WindowSource, type WindowsDescription } from './window_source.js'

export type AnyDescription =
  | DatumDescription
  | AnnotatedDescription
  | ImagesDescription
  | SegmentationsDescription
  | WindowsDescription

/** What a source needs from where it runs. */
export interface Surroundings {
  /** The image decoder. */
  readonly pixels: () => Promise<PixelsModule>
  /** A file by the name that the layer resolved. */
  readonly readFile: (path: string) => Promise<Uint8Array>
  /** The same, piece by piece; undefined where it cannot be read so. */
  readonly openFile?: (path: string) => Promise<ByteSource | undefined>
}

/** The source of a description, standing at a position: all of its batches, or those that are this worker's. */
export async function openSource(
  description: AnyDescription,
  surroundings: Surroundings,
  start: Position,
): Promise<BatchSource> {
  const source = await openWhole(description, surroundings, start)
  if (!description.share) return source
  const { SharedSource } = await import('./shared_source.js')
  return new SharedSource(source, description.share)
}

async function openWhole(
  description: AnyDescription,
  surroundings: Surroundings,
  start: Position,
): Promise<BatchSource> {
  switch (description.kind) {
    case 'datum':
    case 'annotated': {
      try {
        return await openDatums(description, surroundings, start)
      } catch (error) {
        throw withPrefix(description.layer, error)
      }
    }
    case 'images':
      return new ImageSource(description, surroundings.pixels, surroundings.readFile, start)
    case 'segmentations':
      return new SegmentationSource(description, surroundings.pixels, surroundings.readFile, start)
    case 'windows':
      return new WindowSource(description, surroundings.pixels, surroundings.readFile, start)
  }
}

async function openDatums(
  description: DatumDescription | AnnotatedDescription,
  surroundings: Surroundings,
  start: Position,
): Promise<BatchSource> {
  const { name, path, backend } = description
  const records =
    backend === 'LEVELDB'
      ? await openLevelRecords(path ?? name)
      : await openLmdbRecords(path ?? (await databaseFile(name, surroundings)), name)
  try {
    if (!records.first()) throw new FormatError(`${name} holds no records`)
    // a rand_skip may lead past the end, and a database may have become shorter since a snapshot
    const record = records.count === undefined ? start.record : start.record % records.count
    records.skip(record)
    await records.wait?.()
    const from = { ...start, record }
    return description.kind === 'datum'
      ? new DatumSource(description, records, surroundings.pixels, from)
      : new AnnotatedSource(description, records, surroundings.pixels, from)
  } catch (error) {
    records.close()
    throw error
  }
}

/** Where there is no file system a database is named by its directory, as in Caffe, or its one file by itself. */
export async function databaseFile(
  name: string,
  { readFile, openFile }: Pick<Surroundings, 'readFile' | 'openFile'>,
): Promise<ByteSource | Uint8Array> {
  const inFolder = `${name}/data.mdb`
  const opened = (await openFile?.(inFolder)) ?? (await openFile?.(name))
  return opened ?? readFile(inFolder).catch(error => readFile(name).catch(() => Promise.reject(error)))
}
