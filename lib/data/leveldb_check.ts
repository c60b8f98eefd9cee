import { FormatError, systemError } from '../errors.js'
import { importNode } from '../system/nodejs.js'
import { crc32c } from './crc32c.js'
import { snappyDecode } from './snappy.js'

/**
 * What LevelDB does not look at unless it is told to, and the package has no way to tell it: the checksums of its blocks,
 * and whether the list of tables and the log are whole. It gives wrong values, or fewer records, without a word.
 */
export interface LevelCheck {
  /** Look at the tables that may hold keys up to `key`, those that were not looked at yet. */
  upTo(key: Uint8Array): Promise<void>
}

/** Bytes of tables that are looked at before the first record; the rest when their keys come. */
const AT_ONCE = 64 << 20

/** Log files: records in pieces, in blocks of 32 KiB; a piece is checksum, length, kind and bytes. */
const LOG_BLOCK = 32768
const PIECE_HEADER = 7

/** A table ends with two handles, padded to 40 bytes, and this number. */
const FOOTER = 48
const MAGIC = 0xdb4775248b80fb57n

interface Table {
  number: number
  bytes: number
  smallest: Uint8Array
}

/** Look at what a LevelDB that nobody has open holds, and reject with a FormatError that names the damaged file. */
export async function checkLevelDb(path: string, { atOnce = AT_ONCE } = {}): Promise<LevelCheck> {
  const { readFile, readdir } = await importNode('node:fs/promises')
  const read = (name: string): Promise<Uint8Array> =>
    readFile(`${path}/${name}`).catch((error: Error) => {
      throw systemError(`cannot read the LevelDB database '${path}'`, error)
    })
  const names = new Set(
    await readdir(path).catch((error: Error) => {
      throw systemError(`cannot open the LevelDB database '${path}'`, error)
    }),
  )
  const damaged = (name: string, what: string): FormatError =>
    new FormatError(`the LevelDB database '${path}' is damaged: ${name} ${what}`)
  if (!names.has('CURRENT')) throw damaged('CURRENT', 'is missing; it says which MANIFEST lists the tables')
  const current = new TextDecoder().decode(await read('CURRENT'))
  const manifest = current.trimEnd()
  if (!/^MANIFEST-\d+\n$/.test(current) || !names.has(manifest))
    throw damaged('CURRENT', 'does not name a MANIFEST that is there')

  const { tables, log, previousLog } = tablesOf(await read(manifest), what => damaged(manifest, what))
  for (const [number, name] of [...names].map(name => [logNumber(name), name] as const))
    if (number >= log || (number > 0 && number === previousLog))
      logRecords(await read(name), what => damaged(name, what))
  if (log > 0 && ![...names].some(name => logNumber(name) === log))
    throw damaged(manifest, `names the log ${padded(log)}.log, which is missing: records would be`)

  tables.sort((a, b) => compare(a.smallest, b.smallest))
  for (const table of tables) if (!nameOf(table, names)) throw damaged(`${padded(table.number)}.ldb`, 'is missing')
  let next = 0
  let open = false
  const look = async (table: Table): Promise<void> => {
    const name = nameOf(table, names)!
    // once it is open, LevelDB may have made another table of this one
    if (open && !(await readdir(path)).includes(name)) return
    checkTable(await read(name), table.bytes, what => damaged(name, what))
  }
  for (let left = atOnce; next < tables.length && left >= tables[next].bytes; next++) {
    left -= tables[next].bytes
    await look(tables[next])
  }
  open = true
  return {
    async upTo(key) {
      for (; next < tables.length && compare(tables[next].smallest, key) <= 0; next++) await look(tables[next])
    },
  }
}

type Damaged = (what: string) => FormatError

const nameOf = ({ number }: Table, names: Set<string>): string | undefined =>
  [`${padded(number)}.ldb`, `${padded(number)}.sst`].find(name => names.has(name))
const padded = (number: number): string => String(number).padStart(6, '0')
const logNumber = (name: string): number => Number(/^(\d+)\.log$/.exec(name)?.[1] ?? -1)

const compare = (a: Uint8Array, b: Uint8Array): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i] - b[i]
  return a.length - b.length
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Whether `stored` is the checksum of `bytes`: LevelDB turns and shifts what it stores. */
const matches = (stored: number, bytes: Uint8Array): boolean => {
  const crc = crc32c(bytes)
  return ((((crc >>> 15) | (crc << 17)) + 0xa282ead8) | 0) === (stored | 0)
}

/** The records of a log file. */
function logRecords(bytes: Uint8Array, damaged: Damaged): Uint8Array[] {
  const view = viewOf(bytes)
  const records: Uint8Array[] = []
  /** Of a record whose last piece is still to come. */
  let pieces: Uint8Array[] = []
  const place = (at: number) => `at byte ${at} of ${bytes.length}`
  for (let at = 0; at < bytes.length; ) {
    const left = LOG_BLOCK - (at % LOG_BLOCK)
    if (left < PIECE_HEADER) {
      at += left
      continue
    }
    if (at + PIECE_HEADER > bytes.length) throw damaged(`is cut short ${place(at)}`)
    const length = view.getUint16(at + 4, true)
    const kind = bytes[at + 6]
    if (length + PIECE_HEADER > left || kind > 4) throw damaged(`holds no record ${place(at)}`)
    if (at + PIECE_HEADER + length > bytes.length) throw damaged(`is cut short ${place(at)}`)
    const piece = bytes.subarray(at + PIECE_HEADER, at + PIECE_HEADER + length)
    // kind, then bytes, as they lie
    if (!matches(view.getInt32(at, true), bytes.subarray(at + 6, at + PIECE_HEADER + length)))
      throw damaged(`has a wrong checksum ${place(at)}`)
    const [whole, first, last] = [kind === 1, kind === 2, kind === 4]
    if (kind === 0 || (whole || first) !== (pieces.length === 0)) throw damaged(`lacks part of a record ${place(at)}`)
    pieces.push(piece)
    if (whole || last) {
      records.push(joined(pieces))
      pieces = []
    }
    at += PIECE_HEADER + length
  }
  if (pieces.length) throw damaged(`is cut short ${place(bytes.length)}`)
  return records
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}

/** Numbers of seven bits a byte, and bytes with their length before them. */
class Fields {
  at = 0
  constructor(
    private readonly bytes: Uint8Array,
    private readonly damaged: Damaged,
  ) {}

  get ended(): boolean {
    return this.at >= this.bytes.length
  }
  number(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      if (this.ended || scale > 2 ** 49) throw this.damaged('holds a number that does not end')
      const byte = this.bytes[this.at++]
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }
  take(length = this.number()): Uint8Array {
    if (length > this.bytes.length - this.at) throw this.damaged('holds a length that is longer than itself')
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }
}

/** What the edits of a MANIFEST come to: the tables that count, and the oldest log that does. */
function tablesOf(bytes: Uint8Array, damaged: Damaged): { tables: Table[]; log: number; previousLog: number } {
  const tables = new Map<number, Table>()
  let [log, previousLog] = [0, 0]
  for (const record of logRecords(bytes, damaged)) {
    const fields = new Fields(record, damaged)
    while (!fields.ended) {
      const tag = fields.number()
      if (tag === 1) {
        const order = new TextDecoder().decode(fields.take())
        if (order !== 'leveldb.BytewiseComparator') throw damaged(`orders its keys by '${order}', which is not known`)
      } else if (tag === 2) log = fields.number()
      else if (tag === 9) previousLog = fields.number()
      else if (tag === 3 || tag === 4) fields.number()
      else if (tag === 5) {
        fields.number()
        fields.take()
      } else if (tag === 6) {
        fields.number()
        tables.delete(fields.number())
      } else if (tag === 7) {
        fields.number()
        const [number, bytes, smallest] = [fields.number(), fields.number(), fields.take()]
        fields.take()
        // a key ends with eight bytes of LevelDB's own
        tables.set(number, { number, bytes, smallest: smallest.subarray(0, Math.max(0, smallest.length - 8)) })
      } else throw damaged(`holds a field ${tag}, which is not known`)
    }
  }
  return { tables: [...tables.values()], log, previousLog }
}

/** Every block of a table has its checksum behind it; the index, the last of them, says where they are. */
function checkTable(bytes: Uint8Array, length: number, damaged: Damaged): void {
  if (bytes.length !== length) throw damaged(`has ${bytes.length} bytes, the MANIFEST says ${length}`)
  if (length < FOOTER || viewOf(bytes).getBigUint64(length - 8, true) !== MAGIC)
    throw damaged('does not end as a table does')
  const block = (at: number, size: number): Uint8Array => {
    const end = at + size
    if (end + 5 > length - FOOTER) throw damaged(`names a block at byte ${at} of ${size} bytes, which is not there`)
    if (!matches(viewOf(bytes).getInt32(end + 1, true), bytes.subarray(at, end + 1)))
      throw damaged(`has a wrong checksum for the ${size} bytes from ${at} on`)
    const contents = bytes.subarray(at, end)
    if (bytes[end] === 0) return contents
    if (bytes[end] === 1) return snappyDecode(contents, damaged)
    throw damaged(`is compressed in the way ${bytes[end]}, which is not known`)
  }
  const footer = new Fields(bytes.subarray(length - FOOTER, length - 8), damaged)
  block(footer.number(), footer.number())
  const index = block(footer.number(), footer.number())
  // entries, then where some of them start, then how many those are
  const starts = index.length < 4 ? 0 : viewOf(index).getUint32(index.length - 4, true)
  const entries = index.length - 4 - 4 * starts
  if (entries < 0) throw damaged('holds an index that is too short')
  const fields = new Fields(index.subarray(0, entries), damaged)
  while (!fields.ended) {
    fields.number()
    const key = fields.number()
    const value = fields.number()
    fields.take(key)
    const handle = new Fields(fields.take(value), damaged)
    block(handle.number(), handle.number())
  }
}
