import { type IdxArray, readIdx } from '../../data/idx.js'
import { FormatError, RistrettoError } from '../../errors.js'
import type { Candidate, FindOptions, Found, SetName } from './candidates.js'
import { labelNumbers } from './classes.js'

/** Pictures as one array. */
export interface ArraysSource {
  /** Whole numbers from 0 to 255, one picture after the other. */
  readonly data: ArrayLike<number>
  /** [N, H, W] of grey pictures, or [N, C, H, W] of 1 plane or of 3, B, G, R. */
  readonly shape: readonly number[]
  /** N classes: names, or whole numbers from 0 on. */
  readonly labels: ArrayLike<number | string>
}

/** Pictures as MNIST comes: idx files (paths or bytes; gzipped ones too), and others of them for test_db. */
export interface IdxSource {
  readonly images: string | Uint8Array
  readonly labels: string | Uint8Array
  readonly testImages?: string | Uint8Array
  readonly testLabels?: string | Uint8Array
}

export async function arrayPictures({ data, shape, labels }: ArraysSource, { classes }: FindOptions): Promise<Found> {
  const { count, channels, height, width } = sizesOf(shape, 'makeDataset: shape')
  if (data.length !== count * channels * height * width)
    throw new RistrettoError(`makeDataset: data has ${data.length} values, its shape ${shape.join('×')} another number`)
  if (labels.length !== count) throw new RistrettoError(`makeDataset: ${labels.length} labels for ${count} pictures`)
  const written = Array.from(labels, (text, i) => ({ text, place: `label ${i}` }))
  const found = labelNumbers(written, 'the labels', classes)
  return {
    classes: found.classes,
    candidates: pictures(bytesOf(data), { count, channels, height, width }, found.numbers, ''),
    leftOut: [],
    channels,
  }
}

export async function idxPictures(source: IdxSource, { classes }: FindOptions): Promise<Found> {
  const { testImages, testLabels } = source
  if ((testImages === undefined) !== (testLabels === undefined))
    throw new RistrettoError('makeDataset: testImages and testLabels go together: give both or none')
  const parts: { images: IdxArray; labels: IdxArray; set?: SetName; name: string }[] = [
    { ...(await pair(source.images, source.labels)), set: testImages === undefined ? undefined : 'train', name: '' },
  ]
  if (testImages !== undefined && testLabels !== undefined)
    parts.push({ ...(await pair(testImages, testLabels)), set: 'test', name: 'test ' })
  const written = parts.flatMap(({ labels, name }) =>
    Array.from(labels.data, (text, i) => ({ text, place: `${name}label ${i}` })),
  )
  const found = labelNumbers(written, 'the labels', classes)
  let at = 0
  let channels: 1 | 3 = 1
  const candidates = parts.flatMap(({ images, set, name }) => {
    const sizes = sizesOf(images.shape, `the ${name}images`)
    channels = sizes.channels
    const numbers = found.numbers.slice(at, (at += sizes.count))
    return pictures(images.data, sizes, numbers, name, set)
  })
  return { classes: found.classes, candidates, leftOut: [], channels }
}

async function pair(imagesSource: string | Uint8Array, labelsSource: string | Uint8Array) {
  for (const [what, file] of Object.entries({ images: imagesSource, labels: labelsSource }))
    if (typeof file !== 'string' && !(file instanceof Uint8Array))
      throw new RistrettoError(
        `makeDataset: ${what} is an idx file, its path or bytes; arrays go as { data, shape, labels }`,
      )
  const images = await readIdx(imagesSource)
  const labels = await readIdx(labelsSource)
  const nameOf = (source: string | Uint8Array, what: string) => (typeof source === 'string' ? source : what)
  const [imagesName, labelsName] = [nameOf(imagesSource, 'the images'), nameOf(labelsSource, 'the labels')]
  if (labels.shape.length !== 1) throw new FormatError(`${labelsName}: ${labels.shape.length} axes; labels have 1`)
  const { count } = sizesOf(images.shape, imagesName)
  if (labels.shape[0] !== count)
    throw new FormatError(
      `${imagesName} has ${count} pictures, ${labelsName} ${labels.shape[0]} labels: they do not belong together`,
    )
  return { images, labels }
}

interface Sizes {
  readonly count: number
  readonly channels: 1 | 3
  readonly height: number
  readonly width: number
}

function sizesOf(shape: readonly number[], name: string): Sizes {
  const [count, channels, height, width] = shape.length === 3 ? [shape[0], 1, shape[1], shape[2]] : shape
  if (shape.length !== 3 && shape.length !== 4)
    throw new FormatError(
      `${name}: ${shape.length} axes (${shape.join('×')}); pictures have 3 (N, H, W) or 4 (N, C, H, W)`,
    )
  if (channels !== 1 && channels !== 3)
    throw new FormatError(
      `${name}: pictures of ${channels} planes (${shape.join('×')}); they have 1 of grey, or 3, B, G, R`,
    )
  if (!shape.every(size => Number.isSafeInteger(size) && size > 0))
    throw new FormatError(`${name}: ${shape.join('×')}: there is nothing in it`)
  return { count, channels, height, width }
}

/** As many digits as the last one has. */
function pictures(
  data: Uint8Array,
  { count, channels, height, width }: Sizes,
  labels: readonly number[],
  name: string,
  set?: SetName,
): Candidate[] {
  const size = channels * height * width
  return labels.map((label, i) => ({
    file: `${name}${String(i).padStart(String(count - 1).length, '0')}`,
    label,
    set,
    source: {
      kind: 'planes',
      image: { channels, height, width, data: data.subarray(i * size, (i + 1) * size) },
    },
  }))
}

function bytesOf(data: ArrayLike<number>): Uint8Array {
  if (data instanceof Uint8Array) return data
  for (let i = 0; i < data.length; i++)
    if (!(Number.isInteger(data[i]) && data[i] >= 0 && data[i] <= 255))
      throw new RistrettoError(
        `makeDataset: value ${i} is ${data[i]}; a database of pictures holds whole numbers from 0 to 255: scale them (0 … 1 times 255, rounded), or feed arrays of other values to the net`,
      )
  return Uint8Array.from(data)
}
