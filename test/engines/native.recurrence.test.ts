import { describe, expect, test } from 'vitest'
import type { HostEngine } from '../../lib/engine.js'
import { createEngine } from '../../lib/engines/index.js'
import { cutOf, rowsOf, streamsOf } from '../../lib/engines/native/onednn/cut.js'
import { EngineError } from '../../lib/errors.js'
import { Memory } from '../../lib/memory.js'
import { RandomStream } from '../../lib/rng.js'

const reason = await createEngine('native', { threads: 1 }).then(
  engine => (engine.join ? '' : 'there is no oneDNN here'),
  (error: unknown) => {
    if (!(error instanceof EngineError)) throw error
    return error.message
  },
)
const suite = reason ? describe.skip : describe

const STEPS = 5
const same = (a: Float32Array, b: Float32Array) => Buffer.compare(Buffer.from(a.buffer), Buffer.from(b.buffer)) === 0

/** States, gates and gradients of an LSTM and an RNN in two calls, between which the weights change. */
function results(engine: HostEngine, batch: number, hidden: number): Float32Array[] {
  const stream = new RandomStream(5, 'recurrence')
  const filled = (n: number, scale = 1) => {
    const memory = new Memory(n, engine.heap)
    memory.write(values => {
      for (let i = 0; i < n; i++) values[i] = scale * (2 * stream.uniform() - 1)
    })
    return memory
  }
  const out = (n: number) => new Memory(n, engine.heap)
  const [state, all] = [batch * hidden, STEPS * batch * hidden]
  const cont = out(STEPS * batch)
  cont.write(values => {
    for (let i = 0; i < values.length; i++) values[i] = i % 7 === 3 ? 0 : i % 5 === 1 ? 0.5 : 1
  })
  const { kernels } = engine
  return [4, 1].flatMap(gates => {
    const wh = filled(gates * hidden * hidden, 0.2)
    return [0, 1].flatMap(call => {
      if (call === 1) wh.write(values => values.fill(0.125, 3, 60))
      const [h0, g, conted, h, dh] = [filled(state), filled(gates * all), out(all), out(all), filled(all)]
      const dgates = out(gates * all)
      if (gates === 1) {
        kernels.rnn(STEPS, batch, hidden, cont, wh, h0, g, conted, h)
        kernels.rnnGradient(STEPS, batch, hidden, cont, wh, h, dh, dgates)
        return [g, conted, h, dgates].map(({ values }) => values.slice())
      }
      const [c, dc] = [filled(all + state), out(state)]
      kernels.lstm(STEPS, batch, hidden, cont, wh, h0, g, conted, c, h)
      dc.write(values => values.fill(0))
      kernels.lstmGradient(STEPS, batch, hidden, cont, wh, g, c, dh, dc, dgates)
      return [conted, c, h, dc, dgates].map(({ values }) => values.slice())
    })
  })
}

suite(`recurrent kernels by oneDNN${reason ? ` (skipped: ${reason})` : ''}`, () => {
  // in two and four groups of streams, the last of which may be smaller; seven streams have the engine's own products
  test.each([
    [7, 40],
    [8, 40],
    [11, 37],
    [27, 24],
  ])('%i streams of %i units: as the plain loops, in the same bits on 1, 2 and 3 threads', async (batch, hidden) => {
    const expected = results(await createEngine('js'), batch, hidden)
    const all: Float32Array[][] = []
    for (const threads of [1, 2, 3]) all.push(results(await createEngine('native', { threads }), batch, hidden))
    for (const [i, values] of expected.entries()) {
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      expect(largest).toBeGreaterThan(0.01)
      const worst = values.reduce((most, value, j) => Math.max(most, Math.abs(all[0][i][j] - value)), 0)
      expect(worst / largest).toBeLessThan(1e-5)
      for (const other of all.slice(1)) expect(same(other[i], all[0][i])).toBe(true)
    }
  })

  test('what is kept for them is counted', async () => {
    const engine = await createEngine('native', { threads: 2 })
    const nothing = new Memory(0, engine.heap)
    const kept = (batch: number) =>
      engine.dryRun!(({ kernels }) =>
        kernels.rnn(STEPS, batch, 64, ...([nothing, nothing, nothing, nothing, nothing, nothing] as const)),
      ).kept ?? 0
    expect(kept(7)).toBe(0)
    expect(kept(16)).toBeGreaterThan(4 * 64 * 64)
  })
})

test('sequences are cut by streams from eight on, and fewer by units whose weights fill half a megabyte', () => {
  expect([1, 7, 8, 11, 23, 24, 32].map(streamsOf)).toEqual([1, 7, 4, 6, 12, 6, 8])
  expect(cutOf(1, 128)).toEqual({ units: 128, streams: 1 })
  expect(cutOf(1, 256)).toEqual({ units: 128, streams: 1 })
  expect(cutOf(7, 200)).toEqual({ units: 112, streams: 7 })
  expect(cutOf(1, 2048)).toEqual({ units: 128, streams: 1 })
  expect(cutOf(16, 256)).toEqual({ units: 256, streams: 8 })
  expect([rowsOf(32, 1e4), rowsOf(100, 1e5), rowsOf(3, 1)]).toEqual([32, 40, 3])
})
