import { FormatError } from '../errors.js'
import { crc32 } from './crc32.js'
import type { PlanarImage } from './image.js'
import type { Deflate } from './inflate.js'

/** Chunks that change nothing in how the samples of a plain file are read. */
const HARMLESS = new Set(['tEXt', 'zTXt', 'iTXt', 'tIME', 'pHYs', 'bKGD', 'sRGB', 'gAMA', 'cHRM', 'eXIf', 'hIST'])

/** Bytes of one sample row and all rows of a plain PNG, and where its packed data lie. */
interface PlainPng {
  readonly width: number
  readonly height: number
  /** Bytes of a pixel in the file. */
  readonly samples: number
  readonly packed: Uint8Array
}

/** Bytes of a pixel by colour type: grey, RGB, and both with transparency. */
const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 4: 2, 6: 4 }

/**
 * Planes of a PNG of 8-bit grey or colour, not interlaced, without colour profile: small pictures take a tenth of what a
 * general decoder needs for its set-up. Transparency is a fourth plane of colour, and left out of grey. Undefined for any
 * other file, damaged ones included: those are for the general decoder.
 */
export function readPlainPng(bytes: Uint8Array, most: number, { unpack }: Deflate): PlanarImage | undefined {
  const png = plainPng(bytes)
  if (!png || png.width * png.height > most) return undefined
  const { width, height, samples } = png
  const channels = samples < 3 ? 1 : samples
  const stride = width * samples
  let rows: Uint8Array
  try {
    rows = unpack(png.packed, height * (1 + stride), 'zlib')
    unfilter(rows, height, stride, samples)
  } catch (error) {
    if (error instanceof FormatError) return undefined
    throw error
  }
  const n = width * height
  const data = new Uint8Array(n * channels)
  for (let y = 0, to = 0; y < height; y++) {
    let from = y * (1 + stride) + 1
    if (samples === 1) data.set(rows.subarray(from, from + width), to)
    else if (samples === 2) for (let x = 0; x < width; x++, from += 2) data[to + x] = rows[from]
    else
      for (let x = 0; x < width; x++, from += samples) {
        data[to + x] = rows[from + 2]
        data[n + to + x] = rows[from + 1]
        data[2 * n + to + x] = rows[from]
        if (samples === 4) data[3 * n + to + x] = rows[from + 3]
      }
    to += width
  }
  return { channels, height, width, data }
}

function plainPng(bytes: Uint8Array): PlainPng | undefined {
  if (bytes.length < 57 || bytes[0] !== 0x89 || bytes[1] !== 0x50 || bytes[12] !== 0x49) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const [width, height] = [view.getUint32(16), view.getUint32(20)]
  const samples = SAMPLES[bytes[25]]
  // depth 8, deflate, adaptive filters, no interlacing
  if (bytes[24] !== 8 || !samples || bytes[26] || bytes[27] || bytes[28]) return undefined
  if (width === 0 || height === 0) return undefined
  const parts: Uint8Array[] = []
  for (let at = 33; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at)
    const type = String.fromCharCode(bytes[at + 4], bytes[at + 5], bytes[at + 6], bytes[at + 7])
    if (at + 12 + length > bytes.length) return undefined
    if (type === 'IEND') {
      if (!parts.length) return undefined
      return { width, height, samples, packed: joined(parts) }
    }
    if (type === 'IDAT') parts.push(bytes.subarray(at + 8, at + 8 + length))
    else if (!HARMLESS.has(type)) return undefined
    at += 12 + length
  }
  return undefined
}

/** Arrays one after the other. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/**
 * rows[y] ← its samples, in place; each row has a byte in front that says how it was filtered.
 * @param stride bytes of a row
 * @param step bytes from a sample to the next of its kind
 */
export function unfilter(rows: Uint8Array, height: number, stride: number, step: number): void {
  for (let y = 0; y < height; y++) {
    const start = y * (1 + stride) + 1
    const end = start + stride
    const up = y === 0 ? -1 : start - 1 - stride
    switch (rows[start - 1]) {
      case 0:
        break
      case 1:
        for (let i = start + step; i < end; i++) rows[i] += rows[i - step]
        break
      case 2:
        if (up >= 0) for (let i = start, j = up; i < end; i++, j++) rows[i] += rows[j]
        break
      case 3:
        for (let i = start, j = up; i < end; i++, j++) {
          const left = i - step >= start ? rows[i - step] : 0
          rows[i] += (left + (up >= 0 ? rows[j] : 0)) >> 1
        }
        break
      case 4:
        for (let i = start, j = up; i < end; i++, j++) {
          const hasLeft = i - step >= start
          const a = hasLeft ? rows[i - step] : 0
          const b = up >= 0 ? rows[j] : 0
          rows[i] += paeth(a, b, hasLeft && up >= 0 ? rows[j - step] : 0)
        }
        break
      default:
        throw new FormatError(`row ${y} has the unknown filter ${rows[start - 1]}`)
    }
  }
}

/** Whichever of left, above and above left is nearest to left + above − above left. */
function paeth(a: number, b: number, c: number): number {
  const pa = Math.abs(b - c)
  const pb = Math.abs(a - c)
  const pc = Math.abs(a + b - 2 * c)
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c
}

/** A PNG file of planes B, G, R or one of grey, 8 bits each. */
export function writePng({ channels, height, width, data }: PlanarImage, { pack }: Deflate): Uint8Array {
  const n = width * height
  const stride = width * channels
  const rows = new Uint8Array(height * (1 + stride))
  const now = new Uint8Array(stride)
  let before = new Uint8Array(stride)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++)
      for (let c = 0; c < channels; c++) now[x * channels + c] = data[(channels - 1 - c) * n + y * width + x]
    filterRow(now, before, channels, rows.subarray(y * (1 + stride), (y + 1) * (1 + stride)))
    before = now.slice()
  }
  const header = new Uint8Array(13)
  const view = new DataView(header.buffer)
  view.setUint32(0, width)
  view.setUint32(4, height)
  header[8] = 8
  header[9] = channels === 1 ? 0 : 2
  return joined([
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk('IHDR', header),
    chunk('IDAT', pack(rows)),
    chunk('IEND', new Uint8Array(0)),
  ])
}

/** to ← the number of a filter, and what it leaves of a row: of two, the one that leaves smaller numbers. */
function filterRow(row: Uint8Array, before: Uint8Array, step: number, to: Uint8Array): void {
  let plain = 0
  let predicted = 0
  for (let i = 0; i < row.length; i++) {
    const a = i >= step ? row[i - step] : 0
    const rest = (row[i] - paeth(a, before[i], i >= step ? before[i - step] : 0)) & 255
    to[i + 1] = rest
    predicted += rest < 128 ? rest : 256 - rest
    plain += row[i] < 128 ? row[i] : 256 - row[i]
  }
  to[0] = 4
  if (predicted < plain) return
  to[0] = 0
  to.set(row, 1)
}

function chunk(type: string, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + content.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, content.length)
  for (let i = 0; i < 4; i++) bytes[4 + i] = type.charCodeAt(i)
  bytes.set(content, 8)
  view.setUint32(8 + content.length, crc32(bytes.subarray(4, 8 + content.length)))
  return bytes
}
