import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zipSync } from 'fflate'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bytesSource } from '../../lib/data/byte_source.js'
import { crc32 } from '../../lib/data/crc32.js'
import { importDeflate } from '../../lib/data/inflate.js'
import { LmdbReader } from '../../lib/data/lmdb.js'
import { unfinishedRecords } from '../../lib/data/lmdb_unfinished.js'
import { LmdbWriter } from '../../lib/data/lmdb_writer.js'
import { writePng } from '../../lib/data/png.js'
import { type MakeDatasetOptions, makeDataset } from '../../lib/tools/index.js'

const folder = await mkdtemp(join(tmpdir(), 'resume-'))
afterAll(() => rm(folder, { recursive: true }))
const deflate = await importDeflate()

/** So large that not all of them wait in memory to be written. */
const picture = (seed: number) =>
  writePng(
    {
      channels: 3,
      height: 100,
      width: 100,
      data: Uint8Array.from({ length: 30_000 }, (_, i) => ((seed + 1) * 7919 * (i + 1)) >> 5),
    },
    deflate,
  )

const folderOf = (i: number) => (i % 2 ? 'a' : 'b')
/** Long, so that a page of the database speaks of some twenty. */
const nameOf = (i: number) => `${folderOf(i)}/${'long '.repeat(36)}${i}.png`

/** A record in few words. */
const told = (key: Uint8Array, value: Uint8Array) => `${new TextDecoder().decode(key)} ${value.length} ${crc32(value)}`

describe('records of a database that was not finished', () => {
  it.each([
    ['small values', 300, 20],
    ['values with pages of their own', 40, 9000],
    ['both', 120, 0],
  ])('%s: all of them as far as they are whole, wherever it is cut', async (_, count, length) => {
    const writer = await LmdbWriter.create()
    for (let i = 0; i < count; i++)
      writer.put(String(i).padStart(8, '0'), new Uint8Array(length || [30, 5000][i % 2]).fill(i + 1))
    const whole = (await writer.finish())!
    const reader = await LmdbReader.open(whole)
    const all = [...reader].map(({ key, value }) => told(key, value))
    reader.close()
    const read = (bytes: Uint8Array) =>
      unfinishedRecords(bytesSource(bytes)).map(({ key, position, length }) =>
        told(key, bytes.subarray(position, position + length)),
      )
    expect(read(whole)).toEqual(all)
    let most = 0
    for (let end = 0; end < whole.length; end += Math.max(4091, whole.length >> 5)) {
      const some = read(whole.subarray(0, end))
      expect(some).toEqual(all.slice(0, some.length))
      expect(some.length).toBeGreaterThanOrEqual(most)
      most = some.length
    }
    expect(most).toBeGreaterThan(0)
    // pages that were not written yet, and nonsense
    const hole = whole.slice()
    hole.fill(0, 4096 * 2, 4096 * 3)
    expect(read(hole)).toEqual([])
    for (let at = 4096 * 2; at < 4096 * 2 + 20; at++) {
      const bytes = whole.slice()
      bytes[at] ^= 0xff
      expect(read(bytes).length).toBeLessThanOrEqual(all.length)
    }
  })
})

describe('makeDataset goes on where a run was killed', () => {
  const source = join(folder, 'photos')
  const zip = join(folder, 'photos.zip')
  beforeAll(async () => {
    const files: Record<string, Uint8Array> = {}
    for (let i = 0; i < 60; i++) {
      mkdirSync(join(source, folderOf(i)), { recursive: true })
      files[nameOf(i)] = picture(i)
      writeFileSync(join(source, nameOf(i)), files[nameOf(i)])
    }
    writeFileSync(join(source, 'a', 'bad.png'), 'text')
    writeFileSync(zip, zipSync(files))
    await makeDataset(source, { output: join(folder, 'whole') })
    whole = contents(join(folder, 'whole'))
    for (const from of [source, zip]) await stopped(from, `${from} left`)
    expect(Object.keys(whole).sort()).toEqual(
      ['labels.txt', 'mean.binaryproto', 'summary.json', 'train_db/data.mdb', 'val_db/data.mdb'].sort(),
    )
  })

  /** What the folder of a run holds after 50 pictures: the run itself is stopped, and leaves nothing. */
  async function stopped(from: string, copy: string): Promise<void> {
    const place = join(folder, 'stopped')
    mkdirSync(place)
    const stop = new AbortController()
    const run = makeDataset(from, {
      output: join(place, 'data'),
      threads: 1,
      signal: stop.signal,
      onProgress: done => {
        if (done !== 50) return
        const [name] = readdirSync(place)
        cpSync(join(place, name), copy, { recursive: true })
        stop.abort()
      },
    })
    await expect(run).rejects.toThrow(/abort/)
    expect(readdirSync(place)).toEqual([])
    rmdirSync(place)
  }

  let runs = 0
  /** An output for which a killed run left that, under the name of a process that is no more. */
  function killed(from: string): string {
    const output = join(folder, `run${++runs}`, 'data')
    cpSync(`${from} left`, `${output}.tmp-99999999-abc-1`, { recursive: true })
    return output
  }

  const contents = (output: string) =>
    Object.fromEntries(
      (readdirSync(output, { recursive: true }) as string[])
        .filter(name => statSync(join(output, name)).isFile())
        .map(name => [name, readFileSync(join(output, name)).toString('base64')]),
    )

  /** Run again; how many pictures were there already. */
  async function again(from: string, output: string, options: MakeDatasetOptions = {}): Promise<number> {
    let found = 0
    await makeDataset(from, { output, ...options, onResume: pictures => (found = pictures) })
    expect(readdirSync(join(output, '..'))).toEqual(['data'])
    return found
  }

  let whole: ReturnType<typeof contents>

  it.each([
    ['a folder', source, 1],
    ['a folder, on threads', source, 2],
    ['a zip', zip, 1],
  ])('of %s, to the same bytes', async (_, from, threads) => {
    const output = killed(from)
    expect(await again(from, output, { threads })).toBeGreaterThan(15)
    if (from === source) expect(contents(output)).toEqual(whole)
    else {
      await makeDataset(zip, { output: join(folder, 'zipped'), overwrite: true })
      expect(contents(output)).toEqual(contents(join(folder, 'zipped')))
    }
  })

  it('a picture that has changed since is read again, and so is what had no pages yet', async () => {
    const output = killed(source)
    for (let i = 0; i < 60; i++) {
      const file = join(source, nameOf(i))
      const { atime, mtime } = statSync(file)
      writeFileSync(file, picture(100 + i))
      // that its date is the old one does not matter
      utimesSync(file, atime, mtime)
    }
    const copy = join(output, '..', 'data.tmp-99999998-abc-1')
    cpSync(`${output}.tmp-99999999-abc-1`, copy, { recursive: true })
    const [mdb] = readdirSync(join(copy, 'train_db'))
    truncateSync(join(copy, 'train_db', mdb), 4096 * 9)
    // the one that got farther counts
    expect(await again(source, output)).toBeGreaterThan(15)
    await makeDataset(source, { output: join(folder, 'changed') })
    expect(contents(output)).toEqual(contents(join(folder, 'changed')))
    expect(contents(output)['train_db/data.mdb']).not.toBe(whole['train_db/data.mdb'])
  })

  it.each<[string, MakeDatasetOptions]>([
    ['another size', { size: 8 }],
    ['another seed', { seed: 2 }],
    ['stored files', { encode: 'png' }],
  ])('%s begins anew, and what was left goes', async (_, options) => {
    expect(await again(source, killed(source), options)).toBe(0)
  })

  it('other pictures of the same names, or a machine that was restarted since, begin anew', async () => {
    const other = join(folder, 'other')
    cpSync(source, other, { recursive: true })
    expect(await again(other, killed(source))).toBe(0)
    const output = killed(source)
    const plan = join(`${output}.tmp-99999999-abc-1`, 'plan.json')
    writeFileSync(plan, JSON.stringify({ ...JSON.parse(readFileSync(plan, 'utf8')), begun: 0 }))
    expect(await again(source, output)).toBe(0)
    const zipped = killed(zip)
    writeFileSync(zip, readFileSync(zip))
    expect(await again(zip, zipped)).toBe(0)
  })
})
