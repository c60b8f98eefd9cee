import { RistrettoError } from '../errors.js'
import type { ByteSource } from '../system/byte_source.js'
import { LmdbReader } from './lmdb.js'

/** Walks the records of a database in key order, and back to the start. */
export interface RecordCursor {
  /** Number of records, where the database knows it. */
  readonly count: number | undefined
  /** Of the current record: views that hold until the cursor moves. */
  readonly key: Uint8Array
  readonly value: Uint8Array
  /** Where records arrive piecemeal: a promise to wait for before this record is looked at. */
  wait?(): Promise<void> | undefined
  /** To the first record; false if there is none. */
  first(): boolean
  /** To the next record; false at the end. */
  next(): boolean
  /** Over `n` records; false if the end comes first. */
  skip(n: number): boolean
  close(): void
}

/** The records of an LMDB database: its directory, its data.mdb, or the bytes of that file, all or piece by piece. */
export async function openLmdbRecords(
  source: string | Uint8Array | ByteSource,
  name?: string,
): Promise<RecordCursor & { count: number }> {
  const db = await LmdbReader.open(source, name)
  const cursor = db.cursor()
  return {
    count: db.count,
    get key() {
      return cursor.key
    },
    get value() {
      return cursor.value
    },
    first: () => cursor.first(),
    next: () => cursor.next(),
    skip: n => cursor.skip(n),
    close: () => db.close(),
  }
}

/** The cursor, at record number `from`, over `items` records, from the first again after the last: where it is, and how often it began again. */
export async function skipRecords(
  cursor: RecordCursor,
  from: number,
  items: number,
): Promise<{ to: number; epochs: number }> {
  if (cursor.count === undefined) throw new RistrettoError('records of an unknown number cannot be shared')
  const at = from + items
  const epochs = Math.floor(at / cursor.count)
  const to = at % cursor.count
  if (epochs) cursor.first()
  cursor.skip(epochs ? to : items)
  await cursor.wait?.()
  return { to, epochs }
}
