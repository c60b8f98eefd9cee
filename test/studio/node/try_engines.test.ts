/** Engines are tried by a process of its own, once, and what it dies of is no harm. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { type TriedEngines, tryEngines } from '../../../lib/studio/node/try_engines.js'
import { temporaryFolder } from '../built.js'

async function tried(text: string): Promise<TriedEngines> {
  const program = join(await temporaryFolder(), 'engines.mjs')
  await writeFile(program, text)
  const engines = tryEngines({ program: pathToFileURL(program), confined: false })
  onTestFinished(engines.close)
  return engines
}

async function settled(engines: TriedEngines, wanted: string): Promise<readonly string[]> {
  for (;;) {
    const names = await engines.names()
    if (names.includes(wanted)) return names
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

test('those that start are told of, also where the next one ends the process; nothing is tried twice', async () => {
  const log = join(await temporaryFolder(), 'log')
  const engines = await tried(`import { appendFileSync, writeSync } from 'node:fs'
appendFileSync(${JSON.stringify(log)}, process.argv.slice(2).join(' ') + ';' + (process.env.SECRET ?? ''))
writeSync(1, 'gpu\\n')
process.abort()`)
  process.env['SECRET'] = 'secret'
  onTestFinished(() => void delete process.env['SECRET'])
  expect(await settled(engines, 'gpu')).toEqual(['wasm', 'gpu', 'js'])
  expect(await engines.names()).toEqual(['wasm', 'gpu', 'js'])
  expect(await readFile(log, 'utf8')).toBe('native gpu;')
})

test('where nothing can be tried, or it takes long, there is what runs wherever Node does', async () => {
  expect(await (await tried('not a program')).names()).toEqual(['wasm', 'js'])
  expect(await (await tried('setInterval(() => {}, 1000)')).names()).toEqual(['wasm', 'js'])
})
