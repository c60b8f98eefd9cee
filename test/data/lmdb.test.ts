import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { LmdbReader } from '../../lib/data/lmdb.js'
import { LmdbWriter } from '../../lib/data/lmdb_writer.js'
import { FormatError, RistrettoError } from '../../lib/errors.js'
import { RandomStream } from '../../lib/rng.js'

const golden = (path: string) => new URL(`../golden/io/${path}`, import.meta.url).pathname
const folder = await mkdtemp(join(tmpdir(), 'lmdb-'))
afterAll(() => rm(folder, { recursive: true }))

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const key = (i: number) => String(i).padStart(8, '0')

const pattern = Uint8Array.from({ length: 30256 }, (_, i) => i * 31)

/** Values from nothing at all to many pages, the same for the same i. */
function value(i: number): Uint8Array {
  const stream = new RandomStream(7, 'lmdb')
  stream.iteration = i
  const size = [0, 1, 17, 795, 2000, 2037, 4079, 4080, 4081, 30000][stream.integer(10)]
  return pattern.subarray(i & 255, (i & 255) + size)
}

async function bytesOf(records: number, options = {}, make = value): Promise<Uint8Array> {
  const writer = await LmdbWriter.create(undefined, options)
  for (let i = 0; i < records; i++) writer.put(key(i), make(i))
  return (await writer.finish())!
}

/** npm lmdb in the build that reads the same file format. */
const oracle = await import('lmdb').catch((error: Error) => error)
const oracleIt = it.skipIf(oracle instanceof Error)
const oracleName = oracle instanceof Error ? ` (skipped: lmdb cannot be loaded: ${oracle.message})` : ''

describe('reading what Caffe wrote', () => {
  it('walks 200 MNIST records in order, from the file and from its bytes', async () => {
    const bytes = await readFile(golden('mnist_200_lmdb/data.mdb'))
    for (const source of [golden('mnist_200_lmdb'), golden('mnist_200_lmdb/data.mdb'), new Uint8Array(bytes)]) {
      const db = await LmdbReader.open(source)
      expect(db.count).toBe(200)
      expect([...db].map(record => text(record.key))).toEqual(Array.from({ length: 200 }, (_, i) => key(i)))
      db.close()
    }
  })

  it('reads image records with names in their keys, on overflow pages', async () => {
    const db = await LmdbReader.open(golden('images_raw_lmdb'))
    const records = [...db]
    expect(records.map(record => text(record.key))).toEqual([
      '00000000_c0.png',
      '00000001_g2.png',
      '00000002_c3.png',
      '00000003_g5.png',
    ])
    expect(records.map(record => record.value.length)).toEqual(records.map(() => 20 * 24 * 3 + 13))
    db.close()
  })

  it('skips, seeks and starts again', async () => {
    const db = await LmdbReader.open(golden('mnist_200_lmdb'))
    const cursor = db.cursor()
    cursor.first()
    expect(cursor.skip(123)).toBe(true)
    expect(text(cursor.key)).toBe(key(123))
    expect(cursor.skip(76)).toBe(true)
    expect(cursor.next()).toBe(false)
    expect(cursor.skip(5)).toBe(false)
    expect(cursor.seek('00000150')).toBe(true)
    expect(text(cursor.key)).toBe(key(150))
    expect(cursor.seek('000001500')).toBe(true)
    expect(text(cursor.key)).toBe(key(151))
    expect(cursor.seek('')).toBe(true)
    expect(text(cursor.key)).toBe(key(0))
    expect(cursor.seek('00000200')).toBe(false)
    expect(db.get('00000007')).toHaveLength(795)
    expect(db.get('7')).toBeUndefined()
    db.close()
  })
})

describe('writing', () => {
  it.each([0, 1, 2, 5, 6, 500, 1500])('%d records come back', async records => {
    const db = await LmdbReader.open(await bytesOf(records))
    expect(db.count).toBe(records)
    let i = 0
    for (const record of db) {
      expect(text(record.key)).toBe(key(i))
      expect(Buffer.compare(record.value, value(i))).toBe(0)
      i++
    }
    expect(i).toBe(records)
    expect(db.cursor().first()).toBe(records > 0)
  })

  it.each([512, 1024, 32768])('pages of %d bytes, several levels deep', async pageSize => {
    const short = (i: number) => value(i).subarray(0, 40)
    const db = await LmdbReader.open(await bytesOf(4000, { pageSize }, short))
    expect(db.pageSize).toBe(pageSize)
    if (pageSize === 512) expect(db.depth).toBe(3)
    for (let i = 0; i < 4000; i += 37) expect(Buffer.compare(db.get(key(i))!, short(i))).toBe(0)
    const cursor = db.cursor()
    cursor.first()
    expect(cursor.skip(3999)).toBe(true)
    expect(text(cursor.key)).toBe(key(3999))
    expect(cursor.next()).toBe(false)
  })

  oracleIt(`npm lmdb reads every record, shallow and deep${oracleName}`, async () => {
    for (const [records, make] of [
      [1200, value],
      [60_000, (i: number) => Uint8Array.of(i, i >> 8)],
      [1, value],
      [0, value],
    ] as const) {
      const path = join(folder, `oracle_${records}`)
      const writer = await LmdbWriter.create(path)
      for (let i = 0; i < records; i++) writer.put(key(i), make(i))
      await writer.finish()

      if (oracle instanceof Error) throw oracle
      const db = oracle.open({ path, keyEncoding: 'binary', encoding: 'binary', readOnly: true })
      let i = 0
      for (const record of db.getRange()) {
        expect(String(record.key)).toBe(key(i))
        if (Buffer.compare(record.value, make(i)) !== 0) throw new Error(`record ${i} differs`)
        i++
      }
      expect(i).toBe(records)
      expect((db.getStats() as { entryCount: number }).entryCount).toBe(records)
      for (const k of [0, 1, records >> 1, records - 1])
        if (k >= 0 && k < records) expect(db.get(Buffer.from(key(k)))).toBeDefined()
      await db.close()
    }
  })

  oracleIt(`we read what npm lmdb wrote in random order, with deletions${oracleName}`, async () => {
    if (oracle instanceof Error) throw oracle
    const path = join(folder, 'written_by_lmdb')
    const db = oracle.open({ path, keyEncoding: 'binary', encoding: 'binary', compression: false, noMemInit: false })
    const order = Uint32Array.from({ length: 2000 }, (_, i) => i)
    new RandomStream(3, 'order').shuffle(order)
    await db.transaction(() => {
      for (const i of order) db.put(Buffer.from(key(i)), Buffer.from(value(i)))
    })
    await db.transaction(() => {
      for (let i = 0; i < 2000; i += 3) db.remove(Buffer.from(key(i)))
    })
    await db.close()

    const reader = await LmdbReader.open(path)
    const kept = Array.from({ length: 2000 }, (_, i) => i).filter(i => i % 3 !== 0)
    expect(reader.count).toBe(kept.length)
    let n = 0
    for (const record of reader) {
      const i = kept[n++]
      expect(text(record.key)).toBe(key(i))
      expect(Buffer.compare(record.value, value(i))).toBe(0)
    }
    expect(n).toBe(kept.length)
    reader.close()
  })

  it('wants ascending keys, and refuses to replace a database unasked', async () => {
    const writer = await LmdbWriter.create()
    writer.put('b', new Uint8Array(1))
    expect(() => writer.put('a', new Uint8Array(1))).toThrow(/must ascend: 'a' came after 'b'/)
    expect(() => writer.put('b', new Uint8Array(1))).toThrow(RistrettoError)
    expect(() => writer.put('', new Uint8Array(1))).toThrow(/1 to 511 bytes/)

    const path = join(folder, 'kept')
    await (await LmdbWriter.create(path)).finish()
    await expect(LmdbWriter.create(path)).rejects.toThrow(/exists already/)
    const second = await LmdbWriter.create(path, { overwrite: true })
    second.put('x', new Uint8Array(3))
    second.abort()
    expect((await LmdbReader.open(path)).count).toBe(0)
  })

  it('a database appears only when it is whole', async () => {
    const path = join(folder, 'late')
    const writer = await LmdbWriter.create(path)
    writer.put('a', new Uint8Array(1))
    await expect(stat(join(path, 'data.mdb'))).rejects.toThrow()
    await writer.finish()
    expect((await LmdbReader.open(path)).count).toBe(1)
  })
})

describe('damaged files', () => {
  it('names what is wrong', async () => {
    await expect(LmdbReader.open(new Uint8Array(10))).rejects.toThrow(FormatError)
    await expect(LmdbReader.open(new Uint8Array(8192))).rejects.toThrow(/magic number is missing/)
    const bytes = await bytesOf(100)
    const version2 = bytes.slice()
    version2[20] = 2
    await expect(LmdbReader.open(version2)).rejects.toThrow(/data version 2; version 1/)
    await expect(LmdbReader.open(bytes.slice(0, -4096))).rejects.toThrow(/the header speaks of/)
  })

  it('a tree that bites its tail ends in an error', async () => {
    const bytes = await bytesOf(3000, {}, () => new Uint8Array(100))
    const db = await LmdbReader.open(bytes)
    const view = new DataView(bytes.buffer)
    // every child of the root becomes the first leaf
    const root = db.root * 4096
    const children = (view.getUint16(root + 12, true) - 16) / 2
    for (let i = 0; i < children; i++) view.setUint32(root + view.getUint16(root + 16 + 2 * i, true), 2, true)
    view.setBigUint64(4096 + 88 + 32, 50n, true)
    const looped = await LmdbReader.open(bytes)
    expect(() => [...looped]).toThrow(/keys of a page do not follow/)
  })

  it('2,000 files with flipped bytes give records or a FormatError, in no time', async () => {
    const clean = await bytesOf(300, { pageSize: 512 }, i => value(i).subarray(0, 600))
    const stream = new RandomStream(11, 'flips')
    let refused = 0
    for (let trial = 0; trial < 2000; trial++) {
      stream.iteration = trial
      const bytes = clean.slice()
      // half of the flips hit the headers of pages, a quarter those of the database
      for (let flip = 0; flip < 4; flip++) {
        const places = [
          stream.integer(bytes.length),
          512 + 88 + stream.integer(64),
          512 * stream.integer(bytes.length / 512) + stream.integer(40),
        ]
        bytes[places[Math.min(flip, 2)]] ^= 1 << stream.integer(8)
      }
      try {
        const db = await LmdbReader.open(bytes)
        let records = 0
        for (const _ of db) records++
        expect(records).toBeLessThanOrEqual(db.count)
      } catch (error) {
        if (!(error instanceof FormatError)) throw error
        refused++
      }
    }
    expect(refused).toBeGreaterThan(1000)
  })
})
