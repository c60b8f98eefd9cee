import { importPixels } from '../data/image.js'
import { LmdbWriter } from '../data/lmdb_writer.js'
import { inOrder, withoutPath, withPrefix } from '../data/source.js'
import { EngineError, FormatError, RistrettoError } from '../errors.js'
import type { AnnotatedDatum } from '../generated/caffe.js'
import { drawSeed } from '../net/source.js'
import { parseText } from '../proto/text.js'
import { writeMessage } from '../proto/wire.js'
import { RandomStream } from '../rng.js'
import { createFiles } from '../system/files.js'
import { readFile, textFrom } from '../system/read_file.js'
import { type AnnotatedObject, cocoPictures, labelsOf, vocObjects } from './annotations.js'
import { type ConvertImagesetOptions, folderPrefix, toItem } from './convert_imageset.js'

/** What `convertAnnoset` reads and writes; pictures as in `convertImageset`. */
export interface ConvertAnnosetOptions extends Omit<ConvertImagesetOptions, 'list' | 'checkSize'> {
  /**
   * A text file with a picture, a space and its VOC annotation (.xml) in each line, both below `root`; or COCO's
   * instances_*.json, whose pictures lie below `root`.
   */
  list: string
  /** labelmap.prototxt: labels by name. COCO needs none: categories are then 1, 2, … in the order of their numbers. */
  labelMap?: string
}

/** What `convertAnnoset` did. */
export interface AnnosetReport {
  readonly records: number
  readonly objects: number
  /** Pictures that could not be read. */
  readonly skipped: string[]
}

/**
 * Pictures with boxes → an LMDB that AnnotatedData reads, as SSD's convert_annoset: keys '%08d_<path>', one AnnotatedDatum
 * a picture. Pictures that cannot be read are left out; an annotation that cannot is an error.
 */
export async function convertAnnoset(options: ConvertAnnosetOptions): Promise<AnnosetReport> {
  const { root = '', output, shuffle, overwrite, onProgress, onSkip, log = () => {} } = options
  if (!options.resizeWidth !== !options.resizeHeight)
    throw new RistrettoError('convertAnnoset: resizeWidth and resizeHeight go together: give both or none')
  const prefix = await folderPrefix(root)
  const pictures = await picturesOf(options, prefix)
  const order = Uint32Array.from(pictures.keys())
  if (shuffle) {
    const seed = options.seed ?? drawSeed()
    new RandomStream(seed, 'convert-imageset').shuffle(order)
    log(`Shuffling data (seed ${seed})`)
  }
  log(`A total of ${order.length} images.`)
  const pixels = await importPixels()
  const writer = await LmdbWriter.create(output, { overwrite })
  const skipped: string[] = []
  let objects = 0
  try {
    const read = async (i: number) => {
      const { path, place, objects } = pictures[order[i]]
      // paths of the list stand in no error
      const found = await objects().catch(error => Promise.reject(withPrefix(place, error)))
      return readFile(prefix + path)
        .catch(error => Promise.reject(withoutPath(error)))
        .then(bytes => toItem(bytes, path, 0, pixels, options))
        .then(
          ({ datum }) => ({ datum, found }),
          (error: Error) => error,
        )
    }
    await inOrder(0, order.length, read, (i, item) => {
      const { path, place } = pictures[order[i]]
      // a package that is not installed is no fault of the file, and would be missing for all of them
      if (item instanceof EngineError) throw item
      if (item instanceof Error) {
        skipped.push(path)
        onSkip?.(prefix + path, withPrefix(place, item))
      } else {
        const record: AnnotatedDatum = { datum: item.datum, type: 'BBOX', annotation_group: groupsOf(item.found) }
        writer.put(`${String(i).padStart(8, '0')}_${path}`, writeMessage('AnnotatedDatum', record))
        objects += item.found.length
      }
      onProgress?.(i + 1, order.length)
    })
    if (!writer.count) throw new RistrettoError(`none of the ${order.length} images can be read`)
    await writer.finish()
  } catch (error) {
    writer.abort()
    throw error
  }
  return { records: writer.count, objects, skipped }
}

interface Picture {
  readonly path: string
  /** Where it stands. */
  readonly place: string
  readonly objects: () => Promise<readonly AnnotatedObject[]>
}

async function picturesOf({ list, labelMap }: ConvertAnnosetOptions, prefix: string): Promise<Picture[]> {
  const files = createFiles()
  const labels =
    labelMap === undefined ? undefined : labelsOf(parseText('LabelMap', await files.text(labelMap), { file: labelMap }))
  const text = await files.text(list)
  if (list.endsWith('.json'))
    return cocoPictures(text, list, labels).map(({ path, objects }, i) => ({
      path,
      place: `${list}: image ${i}`,
      objects: async () => objects,
    }))
  if (!labels)
    throw new RistrettoError('convertAnnoset: VOC annotations name their classes: labelMap gives them labels')
  const lines = text.split('\n').map(line => line.trim())
  const pictures = lines.flatMap((line, i) => {
    if (!line) return []
    const [, path, annotation] = /^(.*\S)\s+(\S+\.xml)$/i.exec(line) ?? []
    if (path === undefined) throw new FormatError(`${list}:${i + 1}: the line is not a picture, a space and its .xml`)
    const name = 'its annotation'
    const objects = async () => {
      const bytes = await readFile(prefix + annotation).catch(error => Promise.reject(withoutPath(error, name)))
      return vocObjects(textFrom(bytes, name), name, labels)
    }
    return [{ path, place: `${list}:${i + 1}`, objects }]
  })
  if (!pictures.length) throw new FormatError(`${list}: it names no pictures`)
  return pictures
}

/** Objects of one label together, numbered among themselves. */
function groupsOf(objects: readonly AnnotatedObject[]): AnnotatedDatum['annotation_group'] {
  const groups = new Map<number, AnnotatedObject[]>()
  for (const object of objects) groups.set(object.label, [...(groups.get(object.label) ?? []), object])
  return [...groups].map(([label, members]) => ({
    group_label: label,
    annotation: members.map(({ box, difficult }, i) => ({ instance_id: i, bbox: { ...box, difficult } })),
  }))
}
