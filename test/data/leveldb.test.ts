import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openLevelRecords } from '../../lib/data/leveldb.js'
import { EngineError, RistrettoError } from '../../lib/errors.js'
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

async function writeLevel(name: string, records: number): Promise<string> {
  if (level instanceof Error) throw level
  const path = join(folder, name)
  const db = new level.ClassicLevel(path, { keyEncoding: 'view', valueEncoding: 'view' })
  await db.open()
  const record = (i: number) => ({
    type: 'put' as const,
    key: new TextEncoder().encode(String(i).padStart(8, '0')),
    value: writeDatum({ channels: 1, height: 2, width: 2, data: new Uint8Array(4).fill(i), label: i }),
  })
  await db.batch(Array.from({ length: records }, (_, i) => record(i)))
  await db.close()
  return path
}

const layer = (path: string) =>
  `layer { name: "d" type: "Data" top: "data" top: "label" data_param { source: "${path}" batch_size: 64 backend: LEVELDB } }`

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
