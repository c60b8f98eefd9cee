import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { makeScene, SIZE, writeScenes } from '../../docs/examples/segnet/pictures.js'
import { evaluate } from '../../docs/examples/segnet/train.js'
import { randomFrom } from '../../docs/examples/ssd/shapes.js'
import { createSolver, Net } from '../../lib/index.js'

const folder = await mkdtemp(join(tmpdir(), 'segnet-'))
afterAll(() => rm(folder, { recursive: true }))

/** What the prototxt's lists and pictures are called there. */
const OUTPUT = 'examples-output/segnet/'
const files = async (path: string) =>
  path.startsWith(OUTPUT) ? new Uint8Array(await readFile(join(folder, path.slice(OUTPUT.length)))) : undefined

test('the small SegNet learns what pixels belong to, in a part of its iterations', async () => {
  await writeScenes(folder, 'train', 64, 1)
  await writeScenes(folder, 'test', 16, 2)
  const options = { engine: 'wasm', threads: 2, files } as const
  const solver = await createSolver('docs/examples/segnet/solver.prototxt', options)
  await solver.step(50)
  const net = await Net.create('docs/examples/segnet/net.prototxt', { ...options, phase: 'TEST' })
  const before = await evaluate(net, 2)
  net.shareWith(solver.net)
  const after = await evaluate(net, 2)
  expect(before.meanIou).toBeLessThan(0.3)
  expect(after.meanIou).toBeGreaterThan(0.35)
  expect(after.classes[0].iou).toBeGreaterThan(0.75)
  for (const { iou } of after.classes) expect(iou).toBeGreaterThan(0.1)
})

test('a scene has a label for each pixel, and noise where there is none', () => {
  const { picture, labels } = makeScene(randomFrom(5))
  expect([picture.length, labels.length]).toEqual([3 * SIZE * SIZE, SIZE * SIZE])
  expect(new Set(labels).has(0)).toBe(true)
  expect(Math.max(...labels)).toBeGreaterThan(0)
  labels.forEach((label, i) => {
    if (label === 0) expect(picture[3 * i]).toBeLessThanOrEqual(0.6)
  })
  expect(makeScene(randomFrom(5))).toEqual({ picture, labels })
})
