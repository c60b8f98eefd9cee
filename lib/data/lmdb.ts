import { FormatError, systemError } from '../errors.js'
import { mustTake } from '../system/arguments.js'
import { importNode } from '../system/nodejs.js'
import { type ByteSource, bytesSource, fileSource } from './byte_source.js'
import {
  compareKeys,
  DATA_VERSION,
  DB,
  MAGIC,
  MAX_DEPTH,
  META,
  META_SIZE,
  NO_PAGE,
  NODE,
  NODE_HEADER,
  overflowPages,
  PAGE,
  PAGE_HEADER,
} from './lmdb_format.js'

/**
 * An LMDB database, read only: a directory with `data.mdb`, that file itself, or its bytes.
 * Nothing is kept in memory but the pages a cursor stands on. Files are untrusted: whatever does not fit throws a
 * FormatError.
 */
export class LmdbReader {
  /** Number of records. */
  readonly count: number
  readonly pageSize: number
  readonly depth: number
  readonly root: number
  readonly lastPage: number

  private constructor(readonly source: ByteSource) {
    const fits = typeof source?.read === 'function'
    mustTake(fits, 'new LmdbReader', 'a ByteSource; LmdbReader.open takes paths and bytes', source)
    const meta = newestMeta(source)
    this.pageSize = meta.getUint32(META.freeDb + DB.pad, true)
    this.lastPage = integer(meta, META.lastPage, source.name)
    if ((this.lastPage + 1) * this.pageSize > source.size)
      throw this.damaged(
        `the header speaks of ${this.lastPage + 1} pages of ${this.pageSize} bytes, the file has ${source.size} bytes`,
      )

    const flags = meta.getUint16(META.mainDb + DB.flags, true)
    if (flags & 0x7f)
      throw new FormatError(
        `${source.name}: the database was made with flags 0x${flags.toString(16)} (own key order or duplicate keys)`,
      )
    this.depth = meta.getUint16(META.mainDb + DB.depth, true)
    const empty = meta.getBigUint64(META.mainDb + DB.root, true) === NO_PAGE
    this.root = empty ? -1 : integer(meta, META.mainDb + DB.root, source.name)
    this.count = integer(meta, META.mainDb + DB.entries, source.name)
    if (empty !== (this.count === 0)) throw this.damaged(`${this.count} records and ${empty ? 'no' : 'a'} root page`)
    if (!empty && (this.depth < 1 || this.depth > MAX_DEPTH)) throw this.damaged(`a tree ${this.depth} levels deep`)
    const mostRecords = (this.lastPage + 1) * (this.pageSize / (NODE_HEADER + 2))
    if (this.count > mostRecords) throw this.damaged(`${this.count} records cannot fit in ${this.lastPage + 1} pages`)
  }

  /**
   * Open a database: its directory, its data.mdb, or the bytes of that file, which may be read as they are needed. Throws a
   * FormatError for anything but an LMDB 0.9 file.
   * @param name for error messages, where bytes are given
   */
  static async open(source: string | Uint8Array | ByteSource, name?: string): Promise<LmdbReader> {
    const fits = typeof source === 'string' || source instanceof Uint8Array || typeof source?.read === 'function'
    mustTake(fits, 'LmdbReader.open', 'a path, bytes or a ByteSource', source)
    const bytes =
      typeof source === 'string'
        ? await fileSource(await dataFile(source))
        : source instanceof Uint8Array
          ? bytesSource(source, name)
          : source
    try {
      return new LmdbReader(bytes)
    } catch (error) {
      bytes.close()
      throw error
    }
  }

  /** A new place among the records, before the first one. */
  cursor(): LmdbCursor {
    return new LmdbCursor(this)
  }

  /** Value of one key, copied; undefined where there is none. */
  get(key: string | Uint8Array): Uint8Array | undefined {
    const wanted = keyBytes(key)
    const cursor = this.cursor()
    return cursor.seek(wanted) && compareKeys(cursor.key, wanted) === 0 ? cursor.value.slice() : undefined
  }

  /** All records in key order; key and value are copies. */
  *[Symbol.iterator](): Generator<{ key: Uint8Array; value: Uint8Array }> {
    const cursor = this.cursor()
    for (let more = cursor.first(); more; more = cursor.next())
      yield { key: cursor.key.slice(), value: cursor.value.slice() }
  }

  /** Close the file. Records that were read before stay valid where they are copies. */
  close(): void {
    this.source.close()
  }

  /** The error for a file whose pages contradict each other. */
  damaged(what: string): FormatError {
    return new FormatError(`${this.source.name}: damaged LMDB file: ${what}`)
  }
}

/**
 * Walks the records of a database in key order. It stands on a record after first, next, seek or skip returned true.
 */
export class LmdbCursor {
  /** A copy of the page at each level, root first; of the leaf last. */
  private readonly pages: Uint8Array[]
  /** Which node of each page the cursor stands on, and how many there are. */
  private readonly index: Int32Array
  private readonly counts: Int32Array
  private readonly leaf: number
  /** Records since first() or seek(): a tree that bites its tail would go on for ever. */
  private passed = 0
  /** It came from first(), so `passed` counts all of them. */
  private fromFirst = false

  constructor(private readonly db: LmdbReader) {
    this.leaf = db.depth - 1
    this.pages = Array.from({ length: db.root < 0 ? 0 : db.depth }, () => new Uint8Array(db.pageSize))
    this.index = new Int32Array(Math.max(1, db.depth))
    this.counts = new Int32Array(Math.max(1, db.depth))
  }

  /** Key of this record: a view that holds until the cursor moves. */
  get key(): Uint8Array {
    return this.nodeKey(this.leaf, this.index[this.leaf])
  }

  /** Value of this record: a view that holds until the cursor moves or anything else is read from the database. */
  get value(): Uint8Array {
    const { size, big } = this.place()
    return this.valueAt(0, size, big)
  }

  /** Bytes of this record's value. */
  get valueSize(): number {
    return this.place().size
  }

  /** A part of this record's value, without reading the rest: a view as `value` is. */
  valuePart(from: number, length: number): Uint8Array {
    const { size, big } = this.place()
    if (!(from >= 0 && length >= 0 && from + length <= size))
      throw this.db.damaged(`bytes ${from} to ${from + length} of a value of ${size} are wanted`)
    return this.valueAt(from, length, big)
  }

  /** How large the value is, and whether it lies on pages of its own. */
  private place(): { size: number; big: boolean } {
    const page = this.pages[this.leaf]
    const at = this.node(this.leaf, this.index[this.leaf])
    const flags = u16(page, at + 4)
    if (flags & (NODE.sub | NODE.dup))
      throw new FormatError(`${this.db.source.name}: the file holds named databases or duplicate keys`)
    return { size: u16(page, at) + u16(page, at + 2) * 0x10000, big: (flags & NODE.big) !== 0 }
  }

  private valueAt(from: number, length: number, big: boolean): Uint8Array {
    const { db } = this
    const page = this.pages[this.leaf]
    const at = this.node(this.leaf, this.index[this.leaf])
    const data = at + NODE_HEADER + u16(page, at + 6)
    const { size } = this.place()
    if (!big) {
      if (data + size > db.pageSize) throw db.damaged(`a value of ${size} bytes runs over the end of its page`)
      return page.subarray(data + from, data + from + length)
    }
    if (data + 8 > db.pageSize) throw db.damaged('the number of an overflow page runs over the end of its page')
    const first = u48(page, data)
    const run = overflowPages(size, db.pageSize)
    if (first < 2 || first + run - 1 > db.lastPage || u16(page, data + 6) !== 0)
      throw db.damaged(`a value of ${size} bytes on pages ${first} to ${first + run - 1} of ${db.lastPage}`)
    const start = first * db.pageSize
    if (from === 0) {
      const bytes = db.source.read(start, PAGE_HEADER + length)
      this.checkOverflow(bytes, first)
      return bytes.subarray(PAGE_HEADER)
    }
    this.checkOverflow(db.source.read(start, PAGE_HEADER), first)
    return db.source.read(start + PAGE_HEADER + from, length)
  }

  private checkOverflow(bytes: Uint8Array, first: number): void {
    if (u48(bytes, 0) !== first || !(u16(bytes, 10) & PAGE.overflow))
      throw this.db.damaged(`page ${first} is not the overflow page it should be`)
  }

  /** To the first record; false if there is none. */
  first(): boolean {
    this.passed = 0
    this.fromFirst = true
    if (this.db.root < 0) return false
    this.descend(0, this.db.root)
    return true
  }

  /** To the next record; false at the end, where the cursor then stays. */
  next(): boolean {
    return this.skip(1)
  }

  /** Over `n` records, without touching their values; false if the end comes first. */
  skip(n: number): boolean {
    if (this.db.root < 0) return false
    const { leaf } = this
    while (n > 0) {
      const step = Math.min(n, this.counts[leaf] - 1 - this.index[leaf])
      this.index[leaf] += step
      this.passed += step
      n -= step
      if (n === 0) break
      if (!this.nextLeaf()) {
        if (this.fromFirst && this.passed + 1 < this.db.count)
          throw this.db.damaged(`the tree holds ${this.passed + 1} of the ${this.db.count} records of its header`)
        return false
      }
      this.passed++
      n--
    }
    if (this.passed >= this.db.count)
      throw this.db.damaged(`the tree holds more than the ${this.db.count} records of its header`)
    return true
  }

  /** To the first record whose key is not smaller; false if all are. */
  seek(key: string | Uint8Array): boolean {
    const { db, leaf } = this
    const wanted = keyBytes(key)
    this.passed = 0
    this.fromFirst = false
    if (db.root < 0) return false
    let page = db.root
    for (let level = 0; level < leaf; level++) {
      this.load(level, page)
      // the key of the first child is not stored: it takes everything that is smaller than the second's
      this.index[level] = this.lowerBound(level, wanted, 1, true) - 1
      page = this.child(level)
    }
    this.load(leaf, page)
    this.index[leaf] = this.lowerBound(leaf, wanted, 0, false)
    if (this.index[leaf] < this.counts[leaf]) return true
    this.index[leaf]--
    return this.nextLeaf()
  }

  /** The first node from `from` on with a key ≥ wanted (after: > wanted). */
  private lowerBound(level: number, wanted: Uint8Array, from: number, after: boolean): number {
    let low = from
    let high = this.counts[level]
    while (low < high) {
      const middle = (low + high) >> 1
      const order = compareKeys(this.nodeKey(level, middle), wanted)
      if (order < 0 || (after && order === 0)) low = middle + 1
      else high = middle
    }
    return low
  }

  private nextLeaf(): boolean {
    let level = this.leaf - 1
    while (level >= 0 && this.index[level] + 1 >= this.counts[level]) level--
    if (level < 0) return false
    const last = this.nodeKey(this.leaf, this.counts[this.leaf] - 1).slice()
    this.index[level]++
    this.descend(level + 1, this.child(level))
    // a page that comes twice would give its records twice
    if (compareKeys(last, this.nodeKey(this.leaf, 0)) >= 0)
      throw this.db.damaged('the keys of a page do not follow those of the page before it')
    return true
  }

  /** To the leftmost record under `page`. */
  private descend(level: number, page: number): void {
    for (; ; level++) {
      this.load(level, page)
      this.index[level] = 0
      if (level === this.leaf) return
      page = this.child(level)
    }
  }

  private load(level: number, number: number): void {
    const { db } = this
    if (number < 2 || number > db.lastPage) throw db.damaged(`page ${number} of ${db.lastPage} is referred to`)
    const page = this.pages[level]
    page.set(db.source.read(number * db.pageSize, db.pageSize))
    const kind = u16(page, 10) & (PAGE.branch | PAGE.leaf | PAGE.overflow | PAGE.meta | PAGE.leaf2 | PAGE.sub)
    const expected = level === this.leaf ? PAGE.leaf : PAGE.branch
    const lower = u16(page, 12)
    const count = (lower - PAGE_HEADER) >> 1
    if (u48(page, 0) !== number || kind !== expected || lower > db.pageSize || count < 1)
      throw db.damaged(`page ${number} is not the ${level === this.leaf ? 'leaf' : 'branch'} page it should be`)
    this.counts[level] = count
  }

  private child(level: number): number {
    return u48(this.pages[level], this.node(level, this.index[level]))
  }

  /** Offset of a node in its page, checked to hold its header and key. */
  private node(level: number, i: number): number {
    const page = this.pages[level]
    const at = u16(page, PAGE_HEADER + 2 * i)
    if (at < PAGE_HEADER || at + NODE_HEADER > page.length || at + NODE_HEADER + u16(page, at + 6) > page.length)
      throw this.db.damaged(`node ${i} of a page lies at byte ${at} of ${page.length}`)
    return at
  }

  private nodeKey(level: number, i: number): Uint8Array {
    const at = this.node(level, i)
    const page = this.pages[level]
    return page.subarray(at + NODE_HEADER, at + NODE_HEADER + u16(page, at + 6))
  }
}

const u16 = (bytes: Uint8Array, at: number): number => bytes[at] | (bytes[at + 1] << 8)
const u48 = (bytes: Uint8Array, at: number): number =>
  u16(bytes, at) + u16(bytes, at + 2) * 0x10000 + u16(bytes, at + 4) * 0x100000000

export const keyBytes = (key: string | Uint8Array): Uint8Array =>
  typeof key === 'string' ? new TextEncoder().encode(key) : key

/** The file of a database that is named by its directory or directly. */
async function dataFile(path: string): Promise<string> {
  const { stat } = await importNode('node:fs/promises')
  const { join } = await importNode('node:path')
  const found = await stat(path).catch(error => {
    throw systemError(`cannot read '${path}'`, error)
  })
  return found.isDirectory() ? join(path, 'data.mdb') : path
}

function newestMeta(source: ByteSource): DataView {
  if (source.size < META_SIZE) throw new FormatError(`${source.name}: no LMDB file: only ${source.size} bytes`)
  const copy = (offset: number) => {
    const bytes = source.read(offset, META_SIZE).slice()
    return new DataView(bytes.buffer)
  }
  const first = copy(0)
  const isMeta = (view: DataView) => view.getUint32(META.magic, true) === MAGIC
  if (!isMeta(first)) throw new FormatError(`${source.name}: ${whatElse(first)}`)

  const version = first.getUint32(META.version, true)
  if (version !== DATA_VERSION)
    throw new FormatError(
      `${source.name}: LMDB data version ${version}; version ${DATA_VERSION} (LMDB 0.9, as Caffe uses) can be read`,
    )
  const pageSize = first.getUint32(META.freeDb + DB.pad, true)
  if (pageSize < 256 || pageSize > 65536 || (pageSize & (pageSize - 1)) !== 0)
    throw new FormatError(`${source.name}: damaged LMDB file: pages of ${pageSize} bytes`)
  if (source.size < pageSize + META_SIZE) return first

  // a write that was cut short leaves one of the two whole
  const second = copy(pageSize)
  if (!isMeta(second))
    throw new FormatError(`${source.name}: damaged LMDB file: there is no second meta page at byte ${pageSize}`)
  const valid = second.getUint32(META.version, true) === version
  const newer = valid && second.getBigUint64(META.transaction, true) > first.getBigUint64(META.transaction, true)
  const newest = newer ? second : first
  if (newest.getUint32(META.freeDb + DB.pad, true) !== pageSize)
    throw new FormatError(`${source.name}: damaged LMDB file: the meta pages disagree about the page size`)
  return newest
}

function whatElse(view: DataView): string {
  if (view.getUint32(META.magic) === MAGIC) return 'an LMDB file of a big-endian machine; convert it again on this one'
  if (view.getUint32(12, true) === MAGIC) return 'an LMDB file of a 32-bit machine; convert it again on a 64-bit one'
  return 'no LMDB file: its magic number is missing'
}

function integer(view: DataView, at: number, name: string): number {
  const value = view.getBigUint64(at, true)
  if (value > 2n ** 47n) throw new FormatError(`${name}: damaged LMDB file: a count of ${value}`)
  return Number(value)
}
