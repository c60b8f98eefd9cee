/** What Studio's workers weigh, and how they are named. */
import { gzipSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { type BuiltWorkers, buildWorkers } from '../../../scripts/studio_page/workers.js'

let built: BuiltWorkers
beforeAll(async () => {
  built = await buildWorkers()
})

/** In thousands of bytes: as they are, and packed together. */
function weight(names: readonly string[]): [bytes: number, packed: number] {
  const all = Buffer.concat(names.map(name => built.files.get(name)!))
  return [all.length / 1000, gzipSync(all).length / 1000]
}

test('a hub, a job and what looks load no more than they need before they run', () => {
  const most = { hub: [250, 88], job: [40, 15], inspector: [40, 15] } as const
  for (const [name, [bytes, packed]] of Object.entries(most)) {
    const [own, ownPacked] = weight(built.first[name as keyof typeof most])
    expect(own, name).toBeLessThan(bytes)
    expect(ownPacked, name).toBeLessThan(packed)
    // it is not nothing
    expect(own, name).toBeGreaterThan(10)
  }
})

/** Parts in the order in which they are run, as a worker without an origin gets them. */
const listed = (): string[] => JSON.parse(new TextDecoder().decode(built.files.get(built.programs.sandbox)))

test('code from elsewhere runs in the same parts: nothing of the library is there twice', () => {
  const parts = listed()
  expect(new Set(parts).size).toBe(parts.length)
  for (const name of built.texts) expect(parts).toContain(name)
  const own = parts.filter(name => /^sandbox-/.test(name))
  expect(own).toEqual([parts.at(-1)])
  expect(weight(own)[0]).toBeLessThan(5)
  // what the package gains; the texts are in it already
  const [bytes, packed] = weight([...built.files.keys()].filter(name => !built.texts.has(name)))
  expect(bytes).toBeLessThan(1850)
  expect(packed).toBeLessThan(592)
})

test('each part says what it needs, and all of that is there', () => {
  const needed = new Map<string, readonly string[]>()
  const part = Object.assign((name: string, needs: readonly string[]) => void needed.set(name, needs), { start() {} })
  const names = listed().slice(1)
  for (const name of names) new Function('part', new TextDecoder().decode(built.files.get(name)))(part)
  expect([...needed.keys()]).toEqual(names)
  for (const needs of needed.values()) for (const need of needs) expect(names).toContain(need)
  expect([...needed.values()].some(needs => needs.length > 3)).toBe(true)
})

test('the frame for code from elsewhere fetches nothing', () => {
  const frame = new TextDecoder().decode(built.files.get(built.programs.frame))
  expect(frame).toContain("connect-src 'none'")
  expect(frame).not.toContain("'unsafe-inline'")
})

test('names carry a hash of what is in the file, and packages are told of with their licences', () => {
  for (const name of built.files.keys())
    if (name !== 'THIRD-PARTY-WORKERS.txt') expect(name).toMatch(/-[A-Z0-9]{8}\.(js|json|html)$/)
  const licences = new TextDecoder().decode(built.files.get('THIRD-PARTY-WORKERS.txt'))
  for (const name of ['valibot', 'fflate', 'ndarray']) expect(licences).toMatch(new RegExp(`\\n/\\*! ${name} \\d`))
})
