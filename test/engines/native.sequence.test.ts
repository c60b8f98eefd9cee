import { expect, describe as suite, test } from 'vitest'
import { createEngine } from '../../lib/engines/index.js'
import { EngineError } from '../../lib/errors.js'
import type { NetOptions } from '../../lib/net/options.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { RandomStream } from '../../lib/rng.js'

const reason = await createEngine('native', { threads: 1 }).then(
  engine => (engine.join ? '' : 'there is no oneDNN here'),
  (error: unknown) => {
    if (!(error instanceof EngineError)) throw error
    return error.message
  },
)

const [STEPS, VALUES, HIDDEN] = [9, 9, 24]
/** Many units with large weights make a net whose rounding errors grow from step to step. */
const range = (hidden: number) => (hidden > HIDDEN ? 0.1 : 0.3)
const lstm = (name: string, bottom: string, hidden: number) =>
  `layer { name: "${name}" type: "LSTM" bottom: "${bottom}" bottom: "cont" top: "${name}" recurrent_param { num_output: ${hidden} weight_filler { type: "uniform" min: -${range(hidden)} max: ${range(hidden)} } bias_filler { type: "uniform" min: -0.3 max: 0.3 } } }\n`
const text = (batch: number, hidden = HIDDEN) =>
  `layer { name: "x" type: "Input" top: "x" top: "cont" input_param { shape { dim: ${STEPS} dim: ${batch} dim: ${VALUES} } shape { dim: ${STEPS} dim: ${batch} } } }\n${lstm('a', 'x', hidden)}${lstm('b', 'a', hidden)}`
const make = (batch: number, options: NetOptions, hidden?: number) =>
  Net.create(parseNet(text(batch, hidden)), { phase: 'TEST', seed: 4, ...options })

/** Outputs of one pass after the other, each with its own values and cont. */
async function answers(
  net: Net,
  conts: readonly ((step: number, stream: number) => number)[],
): Promise<Float32Array[]> {
  const stream = new RandomStream(9, 'sequences')
  const results: Float32Array[] = []
  for (const cont of conts) {
    const batch = net.blobs.x.dim(1)
    const x = Float32Array.from({ length: net.blobs.x.count }, () => 2 * stream.uniform() - 1)
    const flags = Float32Array.from({ length: STEPS * batch }, (_, i) => cont(Math.floor(i / batch), i % batch))
    results.push((await net.forward({ x, cont: flags })).b.data as Float32Array)
  }
  return results
}
function expectNear(actual: readonly Float32Array[], expected: readonly Float32Array[]): void {
  for (const [pass, values] of expected.entries()) {
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    expect(largest).toBeGreaterThan(0.01)
    for (const [i, value] of values.entries()) expect(Math.abs(actual[pass][i] - value) / largest).toBeLessThan(1e-5)
  }
}
const begin = (step: number) => (step === 0 ? 0 : 1)
const goOn = () => 1

suite.skipIf(reason)(`sequences that oneDNN computes${reason ? ` (skipped: ${reason})` : ''}`, () => {
  // from 8 and from 24 streams on they are cut, fewer by units, of which 187 are more than one chunk
  test.each([
    [1, HIDDEN],
    [3, 13],
    [1, 200],
    [3, 187],
    [16, HIDDEN],
    [25, HIDDEN],
    [28, 13],
  ])(
    '%i streams of %i units: as layer by layer, the state goes on, in the same bits on 1, 2 and 3 threads',
    async (batch, hidden) => {
      const some = (step: number, n: number) => (step === 0 && n % 2 === 0 ? 0 : 1)
      const anew = (step: number, n: number) => (step === 2 && n === 0 ? 0 : 1)
      const half = (step: number) => (step === 3 ? 0.5 : 1)
      const conts = [begin, goOn, some, anew, goOn, half, goOn]
      const plain = await make(batch, { engine: 'js' }, hidden)
      const expected = await answers(plain, conts)
      const all: Float32Array[][] = []
      for (const threads of [1, 2, 3]) {
        const net = await make(batch, { engine: 'native', threads, optimize: 'inference' }, hidden)
        expect(net.explain()).toMatch(/^a .*oneDNN.*$/m)
        all.push(await answers(net, conts))
        net.dispose()
      }
      expectNear(all[0], expected)
      for (const other of all.slice(1)) expect(other).toEqual(all[0])
    },
  )

  test.each([2, 16])(
    'gates of %i streams that are far beyond what tells apart, and states that are no numbers',
    async batch => {
      const net = await make(batch, { engine: 'native', threads: 2, optimize: 'inference' })
      const plain = await make(batch, { engine: 'js' })
      const pass = async (each: Net, value: number, cont: number) => {
        const x = Float32Array.from({ length: each.blobs.x.count }, (_, i) => (i % 2 ? value : -value))
        return (await each.forward({ x, cont: new Float32Array(STEPS * batch).fill(cont) })).b.data as Float32Array
      }
      for (const value of [1e3, 1e30]) expectNear([await pass(net, value, 1)], [await pass(plain, value, 1)])
      expect((await pass(net, Number.POSITIVE_INFINITY, 1)).some(Number.isNaN)).toBe(true)
      expectNear([await pass(net, 1, 0)], [await pass(plain, 1, 0)])
    },
  )

  test.each([
    ['candidates far below beside an input gate that is nearly shut', [-2, 3, -1, -60]],
    ['states that go far below, of which an output gate shows little', [20, 20, -2, -60]],
  ])('%s', async (_, biases) => {
    const net = await make(2, { engine: 'native', threads: 2, optimize: 'inference' })
    const plain = await make(2, { engine: 'js' })
    const [wx, bias, wh] = plain.params.a
    for (const weights of [wx, wh]) weights.dataArray.fill(0)
    bias.dataArray.set(Array.from({ length: 4 * HIDDEN }, (_, i) => biases[Math.floor(i / HIDDEN)]))
    await net.copyFrom(await plain.toBytes())
    const conts = [begin, goOn, goOn, goOn, goOn, goOn]
    expectNear(await answers(net, conts), await answers(plain, conts))
  })

  test('small activations keep their share: nothing cancels near 0', async () => {
    const net = await make(2, { engine: 'native', threads: 2, optimize: 'inference' })
    const plain = await make(2, { engine: 'js' })
    for (const blob of [...plain.params.a, ...plain.params.b]) {
      const values = blob.dataArray
      for (let i = 0; i < values.length; i++) values[i] *= 1e-3
    }
    await net.copyFrom(await plain.toBytes())
    const [[got], [wanted]] = [await answers(net, [begin]), await answers(plain, [begin])]
    const largest = Math.max(...wanted.map(Math.abs))
    expect(largest).toBeLessThan(1e-3)
    for (const [i, value] of wanted.entries()) expect(Math.abs(got[i] - value) / largest).toBeLessThan(1e-5)
  })

  test('weights are followed, and those that can be written at any time are used as they are', async () => {
    const net = await make(2, { engine: 'native', threads: 2, optimize: 'inference' })
    const other = await make(2, { engine: 'js', seed: 77 })
    await answers(net, [begin])
    await net.copyFrom(await other.toBytes())
    expectNear(await answers(net, [begin]), await answers(other, [begin]))
    for (const value of [0.05, -0.1]) {
      for (const each of [net, other]) each.params.b[1].dataArray.fill(value)
      expectNear(await answers(net, [begin]), await answers(other, [begin]))
    }
  })

  test('states that others see go layer by layer', async () => {
    const shown = text(2)
      .replace('num_output: 24', 'num_output: 24 expose_hidden: true')
      .replace('bottom: "cont" top: "a"', 'bottom: "cont" bottom: "h" bottom: "c" top: "a" top: "ah" top: "ac"')
    const input = `layer { name: "s" type: "Input" top: "h" top: "c" input_param { shape { dim: 1 dim: 2 dim: ${HIDDEN} } } }\n`
    const options: NetOptions = { phase: 'TEST', seed: 4 }
    const net = await Net.create(parseNet(input + shown), { ...options, engine: 'native', optimize: 'inference' })
    expect(net.explain()).not.toMatch(/^a .*oneDNN.*$/m)
    const plain = await Net.create(parseNet(input + shown), { ...options, engine: 'js' })
    for (const { blobs } of [net, plain]) for (const name of ['h', 'c']) blobs[name].dataArray.fill(0.3)
    expectNear(await answers(net, [begin, goOn]), await answers(plain, [begin, goOn]))
  })

  test('hundreds of nets come and go, and leave nothing behind', async () => {
    const engine = await createEngine('native', { threads: 2 })
    const once = async () => {
      const net = await make(3, { engine, optimize: 'inference' })
      const values = await answers(net, [begin])
      net.dispose()
      return values
    }
    const expected = await once()
    const before = engine.heap.available!
    for (let i = 0; i < 100; i++) expect(await once()).toEqual(expected)
    expect(engine.heap.available!).toBeGreaterThan(before - 2 ** 20)
  })
})
