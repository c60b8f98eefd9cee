import { FormatError } from '../errors.js'
import type { LabelMap } from '../generated/caffe.js'

/** An object in a picture; a box of 0 … 1. */
export interface AnnotatedObject {
  readonly label: number
  readonly box: { readonly xmin: number; readonly ymin: number; readonly xmax: number; readonly ymax: number }
  readonly difficult: boolean
}

/**
 * Labels by the names of a label map: `name`, and `display_name` where it is no other's name.
 * @param strict a name that stands twice is a FormatError
 */
export function labelsOf({ item = [] }: LabelMap, strict = false): Map<string, number> {
  const names = item.map(({ name = '' }) => name)
  const twice = strict ? names.find((name, i) => names.indexOf(name) !== i) : undefined
  if (twice !== undefined) throw new FormatError(`the label map has the name '${twice}' more than once`)
  const labels = new Map<string, number>()
  for (const { display_name, label = 0 } of item) if (display_name) labels.set(display_name, label)
  for (const { name, label = 0 } of item) if (name) labels.set(name, label)
  return labels
}

/** An element of an XML text, without its attributes. */
export interface XmlElement {
  readonly name: string
  readonly children: XmlElement[]
  text: string
}

/**
 * Elements and text of an XML file, as annotations are: attributes, comments and declarations are passed over, entities
 * but the five of XML stay as they stand, and nothing outside the text is read.
 */
export function parseXml(text: string, file: string): XmlElement {
  const root: XmlElement = { name: '', children: [], text: '' }
  const open = [root]
  const piece =
    /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[([\s\S]*?)\]\]>|<!(?!--|\[CDATA\[)[^>]*>|<\/([^\s>]+)\s*>|<([^\s/>!?]+)(?:[^>"']|"[^"]*"|'[^']*')*?(\/?)>|([^<]+)/gy
  // what is begun and never ends matches nothing else, or each would look through all that follows
  const lineAt = (at: number) => text.slice(0, at).split('\n').length
  for (let at = 0; at < text.length; at = piece.lastIndex) {
    piece.lastIndex = at
    const found = piece.exec(text)
    if (!found) throw new FormatError(`${file}:${lineAt(at)}: this is no XML`)
    const [, data, closed, opened, empty, words] = found
    const top = open[open.length - 1]
    if (data !== undefined) top.text += data
    else if (words !== undefined) top.text += decoded(words)
    else if (opened !== undefined) {
      const element: XmlElement = { name: opened, children: [], text: '' }
      top.children.push(element)
      if (!empty) open.push(element)
      if (open.length > MAX_DEPTH)
        throw new FormatError(`${file}:${lineAt(at)}: more than ${MAX_DEPTH} elements in one another`)
    } else if (closed !== undefined) {
      if (open.length < 2 || closed !== top.name)
        throw new FormatError(`${file}:${lineAt(at)}: an element ends that is not open`)
      open.pop()
    }
  }
  if (open.length > 1) throw new FormatError(`${file}: an element is not closed`)
  if (root.children.length !== 1)
    throw new FormatError(`${file}: an XML file has one outermost element, this has ${root.children.length}`)
  return root.children[0]
}

const MAX_DEPTH = 64
const entities: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }
const decoded = (text: string): string => text.replace(/&(lt|gt|amp|quot|apos);/g, (_, name: string) => entities[name])

const childrenOf = (element: XmlElement, name: string): XmlElement[] =>
  element.children.filter(child => child.name === name)

/** Rows and columns of a picture, where an annotation does not say. */
export interface PictureSize {
  readonly height: number
  readonly width: number
}

/** Objects of a VOC annotation: boxes in pixels over the size that the file gives, or that of the picture. */
export function vocObjects(
  text: string,
  file: string,
  labels: ReadonlyMap<string, number>,
  picture?: PictureSize,
): AnnotatedObject[] {
  const root = parseXml(text, file)
  const number = (parent: XmlElement | undefined, name: string, where: string): number => {
    const words = parent && childrenOf(parent, name)[0]?.text.trim()
    const value = words ? Number(words) : Number.NaN
    if (!Number.isFinite(value)) throw new FormatError(`${file}: ${where} has no number as its ${name}`)
    return value
  }
  const [size] = childrenOf(root, 'size')
  const { height, width } =
    size || !picture
      ? { width: number(size, 'width', 'its size'), height: number(size, 'height', 'its size') }
      : picture
  return childrenOf(root, 'object').map((object, i) => {
    const where = `object ${i + 1}`
    const [bounds] = childrenOf(object, 'bndbox')
    const of = (name: string) => number(bounds, name, `the bndbox of ${where}`)
    return {
      label: labelOf(childrenOf(object, 'name')[0]?.text.trim() ?? '', labels, `${file}: ${where}`),
      box: boxOf(of('xmin'), of('ymin'), of('xmax'), of('ymax'), width, height, `${file}: ${where}`),
      difficult: childrenOf(object, 'difficult')[0]?.text.trim() === '1',
    }
  })
}

function labelOf(name: string, labels: ReadonlyMap<string, number>, where: string): number {
  const label = labels.get(name)
  if (label === undefined) throw new FormatError(`${where} is of a class that the label map does not have`)
  return label
}

function boxOf(xmin: number, ymin: number, xmax: number, ymax: number, width: number, height: number, where: string) {
  if (!(width > 0 && height > 0)) throw new FormatError(`${where}: the picture is ${width}×${height}`)
  if (![xmin, ymin, xmax, ymax].every(side => Math.abs(side) < FARTHEST))
    throw new FormatError(`${where}: its box lies farther out than ${FARTHEST} pixels`)
  if (!(xmax >= xmin && ymax >= ymin)) throw new FormatError(`${where}: its box ends before it begins`)
  return { xmin: xmin / width, ymin: ymin / height, xmax: xmax / width, ymax: ymax / height }
}

/** Objects of a text file: a line "label xmin ymin xmax ymax" each, in pixels of the picture. */
export function textObjects(text: string, file: string, { height, width }: PictureSize): AnnotatedObject[] {
  return text.split('\n').flatMap((raw, i) => {
    const words = raw.trim().split(/\s+/)
    if (words[0] === '') return []
    const numbers = words.map(Number)
    const [label, xmin, ymin, xmax, ymax] = numbers
    if (numbers.length !== 5 || !numbers.every(Number.isFinite) || !Number.isInteger(label))
      throw new FormatError(`${file}:${i + 1}: the line is not a label, xmin, ymin, xmax and ymax`)
    return [{ label, box: boxOf(xmin, ymin, xmax, ymax, width, height, `${file}:${i + 1}`), difficult: false }]
  })
}

/**
 * Objects of a JSON file of one picture, as SSD's scripts make them of COCO's: `image` with its height and width, and
 * `annotation`, a list with category_id, bbox (x, y, width, height in pixels) and iscrowd.
 */
export function jsonObjects(
  text: string,
  file: string,
  labels: ReadonlyMap<string, number>,
  picture: PictureSize,
): AnnotatedObject[] {
  const { image, annotation } = jsonOf(text, file) as {
    image?: Partial<PictureSize> | null
    annotation?: { category_id?: unknown; bbox?: unknown; iscrowd?: unknown }[]
  }
  if (!Array.isArray(annotation) || annotation.some(item => typeof item !== 'object' || item === null))
    throw new FormatError(`${file}: it has no list of annotation`)
  const { height = picture.height, width = picture.width } = image ?? {}
  if (!Number.isFinite(height) || !Number.isFinite(width))
    throw new FormatError(`${file}: its image has no height and width that are numbers`)
  return annotation.map(({ category_id, bbox, iscrowd }, i) => {
    const where = `${file}: annotation ${i}`
    return {
      label: labelOf(isName(category_id) ? String(category_id) : '', labels, where),
      box: cornersOf(bbox, height, width, where),
      difficult: iscrowd === 1 || iscrowd === true,
    }
  })
}

/** What may stand for a category; a list in a list in a list cannot be made a text. */
const isName = (value: unknown): boolean => typeof value === 'string' || typeof value === 'number'

function jsonOf(text: string, file: string): unknown {
  try {
    return JSON.parse(text) ?? {}
  } catch {
    throw new FormatError(`${file}: this is no JSON`)
  }
}

/** COCO's x, y, width and height. */
function cornersOf(bbox: unknown, height: number, width: number, where: string): AnnotatedObject['box'] {
  if (!Array.isArray(bbox) || bbox.length !== 4 || !bbox.every(value => Number.isFinite(value)))
    throw new FormatError(`${where} has no bbox of four numbers`)
  const [x, y, w, h] = bbox as number[]
  return boxOf(x, y, x + w, y + h, width, height, where)
}

/** No picture is so large; float32 still tells its pixels apart. */
const FARTHEST = 2 ** 24

/** A picture of a COCO file and the objects in it. */
export interface CocoPicture {
  readonly path: string
  readonly objects: readonly AnnotatedObject[]
}

interface CocoFile {
  images?: { id?: unknown; file_name?: unknown; width?: unknown; height?: unknown }[]
  annotations?: { image_id?: unknown; category_id?: unknown; bbox?: unknown; iscrowd?: unknown }[]
  categories?: { id?: unknown; name?: unknown }[]
}

/**
 * Pictures of COCO's instances_*.json in the order of the file. Categories are labels by a label map (of their names or
 * their numbers); without one, 1, 2, … in the order of their numbers. Crowds count as difficult.
 */
export function cocoPictures(text: string, file: string, given?: ReadonlyMap<string, number>): CocoPicture[] {
  const coco = jsonOf(text, file) as CocoFile
  const list = <K extends keyof CocoFile>(name: K): NonNullable<CocoFile[K]> => {
    const value = coco?.[name]
    if (!Array.isArray(value) || value.some(item => typeof item !== 'object' || item === null))
      throw new FormatError(`${file}: it has no list of ${name}, which COCO's instances have`)
    return value as NonNullable<CocoFile[K]>
  }
  const categories = list('categories')
  categories.forEach(({ id }, i) => {
    if (!isName(id)) throw new FormatError(`${file}: category ${i} has no id`)
  })
  const byName = (name: unknown) => (typeof name === 'string' ? given?.get(name) : undefined)
  const labels = new Map<unknown, number | undefined>(
    categories
      .sort((a, b) => Number(a.id) - Number(b.id))
      .map(({ id, name }, i) => [id, given ? (byName(name) ?? byName(String(id))) : i + 1]),
  )
  const pictures = new Map(
    list('images').map((image, i) => {
      const { id, file_name, width, height } = image
      if (typeof file_name !== 'string' || typeof width !== 'number' || typeof height !== 'number')
        throw new FormatError(`${file}: image ${i} has no file_name, width and height`)
      return [id, { path: file_name, width, height, objects: [] as AnnotatedObject[] }]
    }),
  )
  list('annotations').forEach(({ image_id, category_id, bbox, iscrowd }, i) => {
    const where = `${file}: annotation ${i}`
    const picture = pictures.get(image_id)
    if (!picture) throw new FormatError(`${where} is of an image that the file does not have`)
    const label = labels.get(category_id)
    if (label === undefined) throw new FormatError(`${where} is of a category without a label`)
    const box = cornersOf(bbox, picture.height, picture.width, where)
    picture.objects.push({ label, box, difficult: iscrowd === 1 || iscrowd === true })
  })
  return [...pictures.values()]
}
