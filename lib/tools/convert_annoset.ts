import { imageSize, importPixels } from '../data/image.js'
import { parseImageList } from '../data/image_list.js'
import { LmdbWriter } from '../data/lmdb_writer.js'
import { inOrder, withoutPath, withPrefix } from '../data/source.js'
import { EngineError, FormatError, RistrettoError } from '../errors.js'
import type { AnnotatedDatum } from '../generated/caffe.js'
import { drawSeed } from '../net/source.js'
import { parseText } from '../proto/text.js'
import { writeMessage } from '../proto/wire.js'
import { RandomStream } from '../rng.js'
import { aFlag, aLimit, aPath, checkNeeded, type OptionRules, oneOf } from '../system/check_options.js'
import { createFiles } from '../system/files.js'
import { readFile, textFrom } from '../system/read_file.js'
import {
  type AnnotatedObject,
  cocoPictures,
  jsonObjects,
  labelsOf,
  type PictureSize,
  textObjects,
  vocObjects,
} from './annotations.js'
import { type ConvertImagesetOptions, folderPrefix, IMAGESET_RULES, toItem } from './convert_imageset.js'

/** What `convertAnnoset` reads and writes; pictures as in `convertImageset`. */
export interface ConvertAnnosetOptions extends Omit<ConvertImagesetOptions, 'list' | 'classes'> {
  /**
   * A text file with a picture, a space and its annotation in each line, both below `root`; or COCO's instances_*.json,
   * whose pictures lie below `root`.
   */
  list: string
  /** What the files of annotations are; default: xml. txt names no classes and needs no label map. */
  labelType?: AnnotationFile
  /** classification: the list has a picture, a space and a label in each line, and records have no boxes. */
  annoType?: 'detection' | 'classification'
  /** Throw where the label map has a name twice. */
  checkLabel?: boolean
  /** Pictures whose shorter side has fewer pixels are enlarged, and those whose longer side has more made smaller. */
  minDim?: number
  maxDim?: number
  /** labelmap.prototxt: labels by name. COCO needs none: categories are then 1, 2, … in the order of their numbers. */
  labelMap?: string
}

const { list, classes, ...common } = IMAGESET_RULES
const RULES: OptionRules<ConvertAnnosetOptions> = {
  ...common,
  list: aPath,
  labelType: oneOf('xml', 'json', 'txt'),
  annoType: oneOf('detection', 'classification'),
  checkLabel: aFlag,
  minDim: aLimit,
  maxDim: aLimit,
  labelMap: aPath,
}

/** xml: VOC's. json: one file a picture, as SSD's scripts make them. txt: lines "label xmin ymin xmax ymax". */
export type AnnotationFile = 'xml' | 'json' | 'txt'

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
  checkNeeded('convertAnnoset', options, RULES, ['list', 'output'])
  const { root = '', output, shuffle, overwrite, onProgress, onSkip, log = () => {} } = options
  if (!options.resizeWidth !== !options.resizeHeight)
    throw new RistrettoError('convertAnnoset: resizeWidth and resizeHeight go together: give both or none')
  const { minDim = 0, maxDim = 0, checkSize, annoType = 'detection' } = options
  if (options.resizeWidth && (minDim || maxDim))
    throw new RistrettoError('convertAnnoset: a size, or minDim and maxDim, which make one of each picture: give one')
  const sizes = minDim || maxDim ? { sizeOf: within(minDim, maxDim) } : {}
  const prefix = await folderPrefix(root)
  const pictures = await picturesOf(options, prefix)
  const order = Uint32Array.from(pictures.keys())
  if (shuffle) {
    const seed = options.seed ?? drawSeed()
    new RandomStream(seed, 'convert-imageset').shuffle(order)
    log(`Shuffling data (seed ${seed})`)
  }
  log(`A total of ${order.length} images.`)
  const pixels = () => importPixels()
  const writer = await LmdbWriter.create(output, { overwrite })
  const skipped: string[] = []
  let objects = 0
  try {
    const read = async (i: number) => {
      const { path, place, label = 0, objects } = pictures[order[i]]
      // paths of the list stand in no error
      const read = await readFile(prefix + path)
        .catch(error => Promise.reject(withoutPath(error)))
        .then(async bytes => ({
          ...(await toItem(bytes, path, label, pixels, { ...options, ...sizes })),
          picture: sizeIn(bytes),
        }))
        .catch((error: Error) => error)
      const found = await objects(read instanceof Error ? undefined : read.picture).catch(error =>
        Promise.reject(withPrefix(place, error)),
      )
      return read instanceof Error ? read : { ...read, found }
    }
    let first: string | undefined
    await inOrder(0, order.length, read, (i, item) => {
      const { path, place } = pictures[order[i]]
      // a package that is not installed is no fault of the file, and would be missing for all of them
      if (item instanceof EngineError) throw item
      if (item instanceof Error) {
        skipped.push(path)
        onSkip?.(prefix + path, withPrefix(place, item))
      } else {
        first ??= item.size
        if (checkSize && item.size !== first)
          throw new RistrettoError(`${place} is ${item.size}, the first picture ${first}: one size was asked for`)
        const boxes = { type: 'BBOX' as const, annotation_group: groupsOf(item.found) }
        const record: AnnotatedDatum = { datum: item.datum, ...(annoType === 'detection' && boxes) }
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
  /** Where there are no boxes. */
  readonly label?: number
  /** @param size of the picture as its file has it; undefined where it cannot be read */
  readonly objects: (size: PictureSize | undefined) => Promise<readonly AnnotatedObject[]>
}

function sizeIn(bytes: Uint8Array): PictureSize {
  const [width, height] = imageSize(bytes)
  return { height, width }
}

/** The shorter side at least `least` pixels, then the longer one at most `most`; 0 bounds nothing, [0, 0] is as it is. */
const within =
  (least: number, most: number) =>
  (height: number, width: number): readonly [height: number, width: number] => {
    let factor = 1
    const [short, long] = [Math.min(height, width), Math.max(height, width)]
    if (least > 0 && short < least) factor = Math.fround(least / short)
    if (most > 0 && Math.floor(Math.fround(factor * long)) > most) factor = Math.fround(most / long)
    if (factor === 1) return [0, 0]
    return [Math.max(1, Math.round(height * factor)), Math.max(1, Math.round(width * factor))]
  }

async function picturesOf(options: ConvertAnnosetOptions, prefix: string): Promise<Picture[]> {
  const { list, labelMap, labelType = 'xml', annoType, checkLabel } = options
  const files = createFiles()
  const text = await files.text(list)
  if (annoType === 'classification') {
    const { paths, labels, lines } = parseImageList(text, list)
    return paths.map((path, i) => ({
      path,
      place: `${list}:${lines[i]}`,
      label: labels[i],
      objects: async () => [],
    }))
  }
  const labels =
    labelMap === undefined
      ? undefined
      : labelsOf(parseText('LabelMap', await files.text(labelMap), { file: labelMap }), checkLabel)
  if (list.endsWith('.json'))
    return cocoPictures(text, list, labels).map(({ path, objects }, i) => ({
      path,
      place: `${list}: image ${i}`,
      objects: async () => objects,
    }))
  if (!labels && labelType !== 'txt')
    throw new RistrettoError('convertAnnoset: annotations name their classes: labelMap gives them labels')
  const lines = text.split('\n').map(line => line.trim())
  const pictures = lines.flatMap((line, i) => {
    if (!line) return []
    const [, path, annotation] = /^(.*\S)\s+(\S+\.\w+)$/.exec(line) ?? []
    if (!annotation?.toLowerCase().endsWith(`.${labelType}`))
      throw new FormatError(`${list}:${i + 1}: the line is not a picture, a space and its .${labelType}`)
    const name = 'its annotation'
    const objects = async (size?: PictureSize) => {
      if (!size) return []
      const bytes = await readFile(prefix + annotation).catch(error => Promise.reject(withoutPath(error, name)))
      const text = textFrom(bytes, name)
      if (labelType === 'txt') return textObjects(text, name, size)
      return (labelType === 'json' ? jsonObjects : vocObjects)(text, name, labels!, size)
    }
    return [{ path, place: `${list}:${i + 1}`, objects }]
  })
  if (!pictures.length) throw new FormatError(`${list}: it names no pictures`)
  return pictures
}

/** Objects of one label together, numbered among themselves. */
function groupsOf(objects: readonly AnnotatedObject[]): AnnotatedDatum['annotation_group'] {
  const groups = new Map<number, AnnotatedObject[]>()
  for (const object of objects) {
    const group = groups.get(object.label)
    if (group) group.push(object)
    else groups.set(object.label, [object])
  }
  return [...groups].map(([label, members]) => ({
    group_label: label,
    annotation: members.map(({ box, difficult }, i) => ({ instance_id: i, bbox: { ...box, difficult } })),
  }))
}
