import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { crc32c } from '../../lib/data/crc32c.js'
import { openLevelRecords } from '../../lib/data/leveldb.js'
import { checkLevelDb } from '../../lib/data/leveldb_check.js'
import { snappyDecode } from '../../lib/data/snappy.js'
import { EngineError, FormatError, RistrettoError } from '../../lib/errors.js'
import { writeDatum } from '../../lib/proto/datum.js'
import { netOf } from './golden_io.js'

const folder = await mkdtemp(join(tmpdir(), 'leveldb-'))
afterAll(() => rm(folder, { recursive: true }))

interface Level {
  open(): Promise<void>
  close(): Promise<void>
  batch(operations: { type: 'put'; key: Uint8Array; value: Uint8Array }[]): Promise<void>
}

const PACKAGE = 'classic-level'
const level = (await import(PACKAGE).catch((error: Error) => error)) as
  | Error
  | { ClassicLevel: new (path: string, options: object) => Level }
const missing = level instanceof Error
const why = missing ? ' (skipped: classic-level is not installed)' : ''

async function writeLevel(name: string, records: number, from = 0): Promise<string> {
  if (level instanceof Error) throw level
  const path = join(folder, name)
  const db = new level.ClassicLevel(path, { keyEncoding: 'view', valueEncoding: 'view' })
  await db.open()
  const record = (i: number) => ({
    type: 'put' as const,
    key: new TextEncoder().encode(String(i).padStart(8, '0')),
    value: writeDatum({ channels: 1, height: 2, width: 2, data: new Uint8Array(4).fill(i), label: i }),
  })
  await db.batch(Array.from({ length: records }, (_, i) => record(from + i)))
  await db.close()
  return path
}

const layer = (path: string) =>
  `layer { name: "d" type: "Data" top: "data" top: "label" data_param { source: "${path}" batch_size: 64 backend: LEVELDB } }`

/** All records, as text. */
async function records(path: string): Promise<string[]> {
  const cursor = await openLevelRecords(path)
  const found: string[] = []
  try {
    cursor.first()
    for (;;) {
      await cursor.wait?.()
      found.push(`${Buffer.from(cursor.key)} ${Buffer.from(cursor.value).toString('hex')}`)
      if (!cursor.next()) return found
    }
  } finally {
    cursor.close()
  }
}

describe('LevelDB', () => {
  it('needs its package, and says so', async () => {
    const opened = openLevelRecords('ilsvrc12_train_leveldb', () => Promise.reject(new Error('not there')))
    await expect(opened).rejects.toThrow(EngineError)
    await expect(opened).rejects.toThrow(
      /'ilsvrc12_train_leveldb' needs the package classic-level: npm install classic-level; or convert it to LMDB/,
    )
  })

  it.skipIf(missing)(`records come in key order, from the start again after the end${why}`, async () => {
    const net = await netOf(layer(await writeLevel('plain', 600)))
    for (let batch = 0; batch < 20; batch++) {
      const { data, label } = await net.forward()
      const expected = Array.from({ length: 64 }, (_, i) => (batch * 64 + i) % 600)
      expect([...label.data]).toEqual(expected)
      expect([...data.data]).toEqual(expected.flatMap(i => [i & 255, i & 255, i & 255, i & 255]))
    }
    const state = net.layers[0].saveState()!
    expect(state).toEqual({ item: 1280, record: 80, epoch: 2 })
    const next = await net.forward()
    // the same layer, while its database is still being closed
    net.layers[0].restoreState(state)
    expect(await net.forward()).toEqual(next)
    net.dispose()
  })

  it.skipIf(missing)(`a table that is damaged is a FormatError with the database's name${why}`, async () => {
    const damages: [string, (bytes: Buffer) => Buffer][] = [
      ['empty', () => Buffer.alloc(0)],
      ['half', bytes => bytes.subarray(0, bytes.length >> 1)],
      ['zeros', bytes => bytes.fill(0)],
      ['noise', bytes => bytes.map((_, i) => (i * 2654435761) >>> 24) as Buffer],
    ]
    for (const [name, damage] of damages) {
      const path = await writeLevel(`table ${name}`, 600)
      // opened once more, what was in the log is written to a table
      const again = await openLevelRecords(path)
      again.close()
      const next = await openLevelRecords(path)
      next.close()
      const settled = await openLevelRecords(path)
      settled.close()
      const tables = (await readdir(path)).filter(file => file.endsWith('.ldb'))
      expect(tables.length).toBeGreaterThan(0)
      for (const table of tables) await writeFile(join(path, table), damage(await readFile(join(path, table))))
      const read = (async () => {
        const cursor = await openLevelRecords(path)
        try {
          cursor.first()
          await cursor.wait?.()
        } finally {
          cursor.close()
        }
      })()
      await expect(read, name).rejects.toBeInstanceOf(RistrettoError)
      await expect(read, name).rejects.toThrow(path)
    }
  })

  it.skipIf(missing)(
    `a flipped bit, half a MANIFEST, a damaged log: the records as they were, or an error${why}`,
    async () => {
      // opened again, what was in the log is in a table
      await writeLevel('pristine', 800)
      const pristine = await writeLevel('pristine', 50, 800)
      const first = join(folder, 'first')
      await cp(pristine, first, { recursive: true })
      const whole = await records(first)
      expect(whole).toHaveLength(850)
      const files = (await readdir(pristine)).filter(name => /^MANIFEST|\.(ldb|log)$/.test(name))
      const filled = []
      for (const name of files) if ((await readFile(join(pristine, name))).length) filled.push(name)
      expect(new Set(filled.map(name => name.replace(/\d/g, '')))).toEqual(new Set(['MANIFEST-', '.ldb', '.log']))
      let refused = 0
      for (const name of filled) {
        const bytes = await readFile(join(pristine, name))
        const damages: Buffer[] = [bytes.subarray(0, bytes.length >> 1), bytes.subarray(0, bytes.length - 1)]
        for (let i = 0; i < 12; i++) {
          const flipped = Buffer.from(bytes)
          flipped[Math.floor((i * bytes.length) / 12)] ^= 1 << (i % 8)
          damages.push(flipped)
        }
        for (const [i, damage] of damages.entries()) {
          const copy = join(folder, `damaged-${name}-${i}`)
          await cp(pristine, copy, { recursive: true })
          await writeFile(join(copy, name), damage)
          try {
            expect(await records(copy), `${name} ${i}`).toEqual(whole)
          } catch (error) {
            if (!(error instanceof FormatError)) throw error
            expect(error.message).toMatch(`'${copy}' is damaged: ${name}`)
            refused++
          }
        }
        // a file that is not there
        const copy = join(folder, `without-${name}`)
        await cp(pristine, copy, { recursive: true })
        await rm(join(copy, name))
        await expect(records(copy), name).rejects.toThrow(/is damaged: .*(is missing|that is there)/)
      }
      expect(refused).toBeGreaterThan(filled.length * 12)
    },
  )

  it.skipIf(missing)(`tables beyond the first are looked at when their keys come${why}`, async () => {
    const path = await writeLevel('late', 600)
    await writeLevel('late', 0)
    const table = join(path, (await readdir(path)).find(name => name.endsWith('.ldb'))!)
    const bytes = await readFile(table)
    bytes[100] ^= 4
    await writeFile(table, bytes)
    await expect(checkLevelDb(path)).rejects.toThrow(/wrong checksum/)
    const check = await checkLevelDb(path, { atOnce: 0 })
    await check.upTo(new TextEncoder().encode('0'))
    await expect(check.upTo(new TextEncoder().encode('00000000'))).rejects.toThrow(/wrong checksum/)
  })

  it('checksums and compressed blocks', () => {
    expect(crc32c(new TextEncoder().encode('123456789')) >>> 0).toBe(0xe3069283)
    expect(crc32c(new Uint8Array(32)) >>> 0).toBe(0x8a9136aa)
    const unpack = (...bytes: number[]) => [
      ...snappyDecode(Uint8Array.from(bytes), message => new FormatError(message)),
    ]
    // 3 bytes as they are, then 6 from 2 before, which overlap
    expect(unpack(9, 0b1000, 1, 2, 3, 0b1001, 2)).toEqual([1, 2, 3, 2, 3, 2, 3, 2, 3])
    expect(unpack(5, 0b0, 7, 0b1110, 1, 0)).toEqual([7, 7, 7, 7, 7])
    expect(unpack(2, 60 << 2, 1, 8, 9)).toEqual([8, 9])
    for (const wrong of [
      [],
      [3, 0b1000, 1],
      [9, 0b1000, 1, 2, 3, 0b1001, 4],
      [9, 0b1000, 1, 2, 3, 0b1001, 0],
      [200, 200, 200, 200, 1, 0],
      [4, 0b1000, 1, 2, 3],
      [2, 0b1000, 1, 2, 3],
    ])
      expect(() => unpack(...wrong), String(wrong)).toThrow(FormatError)
  })

  it.skipIf(missing)(`rand_skip may pass the end; an empty or missing database is an error${why}`, async () => {
    const cursor = await openLevelRecords(await writeLevel('short', 5))
    cursor.first()
    cursor.skip(13)
    await cursor.wait?.()
    expect(new TextDecoder().decode(cursor.key)).toBe('00000003')
    cursor.close()
    await expect(netOf(layer(await writeLevel('empty', 0)))).rejects.toThrow(/holds no records/)
    await expect(openLevelRecords(join(folder, 'nowhere'))).rejects.toThrow(RistrettoError)
  })
})
