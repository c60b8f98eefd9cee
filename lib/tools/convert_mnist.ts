import { readIdx } from '../data/idx.js'
import { LmdbWriter } from '../data/lmdb_writer.js'
import { FormatError } from '../errors.js'
import { writeDatum } from '../proto/datum.js'
import { aFile, aFlag, aFunction, aLimit, aPath, checkNeeded, type OptionRules } from '../system/check_options.js'

/** What `convertMnist` reads and writes. */
export interface ConvertMnistOptions {
  /** idx files (paths or bytes; gzipped ones too). */
  images: string | Uint8Array
  labels: string | Uint8Array
  /** Directory of the database that is made. */
  output: string
  /** Replace a database that is there already; default: an error. */
  overwrite?: boolean
  /** Most bytes of a file, unpacked ones too; default: 2 GiB, and 1 GiB of what is unpacked. */
  maxFile?: number
  /** Called after every 1,000 records. */
  onProgress?: (done: number, total: number) => void
}

const RULES: OptionRules<ConvertMnistOptions> = {
  images: aFile,
  labels: aFile,
  output: aPath,
  overwrite: aFlag,
  maxFile: aLimit,
  onProgress: aFunction,
}

/** Records between two calls of onProgress. */
const STEP = 1000

/**
 * MNIST's idx files → an LMDB database: keys "00000000", "00000001", …; one Datum a picture with channels 1, height,
 * width, data, label. Resolves to the number of records.
 */
export async function convertMnist(options: ConvertMnistOptions): Promise<number> {
  checkNeeded('convertMnist', options, RULES, ['images', 'labels', 'output'])
  const { images, labels, output, overwrite, maxFile, onProgress } = options
  const pictures = await readIdx(images, { maxFile })
  const classes = await readIdx(labels, { maxFile })
  const nameOf = (source: string | Uint8Array) => (typeof source === 'string' ? source : 'the idx bytes')
  if (pictures.shape.length !== 3)
    throw new FormatError(`${nameOf(images)}: ${pictures.shape.length} axes; pictures have 3 (count, height, width)`)
  if (classes.shape.length !== 1)
    throw new FormatError(`${nameOf(labels)}: ${classes.shape.length} axes; labels have 1`)
  const [count, height, width] = pictures.shape
  if (classes.shape[0] !== count)
    throw new FormatError(
      `${nameOf(images)} has ${count} pictures, ${nameOf(labels)} ${classes.shape[0]} labels: they do not belong together`,
    )

  const writer = await LmdbWriter.create(output, { overwrite })
  try {
    const size = height * width
    for (let i = 0; i < count; i++) {
      const data = pictures.data.subarray(i * size, (i + 1) * size)
      writer.put(String(i).padStart(8, '0'), writeDatum({ channels: 1, height, width, data, label: classes.data[i] }))
      if ((i + 1) % STEP === 0) onProgress?.(i + 1, count)
    }
    await writer.finish()
  } catch (error) {
    writer.abort()
    throw error
  }
  if (count % STEP) onProgress?.(count, count)
  return count
}
