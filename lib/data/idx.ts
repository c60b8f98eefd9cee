import { FormatError, RistrettoError } from '../errors.js'
import { type ReadOptions, readFile, readPieces } from '../system/read_file.js'

/** An array from an idx file, the format of MNIST: bytes in row-major order. */
export interface IdxArray {
  readonly shape: readonly number[]
  readonly data: Uint8Array
}

/** u8 zero, zero, type (8 is uint8), number of axes · u32 sizes, big-endian · values. */
export function parseIdx(bytes: Uint8Array, name = 'idx file'): IdxArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (bytes.length < 4 || view.getUint16(0) !== 0)
    throw new FormatError(`${name}: no idx file: it must start with two zero bytes`)
  if (bytes[2] !== 8)
    throw new FormatError(
      `${name}: the idx file holds values of type 0x${bytes[2].toString(16)}; uint8 (0x8) can be read`,
    )
  const axes = bytes[3]
  const start = 4 + 4 * axes
  if (axes === 0 || bytes.length < start)
    throw new FormatError(`${name}: an idx file with ${axes} axes in ${bytes.length} bytes`)
  const shape = Array.from({ length: axes }, (_, i) => view.getUint32(4 + 4 * i))
  const count = shape.reduce((product, size) => product * size, 1)
  if (bytes.length - start !== count)
    throw new FormatError(
      `${name}: the idx header says ${shape.join('×')} = ${count} bytes, ${bytes.length - start} follow it`,
    )
  return { shape, data: bytes.subarray(start) }
}

/**
 * Read an idx file; a gzipped one (`.gz`) as well, since that is how MNIST is handed out. `maxFile` bounds what it unpacks
 * to, too: a few kB may be GBs of zeros.
 */
export async function readIdx(source: string | Uint8Array, options: ReadOptions = {}): Promise<IdxArray> {
  const name = typeof source === 'string' ? source : 'idx file'
  let bytes = typeof source === 'string' ? await readFile(source, options) : source
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = await gunzip(bytes, name, options.maxFile ?? MAX_UNPACKED)
  return parseIdx(bytes, name)
}

/** The largest idx file anyone hands out (EMNIST, 814,255 images) has 640 MB. */
const MAX_UNPACKED = 2 ** 30

async function gunzip(bytes: Uint8Array, name: string, most: number): Promise<Uint8Array> {
  const reader = new Blob([bytes.slice()]).stream().pipeThrough(new DecompressionStream('gzip')).getReader()
  try {
    return await readPieces(name, most, reader)
  } catch (error) {
    reader.cancel().catch(() => {})
    if (error instanceof RistrettoError) throw error
    throw new FormatError(`${name}: cannot unpack it: ${(error as Error).message}`)
  }
}
