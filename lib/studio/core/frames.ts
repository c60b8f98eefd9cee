import type { LayerRow, Prediction } from '../api/index.js'

// A frame is what travels of a prediction with pictures of layers: 4 bytes, the length of the header (little-endian), the
// header as JSON, then the pictures' bytes. In the header each picture has, instead of its pixels, where they begin.

type Header = Omit<Prediction, 'rows'> & {
  readonly rows?: readonly (Omit<LayerRow, 'picture'> & {
    readonly picture?: Omit<NonNullable<LayerRow['picture']>, 'pixels'> & { readonly offset: number }
  })[]
}

/** Numbers of a row that may be none, which JSON cannot say. */
const NUMBERS = ['mean', 'std', 'min', 'max'] as const

/** A prediction as bytes. */
export function encodeFrame({ rows, ...rest }: Prediction): Uint8Array<ArrayBuffer> {
  let size = 0
  const parts: Uint8Array[] = []
  const header: Header = {
    ...rest,
    ...(rows && {
      rows: rows.map(({ picture, ...row }) => {
        if (!picture) return row
        const { pixels, ...drawn } = picture
        parts.push(pixels)
        const offset = size
        size += pixels.length
        return { ...row, picture: { ...drawn, offset } }
      }),
    }),
  }
  const json = new TextEncoder().encode(JSON.stringify(header))
  const frame = new Uint8Array(4 + json.length + size)
  new DataView(frame.buffer).setUint32(0, json.length, true)
  frame.set(json, 4)
  let at = 4 + json.length
  for (const part of parts) {
    frame.set(part, at)
    at += part.length
  }
  return frame
}

/** A prediction of its bytes; an error for what is no whole frame. */
export function decodeFrame(frame: Uint8Array): Prediction {
  const length = frame.length < 4 ? -1 : new DataView(frame.buffer, frame.byteOffset, 4).getUint32(0, true)
  if (length < 0 || 4 + length > frame.length) throw new RangeError(`a frame of ${frame.length} bytes is not whole`)
  const { rows, ...rest } = JSON.parse(new TextDecoder().decode(frame.subarray(4, 4 + length))) as Header
  if (!rows) return rest
  const pixelsAt = (offset: number, count: number): Uint8Array => {
    const start = 4 + length + offset
    if (start + count > frame.length) throw new RangeError('a frame ends within a picture')
    return frame.subarray(start, start + count)
  }
  return {
    ...rest,
    rows: rows.map(({ picture, ...row }) => {
      const numbers = Object.fromEntries(NUMBERS.map(name => [name, row[name] ?? Number.NaN]))
      if (!picture) return { ...row, ...numbers }
      const { offset, ...drawn } = picture
      const pixels = pixelsAt(offset, drawn.width * drawn.height * drawn.channels)
      return { ...row, ...numbers, picture: { ...drawn, pixels } }
    }),
  }
}
