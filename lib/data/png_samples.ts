import { FormatError } from '../errors.js'
import { importNode, isNode } from '../system/nodejs.js'

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
 * @param zlib unpacks with Node's module, else with the browser's stream
 */
export async function readPng(bytes: Uint8Array, most: number, zlib = isNode): Promise<PngSamples> {
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
  const raw = await inflate(imageData(bytes, view), expected, zlib)
  if (raw.length !== expected)
    throw new FormatError(`this PNG file holds ${raw.length} bytes of pixels, its header wants ${expected}`)

  const data = new Uint8Array(width * height * channels)
  let at = 0
  passes.forEach(([x0, y0, dx, dy], pass) => {
    const [columns, rows] = sizes[pass]
    const line = lineOf(columns)
    let above: Uint8Array = new Uint8Array(line)
    for (let row = 0; row < rows; row++, at += 1 + line) {
      const now = raw.subarray(at + 1, at + 1 + line)
      unfilter(raw[at], now, above, Math.max(1, bits >> 3))
      above = now
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
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let end = 0
  for (const part of parts) {
    joined.set(part, end)
    end += part.length
  }
  return joined
}

/** Never more than `most` bytes: a small file may unpack to any number of them. */
async function inflate(packed: Uint8Array, most: number, zlib: boolean): Promise<Uint8Array> {
  try {
    if (zlib) {
      const { inflateSync } = await importNode('node:zlib')
      return inflateSync(packed, { maxOutputLength: most })
    }
    const reader = new Blob([packed.slice()]).stream().pipeThrough(new DecompressionStream('deflate')).getReader()
    const raw = new Uint8Array(most)
    let end = 0
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return raw.subarray(0, end)
      if (end + value.length > most) throw new FormatError('more than the header wants')
      raw.set(value, end)
      end += value.length
    }
  } catch (error) {
    throw new FormatError(`the pixels of this PNG file cannot be unpacked: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/** Each line is stored as what is left after a guess from its neighbours; `step` bytes lie between samples of a kind. */
function unfilter(filter: number, line: Uint8Array, above: Uint8Array, step: number): void {
  if (filter > 4) throw new FormatError(`a line of this PNG file has filter ${filter}; there are 0 to 4`)
  if (filter === 0) return
  for (let i = 0; i < line.length; i++) {
    const left = i < step ? 0 : line[i - step]
    const up = above[i]
    const corner = i < step ? 0 : above[i - step]
    line[i] += filter === 1 ? left : filter === 2 ? up : filter === 3 ? (left + up) >> 1 : nearestOf(left, up, corner)
  }
}

/** Paeth's guess: the neighbour that is nearest to left + up − corner. */
function nearestOf(left: number, up: number, corner: number): number {
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)]
  return a <= b && a <= c ? left : b <= c ? up : corner
}
