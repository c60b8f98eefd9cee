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
  const most = { hub: [220, 80], job: [40, 15], inspector: [700, 250] } as const
  for (const [name, [bytes, packed]] of Object.entries(most)) {
    const [own, ownPacked] = weight(built.first[name as keyof typeof most])
    expect(own, name).toBeLessThan(bytes)
    expect(ownPacked, name).toBeLessThan(packed)
    // it is not nothing
    expect(own, name).toBeGreaterThan(10)
  }
})

test('the program for code from elsewhere is one script that imports nothing', () => {
  const [bytes, packed] = weight([built.programs.sandbox])
  expect(bytes).toBeLessThan(2100)
  expect(packed).toBeLessThan(720)
  const frame = new TextDecoder().decode(built.files.get(built.programs.frame))
  expect(frame).toContain("connect-src 'none'")
  expect(frame).not.toContain("'unsafe-inline'")
})

test('names carry a hash of what is in the file, and packages are told of with their licences', () => {
  for (const name of built.files.keys())
    if (name !== 'THIRD-PARTY-WORKERS.txt') expect(name).toMatch(/-[A-Z0-9]{8}\.(js|html)$/)
  const licences = new TextDecoder().decode(built.files.get('THIRD-PARTY-WORKERS.txt'))
  for (const name of ['valibot', 'fflate', 'ndarray']) expect(licences).toMatch(new RegExp(`\\n/\\*! ${name} \\d`))
})
