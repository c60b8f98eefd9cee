/**
 * Plain data with bytes in it, as one piece: four bytes of the length of a JSON text (little endian), the text, and the bytes.
 * Where bytes stood the text has `{ "$bytes": [offset, length] }`, counted from the end of the text.
 */
export const FRAME = 'application/vnd.ristretto.frame'

export function packFrame(value: unknown): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = []
  let offset = 0
  const text = JSON.stringify(value, (_, inner) => {
    if (!(inner instanceof Uint8Array)) return inner
    parts.push(inner)
    offset += inner.length
    return { $bytes: [offset - inner.length, inner.length] }
  })
  const header = new TextEncoder().encode(text)
  const frame = new Uint8Array(4 + header.length + offset)
  new DataView(frame.buffer).setUint32(0, header.length, true)
  frame.set(header, 4)
  let at = 4 + header.length
  for (const part of parts) {
    frame.set(part, at)
    at += part.length
  }
  return frame
}

/** Throws a RangeError or SyntaxError for what is no frame. Bytes are views of the frame's. */
export function unpackFrame(frame: Uint8Array): unknown {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  const length = view.getUint32(0, true)
  if (4 + length > frame.length) throw new RangeError('the frame is cut off')
  const bytes = frame.subarray(4 + length)
  return JSON.parse(new TextDecoder().decode(frame.subarray(4, 4 + length)), (_, inner) => {
    const place: unknown = inner?.$bytes
    if (!Array.isArray(place)) return inner
    const [offset, count] = place as number[]
    const fits = Number.isSafeInteger(offset) && Number.isSafeInteger(count) && offset >= 0 && count >= 0
    if (!fits || offset + count > bytes.length) throw new RangeError('the frame names bytes that it does not have')
    return bytes.subarray(offset, offset + count)
  })
}

/** The same as JSON for programs that know no frames: bytes are base64. */
export const withBase64 = (value: unknown): string =>
  JSON.stringify(value, (_, inner) => {
    if (!(inner instanceof Uint8Array)) return inner
    let text = ''
    for (let i = 0; i < inner.length; i += 0x8000) text += String.fromCharCode(...inner.subarray(i, i + 0x8000))
    return btoa(text)
  })
