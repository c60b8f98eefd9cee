import type { ByteSource } from '../../data/byte_source.js'
import { crc32 } from '../../data/crc32.js'
import type { Sink } from '../../data/sink.js'

/** Bytes that are in memory at once. */
const PIECE = 2 ** 20
const MOST_32 = 0xffffffff
/** The first day that a zip knows: the same files give the same bytes. */
const DAY = 0x21

interface Written {
  readonly name: Uint8Array
  readonly crc: number
  readonly size: number
  readonly at: number
}

/** Writes a zip of any size, file by file; files are stored as they are. */
export class ZipWriter {
  private position = 0
  private readonly files: Written[] = []

  constructor(private readonly sink: Sink) {}

  /** Add a file; `wait` lets others have their turn. */
  async add(name: string, source: Pick<ByteSource, 'size' | 'read'>, wait: () => Promise<void>): Promise<void> {
    const bytes = new TextEncoder().encode(name)
    const at = this.position
    const { size } = source
    const header = localHeader(bytes, size)
    this.write(header)
    let crc = 0
    for (let from = 0; from < size; from += PIECE) {
      const piece = source.read(from, Math.min(PIECE, size - from))
      crc = crc32(piece, crc)
      this.write(piece)
      await wait()
    }
    // known only now
    const view = new DataView(header.buffer)
    view.setUint32(14, crc, true)
    this.sink.write(at + 14, header.subarray(14, 18))
    this.files.push({ name: bytes, crc, size, at })
  }

  /** Write the directory. */
  finish(): void {
    const start = this.position
    for (const file of this.files) this.write(directoryEntry(file))
    const size = this.position - start
    const count = this.files.length
    const large = count >= 0xffff || size >= MOST_32 || start >= MOST_32
    if (large) {
      const at = this.position
      this.write(end64(count, size, start))
      this.write(locator64(at))
    }
    const end = new DataView(new ArrayBuffer(22))
    end.setUint32(0, 0x06054b50, true)
    end.setUint16(8, large ? 0xffff : count, true)
    end.setUint16(10, large ? 0xffff : count, true)
    end.setUint32(12, large ? MOST_32 : size, true)
    end.setUint32(16, large ? MOST_32 : start, true)
    this.write(new Uint8Array(end.buffer))
  }

  private write(bytes: Uint8Array): void {
    this.sink.write(this.position, bytes)
    this.position += bytes.length
  }
}

function localHeader(name: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const large = size >= MOST_32
  const bytes = new Uint8Array(30 + name.length + (large ? 20 : 0))
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 0x04034b50, true)
  view.setUint16(4, large ? 45 : 20, true)
  // names are UTF-8
  view.setUint16(6, 0x800, true)
  view.setUint16(12, DAY, true)
  view.setUint32(18, large ? MOST_32 : size, true)
  view.setUint32(22, large ? MOST_32 : size, true)
  view.setUint16(26, name.length, true)
  view.setUint16(28, large ? 20 : 0, true)
  bytes.set(name, 30)
  if (large) extra64(view, 30 + name.length, [size, size])
  return bytes
}

function directoryEntry({ name, crc, size, at }: Written): Uint8Array {
  const numbers = [...(size >= MOST_32 ? [size, size] : []), ...(at >= MOST_32 ? [at] : [])]
  const extra = numbers.length ? 4 + 8 * numbers.length : 0
  const bytes = new Uint8Array(46 + name.length + extra)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 0x02014b50, true)
  view.setUint16(4, 45, true)
  view.setUint16(6, extra ? 45 : 20, true)
  view.setUint16(8, 0x800, true)
  view.setUint16(14, DAY, true)
  view.setUint32(16, crc, true)
  view.setUint32(20, size >= MOST_32 ? MOST_32 : size, true)
  view.setUint32(24, size >= MOST_32 ? MOST_32 : size, true)
  view.setUint16(28, name.length, true)
  view.setUint16(30, extra, true)
  view.setUint32(42, at >= MOST_32 ? MOST_32 : at, true)
  bytes.set(name, 46)
  if (extra) extra64(view, 46 + name.length, numbers)
  return bytes
}

function extra64(view: DataView, at: number, numbers: readonly number[]): void {
  view.setUint16(at, 1, true)
  view.setUint16(at + 2, 8 * numbers.length, true)
  numbers.forEach((number, i) => {
    view.setBigUint64(at + 4 + 8 * i, BigInt(number), true)
  })
}

function end64(count: number, size: number, start: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(56))
  view.setUint32(0, 0x06064b50, true)
  view.setBigUint64(4, 44n, true)
  view.setUint16(12, 45, true)
  view.setUint16(14, 45, true)
  view.setBigUint64(24, BigInt(count), true)
  view.setBigUint64(32, BigInt(count), true)
  view.setBigUint64(40, BigInt(size), true)
  view.setBigUint64(48, BigInt(start), true)
  return new Uint8Array(view.buffer)
}

function locator64(at: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(20))
  view.setUint32(0, 0x07064b50, true)
  view.setBigUint64(8, BigInt(at), true)
  view.setUint32(16, 1, true)
  return new Uint8Array(view.buffer)
}
