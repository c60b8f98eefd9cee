/** What members gather is float32; whole numbers of 32 bits, doubles and texts travel as their bits. */

/** The bits of doubles as float32 values, two for each. */
export const fromDoubles = (values: ArrayLike<number>): Float32Array =>
  new Float32Array(Float64Array.from(values).buffer)

/** The doubles whose bits these are. */
export const toDoubles = (bits: Float32Array): Float64Array => new Float64Array(bits.slice().buffer)

/** A text's hash, 32 bits: what tells two texts apart that are equal where all is well. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/** A hash of float32 values, by their bits. */
export function hashOfValues(values: Readonly<Float32Array>, hash = 0x811c9dc5): number {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length)
  for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words[i], 0x01000193)
  return hash >>> 0
}

/** A text as float32 values: its length, then its bytes. */
export function fromText(text: string): Float32Array {
  const bytes = new TextEncoder().encode(text)
  const padded = new Uint8Array(4 + Math.ceil(bytes.length / 4) * 4)
  new DataView(padded.buffer).setUint32(0, bytes.length, true)
  padded.set(bytes, 4)
  return new Float32Array(padded.buffer)
}

/** The text that these values are. */
export function toText(values: Readonly<Float32Array>): string {
  const bytes = new Uint8Array(values.slice().buffer)
  return new TextDecoder().decode(bytes.subarray(4, 4 + new DataView(bytes.buffer).getUint32(0, true)))
}
