import { RistrettoError, systemError } from '../errors.js'
import { mustTake } from '../system/arguments.js'
import { aFlag, anything, checkOptions } from '../system/check_options.js'
import { makeFolder } from '../system/make_folder.js'
import { importNode } from '../system/nodejs.js'
import { keyBytes } from './lmdb.js'
import {
  compareKeys,
  DATA_VERSION,
  DB,
  largestNode,
  MAGIC,
  MAX_DEPTH,
  MAX_KEY,
  META,
  NO_PAGE,
  NODE,
  NODE_HEADER,
  overflowPages,
  PAGE,
  PAGE_HEADER,
} from './lmdb_format.js'
import { bytesSink, fileSink, type Sink } from './sink.js'

/** How a database is written. */
export interface LmdbWriterOptions {
  /** Bytes per page; LMDB on most machines, and so Caffe, uses 4096. */
  pageSize?: number
  /** Replace a database that exists; without it that is an error, as with Caffe's tools. */
  overwrite?: boolean
}

interface Child {
  key: Uint8Array
  page: number
}

/** One level of branch pages under construction: the children of the page that is being filled. */
interface Level {
  children: Child[]
  bytes: number
}

/**
 * Writes an LMDB database in one go, from records in ascending order of their keys (Caffe's keys are zero-padded
 * numbers). Pages fill up completely, and the file appears under its name only when it is whole.
 */
export class LmdbWriter {
  readonly pageSize: number
  /** Records so far. */
  count = 0
  private nextPage = 2
  private readonly pages = { branch: 0, leaf: 0, overflow: 0 }
  private readonly levels: Level[] = []
  private leaf: { key: Uint8Array; page: number } | undefined
  private readonly leafBytes: Uint8Array
  private readonly leafView: DataView
  private lower = PAGE_HEADER
  private upper = 0
  private lastKey: Uint8Array | undefined

  private constructor(
    private readonly sink: Sink,
    options: LmdbWriterOptions,
  ) {
    mustTake(typeof sink?.write === 'function', 'LmdbWriter.create', "a path, 'train_lmdb', or a Sink", sink)
    this.pageSize = options.pageSize ?? 4096
    if (![512, 1024, 2048, 4096, 8192, 16384, 32768].includes(this.pageSize))
      throw new RistrettoError(`${this.pageSize} is no page size of LMDB; take a power of two from 512 to 32768`)
    this.leafBytes = new Uint8Array(this.pageSize)
    this.leafView = new DataView(this.leafBytes.buffer)
  }

  /**
   * Begin a database. Throws a RistrettoError if there is one already and `overwrite` is not set.
   * @param directory the database, as Caffe names it; its one file is data.mdb. Or where the bytes of that file go. Left
   * out: they come from `finish()`
   */
  static async create(directory: string | Sink = bytesSink(), options: LmdbWriterOptions = {}): Promise<LmdbWriter> {
    checkOptions('LmdbWriter.create', options, { pageSize: anything, overwrite: aFlag })
    if (typeof directory !== 'string') return new LmdbWriter(directory, options)
    const { access } = await importNode('node:fs/promises')
    const { join } = await importNode('node:path')
    const file = join(directory, 'data.mdb')
    const exists = await access(file).then(
      () => true,
      () => false,
    )
    if (exists && !options.overwrite)
      throw new RistrettoError(`the database '${directory}' exists already; remove it, or ask to overwrite it`)
    await makeFolder(directory).catch(error => {
      throw systemError(`cannot write '${directory}'`, error)
    })
    return new LmdbWriter(await fileSink(file), options)
  }

  /** Add a record. Keys must come in ascending order of their bytes, 1 to 511 bytes each, no two of them the same. */
  put(key: string | Uint8Array, value: Uint8Array): void {
    // typed arrays of the caller may be reused for the next record
    const bytes = typeof key === 'string' ? keyBytes(key) : key.slice()
    if (bytes.length === 0 || bytes.length > Math.min(MAX_KEY, largestNode(this.pageSize) - NODE_HEADER - 8))
      throw new RistrettoError(`an LMDB key has 1 to ${MAX_KEY} bytes, this one has ${bytes.length}`)
    if (value.length > 0xffffffff)
      throw new RistrettoError(`an LMDB value has at most 2³² − 1 bytes, this one has ${value.length}`)
    if (this.lastKey && compareKeys(this.lastKey, bytes) >= 0)
      throw new RistrettoError(
        `LMDB keys must ascend: '${text(bytes)}' came after '${text(this.lastKey)}'; sort the records, or number them in their order ("00000000", "00000001", …)`,
      )
    this.lastKey = bytes
    this.count++

    const whole = NODE_HEADER + bytes.length + value.length
    const big = whole > largestNode(this.pageSize)
    const size = even(big ? NODE_HEADER + bytes.length + 8 : whole)
    if (!this.leaf || this.lower + 2 + size > this.upper) {
      this.finishLeaf()
      this.leaf = { key: bytes, page: this.nextPage++ }
      this.leafBytes.fill(0)
      this.lower = PAGE_HEADER
      this.upper = this.pageSize
    }

    this.upper -= size
    const { leafView: view, leafBytes: page, upper: at } = this
    view.setUint16(this.lower, at, true)
    this.lower += 2
    view.setUint16(at, value.length & 0xffff, true)
    view.setUint16(at + 2, value.length >>> 16, true)
    view.setUint16(at + 4, big ? NODE.big : 0, true)
    view.setUint16(at + 6, bytes.length, true)
    page.set(bytes, at + NODE_HEADER)
    if (big) view.setBigUint64(at + NODE_HEADER + bytes.length, BigInt(this.writeOverflow(value)), true)
    else page.set(value, at + NODE_HEADER + bytes.length)
  }

  /** Complete the file and give it its name; without a directory, its bytes. */
  async finish(): Promise<Uint8Array | undefined> {
    this.finishLeaf()
    const root = this.finishBranches()
    const pages = this.nextPage
    this.sink.write(0, this.meta(0, 0, NO_PAGE, pages))
    this.sink.write(this.pageSize, this.meta(1, this.count ? this.levels.length + 1 : 0, root, pages))
    return this.sink.finish()
  }

  /** Give up: nothing is left behind. */
  abort(): void {
    this.sink.abort()
  }

  /** Writes a value on pages of its own and returns the first one's number. */
  private writeOverflow(value: Uint8Array): number {
    const page = this.nextPage
    const run = overflowPages(value.length, this.pageSize)
    const bytes = new Uint8Array(run * this.pageSize)
    const view = pageHeader(bytes, page, PAGE.overflow)
    view.setUint32(12, run, true)
    bytes.set(value, PAGE_HEADER)
    this.sink.write(page * this.pageSize, bytes)
    this.nextPage += run
    this.pages.overflow += run
    return page
  }

  private finishLeaf(): void {
    if (!this.leaf) return
    const view = pageHeader(this.leafBytes, this.leaf.page, PAGE.leaf)
    view.setUint16(12, this.lower, true)
    view.setUint16(14, this.upper, true)
    this.sink.write(this.leaf.page * this.pageSize, this.leafBytes)
    this.pages.leaf++
    this.addChild(0, this.leaf)
    this.leaf = undefined
  }

  private addChild(depth: number, child: Child): void {
    this.levels[depth] ??= { children: [], bytes: PAGE_HEADER }
    const level = this.levels[depth]
    const size = branchNodeSize(child)
    if (level.bytes + size > this.pageSize) {
      // LMDB wants two children at least on every branch page, so the last one waits for company
      const last = level.children.pop()!
      this.writeBranch(depth)
      level.children = [last]
      level.bytes = PAGE_HEADER + branchNodeSize(last)
    }
    level.children.push(child)
    level.bytes += size
  }

  private writeBranch(depth: number): void {
    const { children } = this.levels[depth]
    const page = this.nextPage++
    const bytes = new Uint8Array(this.pageSize)
    const view = pageHeader(bytes, page, PAGE.branch)
    let lower = PAGE_HEADER
    let upper = this.pageSize
    children.forEach((child, i) => {
      // the first child takes whatever is smaller than the second's key: its own is left empty
      const key = i === 0 ? child.key.subarray(0, 0) : child.key
      upper -= even(NODE_HEADER + key.length)
      view.setUint16(lower, upper, true)
      lower += 2
      view.setUint32(upper, child.page % 2 ** 32, true)
      view.setUint16(upper + 4, Math.floor(child.page / 2 ** 32), true)
      view.setUint16(upper + 6, key.length, true)
      bytes.set(key, upper + NODE_HEADER)
    })
    view.setUint16(12, lower, true)
    view.setUint16(14, upper, true)
    this.sink.write(page * this.pageSize, bytes)
    this.pages.branch++
    this.addChild(depth + 1, { key: children[0].key, page })
  }

  /** The root page; levels that turn out to be needless are dropped. */
  private finishBranches(): bigint {
    if (this.levels.length === 0) return NO_PAGE
    for (let depth = 0; ; depth++) {
      const { children } = this.levels[depth]
      if (depth === this.levels.length - 1 && children.length === 1) {
        this.levels.pop()
        if (this.levels.length >= MAX_DEPTH) throw new RistrettoError('too many records for one LMDB tree')
        return BigInt(children[0].page)
      }
      this.writeBranch(depth)
    }
  }

  private meta(number: number, depth: number, root: bigint, pages: number): Uint8Array {
    const bytes = new Uint8Array(this.pageSize)
    const view = pageHeader(bytes, number, PAGE.meta)
    view.setUint32(META.magic, MAGIC, true)
    view.setUint32(META.version, DATA_VERSION, true)
    view.setBigUint64(META.mapSize, BigInt(pages * this.pageSize), true)
    view.setUint32(META.freeDb + DB.pad, this.pageSize, true)
    // the free list is keyed by integers
    view.setUint16(META.freeDb + DB.flags, 0x08, true)
    view.setBigUint64(META.freeDb + DB.root, NO_PAGE, true)
    const empty = root === NO_PAGE
    const put = (field: number, value: number) =>
      view.setBigUint64(META.mainDb + field, BigInt(empty ? 0 : value), true)
    view.setUint16(META.mainDb + DB.depth, depth, true)
    put(DB.branchPages, this.pages.branch)
    put(DB.leafPages, this.pages.leaf)
    put(DB.overflowPages, this.pages.overflow)
    put(DB.entries, this.count)
    view.setBigUint64(META.mainDb + DB.root, root, true)
    view.setBigUint64(META.lastPage, BigInt(empty ? 1 : pages - 1), true)
    view.setBigUint64(META.transaction, BigInt(number), true)
    return bytes
  }
}

function pageHeader(bytes: Uint8Array, page: number, flags: number): DataView {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  view.setBigUint64(0, BigInt(page), true)
  view.setUint16(10, flags, true)
  return view
}

const even = (n: number): number => n + (n & 1)
const branchNodeSize = (child: Child): number => 2 + even(NODE_HEADER + child.key.length)
const text = (key: Uint8Array): string => new TextDecoder().decode(key)
