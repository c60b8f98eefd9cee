/** Most bytes that a block is taken to unpack to. */
const MAX = 2 ** 30

/** Unpack Snappy's block format. `damaged` makes the error for bytes that are not in it. */
export function snappyDecode(bytes: Uint8Array, damaged: (what: string) => Error): Uint8Array {
  const wrong = () => damaged('holds a compressed block that cannot be unpacked')
  let at = 0
  const little = (count: number): number => {
    if (at + count > bytes.length) throw wrong()
    let value = 0
    for (let i = 0; i < count; i++) value += bytes[at++] * 2 ** (8 * i)
    return value
  }
  let size = 0
  for (let scale = 1; ; scale *= 128) {
    const byte = little(1)
    size += (byte & 127) * scale
    if (size > MAX || scale > 2 ** 28) throw wrong()
    if (byte < 128) break
  }
  // a copy of three bytes makes 64 at most
  if (size > 32 * bytes.length) throw wrong()
  const out = new Uint8Array(size)
  let to = 0
  while (at < bytes.length) {
    const tag = little(1)
    const high = tag >>> 2
    const kind = tag & 3
    if (kind === 0) {
      // bytes as they are: their count less one in the tag, or in one to four bytes behind it
      const count = 1 + (high < 60 ? high : little(high - 59))
      if (count > bytes.length - at || count > size - to) throw wrong()
      out.set(bytes.subarray(at, at + count), to)
      at += count
      to += count
      continue
    }
    // bytes that came before, which may reach into what is being written
    const count = kind === 1 ? 4 + (high & 7) : 1 + high
    const back = kind === 1 ? ((high >>> 3) << 8) + little(1) : little(kind === 2 ? 2 : 4)
    if (back === 0 || back > to || count > size - to) throw wrong()
    for (const end = to + count; to < end; to++) out[to] = out[to - back]
  }
  if (to !== size) throw wrong()
  return out
}
