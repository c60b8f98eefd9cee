import type { ByteSource } from './byte_source.js'
import { largestNode, MAX_KEY, NODE, NODE_HEADER, overflowPages, PAGE, PAGE_HEADER } from './lmdb_format.js'

/** A record, and where the bytes of its value lie in the file. */
export interface RecordPlace {
  readonly key: Uint8Array
  readonly position: number
  readonly length: number
}

/** What LmdbWriter writes with, unless it is told otherwise. */
const PAGE_SIZE = 4096

/**
 * Records of a database that an LmdbWriter did not finish, in order, as far as they are there whole. Pages are written
 * one after the other, a leaf after the values that it speaks of, so the first page that is none ends them.
 */
export function unfinishedRecords(source: ByteSource): RecordPlace[] {
  const records: RecordPlace[] = []
  const pages = Math.floor(source.size / PAGE_SIZE)
  for (let page = 2; page < pages; ) {
    const header = headerAt(source, page)
    if (header.number !== BigInt(page)) break
    if (header.flags === PAGE.overflow) {
      if (!header.run) break
      page += header.run
      continue
    }
    if (header.flags === PAGE.leaf) {
      if (!addRecords(source, page, pages, records)) break
    } else if (header.flags !== PAGE.branch) break
    page++
  }
  return records
}

function headerAt(source: ByteSource, page: number) {
  const view = viewOf(source.read(page * PAGE_SIZE, PAGE_HEADER))
  return { number: view.getBigUint64(0, true), flags: view.getUint16(10, true), run: view.getUint32(12, true) }
}

/** Adds the records of a leaf as far as they are whole; whether all are. */
function addRecords(source: ByteSource, page: number, pages: number, records: RecordPlace[]): boolean {
  // a copy: what follows reads on
  const bytes = source.read(page * PAGE_SIZE, PAGE_SIZE).slice()
  const view = viewOf(bytes)
  const lower = view.getUint16(12, true)
  if (lower < PAGE_HEADER || lower > PAGE_SIZE || lower % 2) return false
  for (let offset = PAGE_HEADER; offset < lower; offset += 2) {
    const at = view.getUint16(offset, true)
    if (at < lower || at + NODE_HEADER > PAGE_SIZE) return false
    const length = view.getUint16(at, true) + 2 ** 16 * view.getUint16(at + 2, true)
    const isBig = view.getUint16(at + 4, true) === NODE.big
    const keyLength = view.getUint16(at + 6, true)
    const data = at + NODE_HEADER + keyLength
    if (!keyLength || keyLength > MAX_KEY || data + (isBig ? 8 : length) > PAGE_SIZE) return false
    const key = bytes.slice(at + NODE_HEADER, data)
    if (!isBig) records.push({ key, position: page * PAGE_SIZE + data, length })
    else {
      const first = Number(view.getBigUint64(data, true))
      const run = overflowPages(length, PAGE_SIZE)
      const isSmall = NODE_HEADER + keyLength + length <= largestNode(PAGE_SIZE)
      if (isSmall || !(first > page && first + run <= pages)) return false
      const header = headerAt(source, first)
      if (header.number !== BigInt(first) || header.flags !== PAGE.overflow || header.run !== run) return false
      records.push({ key, position: first * PAGE_SIZE + PAGE_HEADER, length })
    }
  }
  return true
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
