/** What a camera wrote about how it was held: EXIF's number, 1 … 8, and where in the file it stands. */
export interface Orientation {
  readonly value: number
  /** Of its two bytes. */
  readonly at: number
  readonly littleEndian: boolean
}

/** Of a JPEG file; undefined where it says nothing, or nothing that makes sense. */
export function orientationOf(bytes: Uint8Array): Orientation | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1]
    if (marker === 0xff) {
      at++
      continue
    }
    // the picture itself begins
    if (marker === 0xda) return undefined
    const end = at + 2 + view.getUint16(at + 2)
    if (marker === 0xe1 && text(bytes, at + 4, 'Exif\0\0')) return inTiff(view, at + 10, Math.min(end, bytes.length))
    at = end
  }
  return undefined
}

/** The tag 0x112 of the first directory. */
function inTiff(view: DataView, start: number, end: number): Orientation | undefined {
  if (start + 8 > end) return undefined
  const order = view.getUint16(start)
  const littleEndian = order === 0x4949
  if (!littleEndian && order !== 0x4d4d) return undefined
  const directory = start + view.getUint32(start + 4, littleEndian)
  if (directory + 2 > end) return undefined
  const count = view.getUint16(directory, littleEndian)
  for (let i = 0; i < count; i++) {
    const entry = directory + 2 + 12 * i
    if (entry + 12 > end) return undefined
    if (view.getUint16(entry, littleEndian) !== 0x112) continue
    const value = view.getUint16(entry + 8, littleEndian)
    return value >= 1 && value <= 8 ? { value, at: entry + 8, littleEndian } : undefined
  }
  return undefined
}

const text = (bytes: Uint8Array, at: number, wanted: string): boolean =>
  [...wanted].every((char, i) => bytes[at + i] === char.charCodeAt(0))

/** The file with orientation 1, so that decoders which turn pictures and those which do not give the same pixels. */
export function unturned(bytes: Uint8Array, { at, littleEndian }: Orientation): Uint8Array {
  const copy = bytes.slice()
  copy[at] = littleEndian ? 1 : 0
  copy[at + 1] = littleEndian ? 0 : 1
  return copy
}

/** Pixels of four bytes as they were seen: 1 upright, 2 mirrored, 3 turned by 180°, 4 both, 5 … 8 the same of a picture on its side. */
export function upright(
  pixels: Uint8Array,
  oldWidth: number,
  oldHeight: number,
  value: number,
): { readonly width: number; readonly height: number; readonly rgba: Uint8Array } {
  const onSide = value >= 5
  const height = onSide ? oldWidth : oldHeight
  const width = onSide ? oldHeight : oldWidth
  // four bytes at a time
  const aligned = pixels.byteOffset % 4 ? pixels.slice() : pixels
  const old = new Uint32Array(aligned.buffer, aligned.byteOffset, oldWidth * oldHeight)
  const turned = new Uint32Array(old.length)
  // where a pixel of the new picture lies in the old one
  const fromRight = value === 2 || value === 3 || value === 7 || value === 8
  const fromBelow = value === 3 || value === 4 || value === 6 || value === 7
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0; x < width; x++, to++) {
      const row = onSide ? x : y
      const column = onSide ? y : x
      const oldRow = fromBelow ? oldHeight - 1 - row : row
      const oldColumn = fromRight ? oldWidth - 1 - column : column
      turned[to] = old[oldRow * oldWidth + oldColumn]
    }
  return { width, height, rgba: new Uint8Array(turned.buffer) }
}
