import { FormatError } from '../errors.js'
import { importDeflate } from './inflate.js'
import { joined, unfilter } from './png.js'

/** The samples of a PNG file as they are stored: indices where it has a palette. */
export interface PngSamples {
  readonly width: number
  readonly height: number
  /** Bits of a sample: 1, 2, 4 or 8. */
  readonly depth: number
  readonly kind: 'grey' | 'palette' | 'colour'
  /** Samples of a pixel: 1 grey or index, 2 grey and alpha, 3 colour, 4 colour and alpha. */
  readonly channels: number
  /** height × width × channels; values of fewer than 8 bits are not stretched. */
  readonly data: Uint8Array
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

/** Whether bytes begin as a PNG file does. */
export const isPng = (bytes: Uint8Array): boolean => SIGNATURE.every((byte, i) => bytes[i] === byte)

/** By colour type of the header. */
const kinds: Record<number, readonly [PngSamples['kind'], channels: number, depths: readonly number[]]> = {
  0: ['grey', 1, [1, 2, 4, 8, 16]],
  2: ['colour', 3, [8, 16]],
  3: ['palette', 1, [1, 2, 4, 8]],
  4: ['grey', 2, [8, 16]],
  6: ['colour', 4, [8, 16]],
}

/** Where an interlaced file begins and how far it steps in each of its passes: x, y, step of x, step of y. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const

/**
 * Decode a PNG file without turning indices into colours, which is all that the picture libraries give. Files of 16 bits
 * a sample, damaged ones and those of more than `most` pixels are a FormatError.
 */
export async function readPng(bytes: Uint8Array, most: number): Promise<PngSamples> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (!isPng(bytes) || bytes.length < 33) throw new FormatError(`${bytes.length} bytes that are no PNG file`)
  const [width, height] = [view.getUint32(16), view.getUint32(20)]
  const [depth, colours, , , interlaced] = bytes.subarray(24, 29)
  const [kind, channels, depths] = kinds[colours] ?? ['grey', 0, []]
  if (!depths.includes(depth) || !width || !height || interlaced > 1)
    throw new FormatError(
      `the PNG header says ${width}×${height} pixels, colour type ${colours}, ${depth} bits: there is no such file`,
    )
  if (width * height > most)
    throw new FormatError(`this PNG file is ${width}×${height} pixels large, at most ${most} are decoded`)
  if (depth === 16) throw new FormatError('this PNG file has 16 bits a sample: save it with 8')
  const passes = interlaced ? ADAM7 : ([[0, 0, 1, 1]] as const)
  const bits = depth * channels
  const sizes = passes.map(([x, y, dx, dy]) => {
    const [columns, rows] = [Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)]
    return columns > 0 && rows > 0 ? ([columns, rows] as const) : ([0, 0] as const)
  })
  const lineOf = (columns: number) => Math.ceil((columns * bits) / 8)
  const expected = sizes.reduce((sum, [columns, rows]) => sum + rows * (1 + lineOf(columns)), 0)
  const { unpack } = await importDeflate()
  const raw = unpack(imageData(bytes, view), expected, 'zlib')

  const data = new Uint8Array(width * height * channels)
  let at = 0
  passes.forEach(([x0, y0, dx, dy], pass) => {
    const [columns, rows] = sizes[pass]
    const line = lineOf(columns)
    const all = raw.subarray(at, at + rows * (1 + line))
    unfilter(all, rows, line, Math.max(1, bits >> 3))
    for (let row = 0; row < rows; row++, at += 1 + line) {
      const now = raw.subarray(at + 1, at + 1 + line)
      for (let column = 0; column < columns; column++) {
        const to = ((y0 + row * dy) * width + x0 + column * dx) * channels
        for (let c = 0; c < channels; c++) {
          const bit = (column * channels + c) * depth
          data[to + c] = (now[bit >> 3] >> (8 - depth - (bit & 7))) & ((1 << depth) - 1)
        }
      }
    }
  })
  return { width, height, depth, kind, channels, data }
}

/** The compressed pixels: what the IDAT chunks hold, one after the other. */
function imageData(bytes: Uint8Array, view: DataView): Uint8Array {
  const parts: Uint8Array[] = []
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at)
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8))
    if (length > bytes.length - at - 12) throw new FormatError('this PNG file ends within a chunk')
    if (type === 'IDAT') parts.push(bytes.subarray(at + 8, at + 8 + length))
    if (type === 'IEND') break
    at += 12 + length
  }
  return joined(parts)
}
