import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { importDeflate } from '../../lib/data/inflate.js'
import { LmdbReader } from '../../lib/data/lmdb.js'
import { writePng } from '../../lib/data/png.js'
import { RandomStream } from '../../lib/rng.js'
import { bundled } from '../bundled.js'

const folder = mkdtempSync(join(tmpdir(), 'ristretto-killed-'))
const source = join(folder, 'in')
const output = join(folder, 'data')
afterAll(() => rmSync(folder, { recursive: true }))
beforeAll(async () => {
  const deflate = await importDeflate()
  for (const name of ['a', 'b']) {
    mkdirSync(join(source, name), { recursive: true })
    for (let i = 0; i < 400; i++)
      writeFileSync(
        join(source, name, `${i}.png`),
        writePng({ channels: 1, height: 16, width: 16, data: new Uint8Array(256).fill(i) }, deflate),
      )
  }
})

/** Run it; killed so many ms after its first picture, if it has not ended by then. */
async function run(script: string, delay?: number): Promise<string> {
  const child = spawn(process.execPath, [script, source, output], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<string>(resolve => child.on('close', (code, signal) => resolve(String(signal ?? code))))
  await Promise.race([ended, new Promise(resolve => child.stdout.once('data', resolve))])
  if (delay !== undefined) {
    await new Promise(resolve => setTimeout(resolve, delay))
    child.kill('SIGKILL')
  }
  return ended
}

/** A dataset that has its summary has all that the summary says. */
async function mustBeWhole(): Promise<boolean> {
  if (!existsSync(join(output, 'summary.json'))) return false
  const { sets } = JSON.parse(readFileSync(join(output, 'summary.json'), 'utf8')) as {
    sets: Record<string, { records: number }>
  }
  for (const [name, { records }] of Object.entries(sets)) {
    const reader = await LmdbReader.open(join(output, `${name}_db`))
    expect(reader.count).toBe(records)
    reader.close()
  }
  for (const name of ['labels.txt', 'mean.binaryproto']) expect(existsSync(join(output, name))).toBe(true)
  return true
}

test('what is killed leaves a whole dataset or none, and the next run takes its remains away', {
  tags: 'ci',
}, async () => {
  const script = await bundled('test/crash/make_dataset.ts')
  const random = new RandomStream(1, 'kill')
  for (let kill = 0; kill < 4; kill++) {
    await run(script, 60 * random.uniform())
    // where nothing was before, all appears at once
    if (!(await mustBeWhole())) expect(existsSync(output)).toBe(false)
  }
  expect(await run(script)).toBe('0')
  expect(await mustBeWhole()).toBe(true)
  expect(readdirSync(folder).sort()).toEqual(['data', 'in'])
  // and in the place of one that is there
  for (let kill = 0; kill < 4; kill++) {
    await run(script, 60 * random.uniform())
    await mustBeWhole()
  }
  expect(await run(script)).toBe('0')
  expect(await mustBeWhole()).toBe(true)
  expect(readdirSync(output).sort()).toEqual(['labels.txt', 'mean.binaryproto', 'summary.json', 'train_db', 'val_db'])
  expect(readdirSync(folder).sort()).toEqual(['data', 'in'])
})
