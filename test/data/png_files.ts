/** PNG files made by hand: of a palette, of few bits, of what is wrong. */
import { deflateSync } from 'node:zlib'

export interface PngParts {
  width: number
  height: number
  depth: number
  /** 0 grey, 2 colour, 3 palette, 4 grey and alpha, 6 colour and alpha */
  colourType: number
  interlaced?: boolean
  /** Lines as they are stored: a filter, then bytes. */
  lines: readonly (readonly number[])[]
  palette?: readonly number[]
}

/** CRC-32, which Node's zlib has since 22. */
function crc32(bytes: Uint8Array): number {
  let crc = -1
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc >>> 0
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, data.length)
  bytes.set(Buffer.from(type, 'latin1'), 4)
  bytes.set(data, 8)
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)))
  return bytes
}

export function pngOf({ width, height, depth, colourType, interlaced, lines, palette }: PngParts): Uint8Array {
  const header = new Uint8Array(13)
  const view = new DataView(header.buffer)
  view.setUint32(0, width)
  view.setUint32(4, height)
  header.set([depth, colourType, 0, 0, interlaced ? 1 : 0], 8)
  return Buffer.concat([
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk('IHDR', header),
    ...(palette ? [chunk('PLTE', Uint8Array.from(palette))] : []),
    chunk('IDAT', deflateSync(Uint8Array.from(lines.flat()))),
    chunk('IEND', new Uint8Array(0)),
  ])
}

/** A picture of a palette of 256 colours, whose indices are the values given. */
export const paletteOf = (rows: readonly (readonly number[])[]): Uint8Array =>
  pngOf({
    width: rows[0].length,
    height: rows.length,
    depth: 8,
    colourType: 3,
    lines: rows.map(row => [0, ...row]),
    palette: Array.from({ length: 768 }, (_, i) => (i * 37) % 256),
  })
