import { FormatError } from '../errors.js'
import { importNode, isNode } from '../system/nodejs.js'

/** What deflate packs: the stream alone, as zip files have it, or with zlib's header and checksum, as PNG files do. */
export interface Deflate {
  /** The `size` bytes in a stream; a FormatError where there are more or fewer, or the stream is damaged. */
  unpack(packed: Uint8Array, size: number, format: 'raw' | 'zlib'): Uint8Array
  /** A zlib stream. */
  pack(bytes: Uint8Array): Uint8Array
}

/** Bytes from which Node's zlib is faster: for a picture of 28 × 28 its set-up alone costs more than fflate's work. */
const LARGE = 16_384

/** Synchronous deflate: fflate, and Node's zlib for what is large. */
export async function importDeflate(): Promise<Deflate> {
  // whoever loads the library does not load this
  const { inflateSync, unzlibSync, zlibSync } = await import('fflate')
  const zlib = isNode ? await importNode('node:zlib') : undefined
  return {
    unpack(packed, size, format) {
      let bytes: Uint8Array
      try {
        if (zlib && size >= LARGE) {
          const limit = { maxOutputLength: size + 1 }
          bytes = format === 'raw' ? zlib.inflateRawSync(packed, limit) : zlib.inflateSync(packed, limit)
        } else {
          // fflate drops what does not fit: a byte more than wanted tells of it
          const out = new Uint8Array(size + 1)
          bytes = format === 'raw' ? inflateSync(packed, { out }) : checked(packed, unzlibSync(packed, { out }))
        }
      } catch (error) {
        if (error instanceof FormatError) throw error
        throw new FormatError(`its packed data are damaged: ${(error as Error).message}`, { cause: error })
      }
      if (bytes.length !== size)
        throw new FormatError(`its packed data hold ${bytes.length > size ? 'more' : 'fewer'} than ${size} bytes`)
      return bytes
    },
    pack: bytes => (zlib && bytes.length >= LARGE ? zlib.deflateSync(bytes) : zlibSync(bytes)),
  }
}

/** The Adler-32 checksum at a zlib stream's end, which fflate does not look at. */
function checked(packed: Uint8Array, bytes: Uint8Array): Uint8Array {
  let a = 1
  let b = 0
  for (let i = 0; i < bytes.length; ) {
    // sums of so many bytes stay below 2³²
    for (const end = Math.min(i + 3800, bytes.length); i < end; i++) b += a += bytes[i]
    a %= 65521
    b %= 65521
  }
  const at = packed.length - 4
  const stored = ((packed[at] << 24) | (packed[at + 1] << 16) | (packed[at + 2] << 8) | packed[at + 3]) >>> 0
  if (at < 0 || stored !== b * 65536 + a)
    throw new FormatError('its packed data are damaged: their checksum is another')
  return bytes
}
