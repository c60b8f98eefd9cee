/** Workers share the batches of a round by position, so that any number of them goes on where any other stopped. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Snapshot } from '../../lib/index.js'
import { goldenPath } from '../golden.js'
import { bits, sources, start } from '../solver/resume.js'
import { membersOf, temporaryFolder } from './groups.js'

/** Iterations of four batches before and after the pause: 28 items of 200 each, so that the data has begun anew, in an uneven place. */
const HALF = 9
const WHOLE = 4

const { 'an LSTM that goes on from batch to batch, and moving averages': _, ...shared } = sources
const folder = goldenPath('io/images')
/** Windows of two pictures: of two classes, and of the background. */
const windows = join(temporaryFolder(), 'windows.txt')
writeFileSync(
  windows,
  ['c0', 'c3']
    .map(
      (name, i) =>
        `# ${i}\n${folder}/${name}.png\n3\n20\n24\n5\n1 0.9 0 0 6 6\n2 0.8 2 2 9 9\n0 0.1 1 1 5 5\n0 0.2 4 0 9 8\n2 0.7 0 3 8 8\n`,
    )
    .join(''),
)
const kinds: Record<string, string> = {
  ...shared,
  'pictures that a thread reads ahead': `
    layer { name: "data" type: "ImageData" top: "data" top: "label" transform_param { scale: 0.01 crop_size: 8 mirror: true }
      image_data_param { source: "${folder}/list.txt" root_folder: "${folder}/" batch_size: 3 shuffle: true new_height: 12 new_width: 12 } }`,
  'windows of pictures': `
    layer { name: "data" type: "WindowData" top: "data" top: "label" transform_param { scale: 0.01 crop_size: 8 mirror: true }
      window_data_param { source: "${windows}" batch_size: 4 fg_threshold: 0.5 bg_threshold: 0.5 fg_fraction: 0.5 context_pad: 1 } }`,
}

/** Train with `workers` from a snapshot; what each member ends with, and member 0's snapshot. */
async function train(workers: number, source: string, iterations: number, from?: Snapshot) {
  const groups = workers > 1 ? await membersOf(workers) : [undefined]
  const ended = await Promise.all(
    groups.map(async (group, rank) => {
      const text = `iter_size: ${WHOLE / workers}`
      const run = await start('SGD', source, { engine: 'wasm', threads: 1, seed: 5, group }, text)
      const { solver } = run
      // the others are given what member 0 has
      if (from) await (rank === 0 ? solver.restore(from.state, from.model) : solver.restore('nowhere.solverstate'))
      await solver.step(iterations)
      const snapshot = await solver.snapshot()
      const end = { bits: bits(run), tests: run.tests, loss: await solver.loss(), snapshot }
      solver.dispose()
      return end
    }),
  )
  for (const { snapshot, ...end } of ended) {
    const { snapshot: _, ...first } = ended[0]
    expect(end).toEqual(first)
  }
  return ended[0]
}

describe('data', () => {
  for (const [i, [name, source]] of Object.entries(kinds).entries())
    it(`${name}: any number of workers goes on from any other`, { tags: i < 2 ? [] : 'ci' }, async () => {
      const half = await train(1, source, HALF)
      const whole = await train(1, source, HALF, half.snapshot)
      const states = new Set<string>()
      for (const [first, second] of [
        [2, 4],
        [4, 1],
      ]) {
        const before = await train(first, source, HALF)
        expect(before.bits).toEqual(half.bits)
        expect(before.tests).toEqual(half.tests)
        states.add(Buffer.from(before.snapshot.state as Uint8Array).toString('hex'))
        const after = await train(second, source, HALF, before.snapshot)
        expect(after.bits).toEqual(whole.bits)
        expect(after.tests).toEqual(whole.tests)
        expect(after.loss).toBe(whole.loss)
      }
      // what is saved does not say who saved it
      expect([...states]).toEqual([Buffer.from(half.snapshot.state as Uint8Array).toString('hex')])
    })
})
