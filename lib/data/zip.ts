import { FormatError } from '../errors.js'
import type { ByteSource } from './byte_source.js'

/** A file in a zip. */
export interface ZipEntry {
  /** With slashes; a folder's ends with one. */
  readonly name: string
  /** 0: stored, 8: deflated. */
  readonly method: number
  readonly encrypted: boolean
  readonly link: boolean
  readonly crc: number
  readonly packedSize: number
  readonly size: number
  /** Of its local header in the zip. */
  readonly at: number
}

const END = 0x06054b50
const END64 = 0x06064b50
const LOCATOR64 = 0x07064b50
const ENTRY = 0x02014b50
const LOCAL = 0x04034b50

const MOST_ENTRIES = 1_000_000
const MOST_DIRECTORY = 2 ** 28

/**
 * The files of a zip, by the directory at its end: nothing is unpacked. A zip whose files overlap, or would unpack to far
 * more than pictures do, is a FormatError.
 */
export function zipEntries(source: ByteSource): ZipEntry[] {
  const { name } = source
  const { count, size, at } = directoryOf(source)
  if (count > MOST_ENTRIES) throw new FormatError(`${name}: it holds ${count} files, at most ${MOST_ENTRIES} are read`)
  if (size > MOST_DIRECTORY) throw new FormatError(`${name}: its directory has ${size} bytes; it is damaged`)
  const bytes = source.read(at, size).slice()
  const view = new DataView(bytes.buffer)
  const entries: ZipEntry[] = []
  for (let p = 0, i = 0; i < count; i++) {
    if (p + 46 > size || view.getUint32(p, true) !== ENTRY)
      throw new FormatError(`${name}: entry ${i} of its directory is damaged`)
    const nameLength = view.getUint16(p + 28, true)
    const extra = view.getUint16(p + 30, true)
    const next = p + 46 + nameLength + extra + view.getUint16(p + 32, true)
    if (next > size) throw new FormatError(`${name}: entry ${i} of its directory is cut short`)
    entries.push(entryAt(view, p, nameLength, extra))
    p = next
  }
  refuseBombs(entries, source)
  return entries
}

/** Room for a local header whose name and extra fields are of usual lengths: one read then gets all of a file. */
const HEADER = 30 + 300

/**
 * The packed bytes of an entry, in memory of their own.
 * @param from bytes of them that are left out: with a `packedSize` of its own, a large entry is read piece by piece
 */
export function zipPacked(source: ByteSource, { name, at, packedSize }: ZipEntry, from = 0): Uint8Array {
  const bytes = source.read(at, Math.max(30, Math.min(HEADER + (from ? 0 : packedSize), source.size - at)))
  const view = new DataView(bytes.buffer, bytes.byteOffset, 30)
  if (view.getUint32(0, true) !== LOCAL)
    throw new FormatError(`${source.name}: there is no '${name}' where its directory says`)
  // the name is as long as in the directory, extra fields are not
  const start = 30 + view.getUint16(26, true) + view.getUint16(28, true) + from
  if (start + packedSize <= bytes.length) return bytes.slice(start, start + packedSize)
  return source.read(at + start, packedSize).slice()
}

/** Number of entries, bytes and place of the directory. */
function directoryOf(source: ByteSource): { count: number; size: number; at: number } {
  const { name, size } = source
  // the end record has 22 bytes and a comment of up to 65,535
  const tailSize = Math.min(size, 22 + 65_535)
  const tail = source.read(size - tailSize, tailSize).slice()
  const view = new DataView(tail.buffer)
  let end = tailSize - 22
  while (end >= 0 && !(view.getUint32(end, true) === END && end + 22 + view.getUint16(end + 20, true) <= tailSize))
    end--
  if (end < 0) throw new FormatError(`${name}: this is no zip, or its end is missing: it has no directory`)
  const count = view.getUint16(end + 10, true)
  const bytes = view.getUint32(end + 12, true)
  const at = view.getUint32(end + 16, true)
  if (view.getUint16(end + 4, true) !== 0 && view.getUint16(end + 4, true) !== 0xffff)
    throw new FormatError(`${name}: it is one of several parts of a zip; join them first`)
  const large = count === 0xffff || bytes === 0xffffffff || at === 0xffffffff
  if (!large || end < 20 || view.getUint32(end - 20, true) !== LOCATOR64) return { count, size: bytes, at }
  const record = source.read(number64(view, end - 12), 56).slice()
  const view64 = new DataView(record.buffer)
  if (view64.getUint32(0, true) !== END64) throw new FormatError(`${name}: its directory (zip64) is not where it says`)
  return { count: number64(view64, 32), size: number64(view64, 40), at: number64(view64, 48) }
}

function entryAt(view: DataView, p: number, nameLength: number, extra: number): ZipEntry {
  let packedSize = view.getUint32(p + 20, true)
  let size = view.getUint32(p + 24, true)
  let at = view.getUint32(p + 42, true)
  // zip64 has, in this order, those numbers that do not fit
  const start = p + 46 + nameLength
  for (let q = start; q + 4 <= start + extra; q += 4 + view.getUint16(q + 2, true)) {
    if (view.getUint16(q, true) !== 1) continue
    const end = Math.min(q + 4 + view.getUint16(q + 2, true), start + extra)
    let r = q + 4
    const next = (value: number) => {
      if (value !== 0xffffffff || r + 8 > end) return value
      r += 8
      return number64(view, r - 8)
    }
    size = next(size)
    packedSize = next(packedSize)
    at = next(at)
  }
  const flags = view.getUint16(p + 8, true)
  const unix = view.getUint8(p + 5) === 3
  return {
    name: nameOf(new Uint8Array(view.buffer, p + 46, nameLength)),
    method: view.getUint16(p + 10, true),
    encrypted: (flags & 1) === 1,
    link: unix && (view.getUint16(p + 40, true) & 0xf000) === 0xa000,
    crc: view.getUint32(p + 16, true),
    packedSize,
    size,
    at,
  }
}

/** UTF-8, as nearly all write them, else one character a byte. Some systems write backslashes. */
function nameOf(bytes: Uint8Array): string {
  let name: string
  try {
    name = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    name = String.fromCharCode(...bytes)
  }
  return name.replaceAll('\\', '/')
}

const number64 = (view: DataView, at: number): number => Number(view.getBigUint64(at, true))

/** Pictures are packed themselves: what unpacks to so much more is none, unless it is small. */
const MOST_RATIO = 100
const MOST_UNPACKED = 2 ** 32

function refuseBombs(entries: readonly ZipEntry[], { name, size }: ByteSource): void {
  let packed = 0
  let unpacked = 0
  for (const entry of entries) {
    packed += entry.packedSize
    unpacked += entry.size
  }
  if (packed > size)
    throw new FormatError(`${name}: its files overlap (${packed} packed bytes in ${size}): it is damaged or hostile`)
  if (unpacked > MOST_UNPACKED && unpacked > MOST_RATIO * size)
    throw new FormatError(`${name}: its ${size} bytes would unpack to ${unpacked}: that is no zip of pictures`)
}
