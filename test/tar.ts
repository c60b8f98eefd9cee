/** A tar as GNU's tar and Python's tarfile write them. */
export function tar(contents: Record<string, Uint8Array | string>, kind = '0'): Uint8Array {
  const blocks: Uint8Array[] = []
  for (const [name, content] of Object.entries(contents)) {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
    const header = new Uint8Array(512)
    const put = (text: string, at: number) => header.set(new TextEncoder().encode(text), at)
    put(name, 0)
    put('0000644\0', 100)
    put(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124)
    put('        ', 148)
    put(kind, 156)
    put('ustar\x0000', 257)
    put(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    )
    blocks.push(header, bytes, new Uint8Array((512 - (bytes.length % 512)) % 512))
  }
  blocks.push(new Uint8Array(1024))
  return new Uint8Array(Buffer.concat(blocks))
}
