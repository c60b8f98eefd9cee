import { parentPort, workerData } from 'node:worker_threads'
import { importPixels, type PixelsModule } from '../../data/image.js'
import { importDeflate } from '../../data/inflate.js'
import { type FileReader, fileReader } from '../../system/read_file.js'
import type { FileBytes } from './candidates.js'
import { decodeFile, type Picture, type PictureForm } from './decode.js'
import { readNamed } from './makers.js'

/** What the calling thread hands over once. */
export interface DecodeData {
  readonly form: PictureForm
  /** URL of ndarray-pixels and of sharp, as the calling thread resolves them. */
  readonly pixelsUrl: string | undefined
  readonly sharpUrl: string | undefined
}

/** Files to make pictures of: paths, or their bytes. */
export interface DecodeBatch {
  readonly id: number
  readonly files: readonly (string | FileBytes)[]
}

/** For each file its picture, or the name and message of the error. */
export interface DecodedBatch {
  readonly id: number
  readonly pictures: readonly (Picture | { readonly name: string; readonly message: string })[]
}

/** Buffers from so many bytes on are handed over instead of copied. */
const LARGE = 1 << 14

async function run({ form, pixelsUrl, sharpUrl }: DecodeData): Promise<void> {
  const load = (url: string | undefined) => {
    if (url === undefined) throw new Error('it cannot be found')
    return import(url)
  }
  const decoders = {
    pixels: () => importPixels(() => load(pixelsUrl) as Promise<PixelsModule>),
    deflate: await importDeflate(),
    sharp: () => load(sharpUrl),
  }
  const read: FileReader = await fileReader()
  const make = async (file: string | FileBytes) => {
    try {
      return await decodeFile(typeof file === 'string' ? { bytes: readNamed(read, file) } : file, form, decoders)
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error))
      return { name, message }
    }
  }
  parentPort!.on('message', async ({ id, files }: DecodeBatch) => {
    const pictures: DecodedBatch['pictures'][number][] = []
    // decoders with threads of their own get several files at once
    for (let i = 0; i < files.length; i += 4) pictures.push(...(await Promise.all(files.slice(i, i + 4).map(make))))
    const transfer = pictures.flatMap(picture => {
      if (!('image' in picture)) return []
      const buffers = [picture.image.data.buffer, ...(picture.file ? [picture.file.buffer] : [])]
      return (buffers as ArrayBuffer[]).filter(buffer => buffer.byteLength >= LARGE)
    })
    parentPort!.postMessage({ id, pictures } satisfies DecodedBatch, [...new Set(transfer)])
  })
}

await run(workerData as DecodeData)
