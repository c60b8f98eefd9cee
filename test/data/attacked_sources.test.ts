import { mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { parseIdx } from '../../lib/data/idx.js'
import { LmdbReader } from '../../lib/data/lmdb.js'
import { LmdbWriter } from '../../lib/data/lmdb_writer.js'
import { FormatError } from '../../lib/errors.js'

const folder = mkdtempSync(join(tmpdir(), 'attacked-'))
afterAll(() => rmSync(folder, { recursive: true }))

const RECORDS = 3000
/** A tree of at least two levels. */
async function database(mark = 1): Promise<Uint8Array> {
  const writer = await LmdbWriter.create(undefined, {})
  for (let i = 0; i < RECORDS; i++) writer.put(String(i).padStart(8, '0'), new Uint8Array(200).fill(mark))
  return (await writer.finish())!
}
const whole = await database()
const { root, lastPage, pageSize, depth } = await LmdbReader.open(whole.slice())

const BRANCH = 1
const LEAF = 2
const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
const pagesOf = (kind: number) =>
  Array.from({ length: lastPage - 1 }, (_, i) => i + 2).filter(
    page => (view(whole).getUint16(page * pageSize + 10, true) & 0xff) === kind,
  )

/** Reads all of it: what a program does that trains on it. */
async function readAll(bytes: Uint8Array): Promise<number> {
  const db = await LmdbReader.open(bytes, 'attacked.mdb')
  let records = 0
  for (const _ of db) records++
  db.get('00000007')
  db.get('99999999')
  return records
}

describe('an LMDB file whose pages go in circles', () => {
  test('has branches over leaves', async () => {
    expect(depth).toBeGreaterThan(1)
    expect(await readAll(whole.slice())).toBe(RECORDS)
  })

  const targets: [string, (page: number, child: number) => number][] = [
    ['itself', page => page],
    ['the root', () => root],
    ['a meta page', () => 0],
    ['its first child', (_, child) => child],
    ['a page after the end', () => lastPage + 1],
  ]
  for (const [i, [what, target]] of targets.entries())
    test(`every child of every branch in turn replaced by ${what}`, { tags: i === 0 ? [] : 'ci' }, async () => {
      let tried = 0
      for (const page of pagesOf(BRANCH)) {
        const at = page * pageSize
        const count = (view(whole).getUint16(at + 12, true) - 16) >> 1
        const nodes = Array.from({ length: count }, (_, i) => at + view(whole).getUint16(at + 16 + 2 * i, true))
        const first = view(whole).getUint16(nodes[0], true)
        for (const node of nodes.slice(1)) {
          const bytes = whole.slice()
          const number = target(page, first)
          view(bytes).setUint16(node, number & 0xffff, true)
          view(bytes).setUint16(node + 2, number >>> 16, true)
          tried++
          const read = readAll(bytes)
          await expect(read, `node ${node}`).rejects.toBeInstanceOf(FormatError)
          await expect(read).rejects.toThrow('attacked.mdb')
        }
      }
      expect(tried).toBeGreaterThan(50)
    })

  test('a leaf that ends early loses no record without a word', async () => {
    const leaf = pagesOf(LEAF).at(-1)!
    const bytes = whole.slice()
    view(bytes).setUint16(leaf * pageSize + 12, 16 + 2, true)
    await expect(readAll(bytes)).rejects.toThrow(/damaged LMDB file: the tree holds \d+ of the 3000 records/)
  })
})

test.each([0, 1, 255, 257, 3000, 4095, 8191, 16384, 32768, 65536, 131072, 2 ** 31, 2 ** 32 - 1])(
  'an LMDB file of pages of %d bytes, which are others',
  async size => {
    const bytes = whole.slice()
    for (const meta of [0, pageSize]) view(bytes).setUint32(meta + 40, size, true)
    await expect(readAll(bytes)).rejects.toThrow(/attacked\.mdb: (damaged LMDB file|no LMDB)/)
  },
)

test('an LMDB file that is cut short while it is open', async () => {
  const path = join(folder, 'cut.mdb')
  for (const left of [0, 1, pageSize, 3 * pageSize + 17, whole.length >> 1]) {
    writeFileSync(path, whole)
    const db = await LmdbReader.open(path)
    const cursor = db.cursor()
    expect(cursor.first()).toBe(true)
    truncateSync(path, left)
    const readOn = () => {
      let records = 1
      while (cursor.next()) records++
      return records
    }
    expect(readOn).toThrow(FormatError)
    db.close()
  }
})

test('a file that is replaced while it is read stays the one that was opened', async () => {
  const path = join(folder, 'replaced.mdb')
  writeFileSync(path, whole)
  writeFileSync(join(folder, 'other.mdb'), await database(2))
  const db = await LmdbReader.open(path)
  const cursor = db.cursor()
  cursor.first()
  renameSync(join(folder, 'other.mdb'), path)
  let records = 1
  for (; cursor.next(); records++) expect(cursor.value[0]).toBe(1)
  expect(records).toBe(RECORDS)
  db.close()
  const next = await LmdbReader.open(path)
  expect(next.get('00000000')?.[0]).toBe(2)
  next.close()
})

describe('idx headers that say more than there is', () => {
  const most = 2 ** 32 - 1
  test.each([
    [[most]],
    [[most, most]],
    [[2 ** 31, 2]],
    [[65536, 65536]],
    [[65536, 65536, most]],
    [[0, most]],
    [Array(255).fill(most)],
    [Array(255).fill(1)],
  ])('%j', shape => {
    const bytes = new Uint8Array(4 + 4 * shape.length + 8)
    bytes.set([0, 0, 8, shape.length])
    shape.forEach((size, i) => view(bytes).setUint32(4 + 4 * i, size))
    expect(() => parseIdx(bytes, 'attacked.idx')).toThrow(FormatError)
    expect(() => parseIdx(bytes, 'attacked.idx')).toThrow('attacked.idx')
  })
})
