import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { RistrettoError } from '../../lib/errors.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { goldenPath } from '../golden.js'

interface Facts {
  nets: { name: string; prototxt: string; states: { phase: 'TRAIN' | 'TEST'; level: number; stages: string[] }[] }[]
}
const facts: Facts = JSON.parse(readFileSync(goldenPath('nets/facts.json'), 'utf8'))
const rejected: { nets: { name: string; prototxt: string; why: string }[] } = JSON.parse(
  readFileSync(goldenPath('nets/rejected.json'), 'utf8'),
)

/** Recorded numbers are printed float32: compare them as such. */
const rounded = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, v) => (typeof v === 'number' ? Math.fround(v) : v)))

describe('describe() says what Caffe builds', () => {
  for (const { name, prototxt, states } of facts.nets)
    for (const state of states)
      test(`${name} ${state.phase} level ${state.level} ${state.stages.join(' ')}`, async () => {
        const { phase, level, stages } = state
        const net = await Net.create(goldenPath(`nets/${prototxt}`), { phase, level, stages, engine: 'js', seed: 1 })
        expect(rounded(net.describe())).toEqual(rounded(state))
        net.dispose()
      })
})

describe('what Caffe refuses is refused, with a reason', () => {
  for (const { name, prototxt, why } of rejected.nets)
    test(`${name}: ${why}`, async () => {
      const build = async () => Net.create(parseNet(prototxt), { phase: 'TRAIN', engine: 'js', seed: 1 })
      const error = await build().then(
        () => undefined,
        (error: unknown) => error,
      )
      expect(error).toBeInstanceOf(RistrettoError)
      expect((error as Error).message.length).toBeGreaterThan(20)
    })
})
