import { openPicture } from '../data/decode_picture.js'
import { importPixels } from '../data/image.js'
import { openLmdbRecords } from '../data/records.js'
import { withPrefix } from '../data/source.js'
import { FormatError } from '../errors.js'
import type { BlobProto } from '../generated/caffe.js'
import { type ReadDatum, readDatum } from '../proto/datum.js'
import { writeMessage } from '../proto/wire.js'
import { writeFileSafely } from '../system/write_file.js'

/** The mean of the images in a database. */
export interface ImageMean {
  /** 1 × C × H × W, as a mean file holds it: writeMessage('BlobProto', mean). */
  readonly blob: BlobProto
  /** Mean of each channel: what `mean_value` takes. */
  readonly channels: number[]
  readonly count: number
}

/** mean[c,h,w] ← Σ x[c,h,w] / count over the records of an LMDB database, which must all have the same size. */
export async function computeImageMean(
  source: string | Uint8Array,
  onProgress?: (done: number, total: number) => void,
): Promise<ImageMean> {
  const records = await openLmdbRecords(source)
  const name = typeof source === 'string' ? source : 'the database'
  try {
    if (!records.first()) throw new FormatError(`${name} holds no records`)
    // keys and values stand in no error: whatever database a stranger names is read
    const decode = async (i: number): Promise<ReadDatum> => {
      try {
        const datum = readDatum(records.value)
        return datum.encoded ? await decoded(datum) : datum
      } catch (error) {
        throw withPrefix(`${name}: record ${i}`, error)
      }
    }
    const first = await decode(0)
    const { channels, height, width } = first
    const sum = new Float64Array(channels * height * width)
    for (let i = 0; i < records.count; i++) {
      const datum = i === 0 ? first : await decode(i)
      const values = datum.data.length ? datum.data : (datum.float_data ?? datum.data)
      if (datum.channels !== channels || datum.height !== height || datum.width !== width)
        throw new FormatError(
          `${name}: record ${i} is ${sizeText(datum)}, record 0 is ${sizeText(first)}: ` +
            `a mean needs images of one size; ${wayOut(datum, first)}`,
        )
      if (values.length !== sum.length)
        throw new FormatError(`${name}: record ${i} is ${sizeText(datum)}, but holds ${values.length} values`)
      for (let k = 0; k < sum.length; k++) sum[k] += values[k]
      records.next()
      if ((i + 1) % 1000 === 0 || i + 1 === records.count) onProgress?.(i + 1, records.count)
    }
    const data = Float32Array.from(sum, total => total / records.count)
    const size = height * width
    const means = Array.from(
      { length: channels },
      (_, c) => data.subarray(c * size, (c + 1) * size).reduce((a, x) => a + x, 0) / size,
    )
    return { blob: { num: 1, channels, height, width, data }, channels: means, count: records.count }
  } finally {
    records.close()
  }
}

/** The same, into a `.binaryproto` file. */
export async function writeImageMean(
  source: string,
  output: string,
  onProgress?: (done: number, total: number) => void,
): Promise<ImageMean> {
  const mean = await computeImageMean(source, onProgress)
  await writeFileSafely(output, writeMessage('BlobProto', mean.blob))
  return mean
}

async function decoded(datum: ReadDatum): Promise<ReadDatum> {
  const image = (await openPicture(datum.data.slice(), () => importPixels())).planes()
  return { ...datum, ...image, encoded: false }
}

const sizeText = ({ channels, height, width }: ReadDatum): string => `${channels}×${height}×${width}`

/** How the database could have been made. */
const wayOut = (datum: ReadDatum, first: ReadDatum): string =>
  datum.height === first.height && datum.width === first.width
    ? 'convert-imageset stores grey and coloured files with the same channels if it is not told --encoded'
    : 'convert-imageset brings them to one with --resize-width and --resize-height'
