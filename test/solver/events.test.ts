import { describe, expect, test } from 'vitest'
import { parseSolver } from '../../lib/proto/text.js'
import type { SolverEvent } from '../../lib/solver/events.js'
import type { SolverOptions } from '../../lib/solver/options.js'
import { createSolver } from '../../lib/solver/rules/index.js'

const prototxt = (more: string): string => `
  net_param {
    name: "line"
    layer { name: "x" type: "DummyData" top: "x" top: "t" dummy_data_param {
      shape { dim: 4 dim: 2 } shape { dim: 4 dim: 1 } data_filler { value: 1 } data_filler { value: 3 } } }
    layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param {
      num_output: 1 weight_filler { value: 0.1 } } }
    layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "t" top: "loss" }
  }
  lr_policy: "fixed" base_lr: 0.01 test_iter: 2 test_interval: 2 display: 2 max_iter: 4 ${more}`

async function storyOf(more = '', options: SolverOptions = {}, edit = (text: string) => text): Promise<SolverEvent[]> {
  const events: SolverEvent[] = []
  using solver = await createSolver(parseSolver(edit(prototxt(more))), {
    engine: 'js',
    seed: 1,
    ...options,
    on: event => events.push(event),
  })
  await solver.solve()
  return events
}

describe('the story of a run', () => {
  test('in the order in which it happens', async () => {
    const events = await storyOf()
    expect(events.map(event => event.type)).toEqual([
      ...['begin', 'testBegin', 'test', 'display', 'rate', 'testBegin', 'test', 'display', 'rate', 'final'],
      ...['testBegin', 'test', 'end'],
    ])
    expect(events[0]).toEqual({ type: 'begin', iter: 0, maxIter: 4, net: 'line', policy: 'fixed' })
    expect(events.at(-1)).toEqual({ type: 'end', iter: 4, reason: 'done' })
  })

  test('a display has loss, rate, pace and outputs', async () => {
    const display = (await storyOf()).find(event => event.type === 'display')
    // (0.2 − 3)² / 2
    expect(display).toMatchObject({ iter: 0, lr: 0.01, interval: 2, outputs: [{ name: 'loss', lossWeight: 1 }] })
    expect(display?.type === 'display' && display.loss).toBeCloseTo(3.92, 5)
    expect(display?.type === 'display' && display.outputs[0].value).toBeCloseTo(3.92, 5)
  })

  test('clipped gradients and moved rates', async () => {
    const events = await storyOf('clip_gradients: 0.5')
    const clip = events.filter(event => event.type === 'clip')
    expect(clip.length).toBe(4)
    expect(clip[0].limit).toBe(0.5)
    expect(clip[0].norm).toBeGreaterThan(0.5)
    const steps = await storyOf('gamma: 0.5 stepvalue: 1', {}, text => text.replace('fixed', 'multistep'))
    expect(steps.filter(event => event.type === 'rate' && event.stage !== undefined)).toEqual([
      { type: 'rate', iter: 1, lr: 0.005, displayed: false, policy: 'multistep', stage: 1 },
    ])
  })

  test('a snapshot without a prefix, patience, a signal', async () => {
    const saved = await storyOf('snapshot: 3')
    expect(saved.filter(event => event.type === 'snapshot')).toEqual([
      { type: 'snapshot', iter: 3, format: 'binary proto', best: false },
    ])
    // a loss that falls is no better for someone who wants it to grow
    const patient = await storyOf('', { patience: { output: 'loss', better: 'max', tests: 1 } })
    expect(patient.find(event => event.type === 'patience')).toMatchObject({ iter: 2, output: 'loss', tests: 1 })
    expect(patient.at(-1)).toEqual({ type: 'end', iter: 2, reason: 'patience' })
    const stopped = await storyOf('', { signal: AbortSignal.abort() })
    expect(stopped.at(-1)).toEqual({ type: 'end', iter: 0, reason: 'stopped' })
  })

  test('a run that leaves the finite numbers', async () => {
    const events: SolverEvent[] = []
    using solver = await createSolver(
      parseSolver(prototxt('').replace('display: 2', 'display: 1').replace('0.01', '1e30')),
      {
        engine: 'js',
        seed: 1,
        on: event => events.push(event),
      },
    )
    await expect(solver.solve()).rejects.toThrow(/the loss is/)
    expect(events.filter(event => event.type === 'numerics').length).toBe(1)
    expect(events.at(-1)).toMatchObject({ type: 'end', reason: 'error' })
  })

  test('a loss that rises without end is a hint, though nothing is displayed', async () => {
    const blownUp = (text: string) => text.replace('display: 2', 'display: 0').replace('0.01', '3')
    const hints = (await storyOf('', {}, blownUp)).flatMap(event => (event.type === 'hint' ? event.text : []))
    expect(hints.at(-1)).toMatch(/^the loss has risen from 3\.92 to \S+: lower base_lr/)
    const calm = await storyOf('', {}, text => text.replace('display: 2', 'display: 0'))
    expect(calm.filter(event => event.type === 'hint' && event.text.includes('risen'))).toEqual([])
  })

  test.each([
    'momentum: nan',
    'weight_decay: inf',
    'clip_gradients: nan',
    'type: "Adam" momentum2: 1e39',
    'delta: -inf',
  ])('%s is refused before it is in the weights', async more => {
    const solver = createSolver(parseSolver(prototxt(more)), { engine: 'js' })
    await expect(solver).rejects.toThrow(/must be a finite number in single precision/)
  })

  test('a log is given lines alone, as console.log takes them', async () => {
    const calls: unknown[][] = []
    using solver = await createSolver(parseSolver(prototxt('')), {
      engine: 'js',
      seed: 1,
      log: (...line: unknown[]) => calls.push(line),
    })
    await solver.solve()
    expect(calls.length).toBeGreaterThan(10)
    expect(calls.filter(call => call.length !== 1)).toEqual([])
  })

  test('a listener can be taken away', async () => {
    using solver = await createSolver(parseSolver(prototxt('')), { engine: 'js', seed: 1 })
    let told = 0
    const away = solver.on(() => told++)
    await solver.test()
    expect(told).toBe(2)
    away()
    await solver.test()
    expect(told).toBe(2)
  })
})

test('a net without layers is not trained, and no prototxt is anything but text', async () => {
  const empty = createSolver(parseSolver('net_param { name: "none" } base_lr: 1 lr_policy: "fixed" max_iter: 1'))
  await expect(empty).rejects.toThrow("solver: net 'none' has no layer in phase TRAIN, so there is nothing to train")
  expect(() => parseSolver(new Uint8Array(3) as never)).toThrow(/the text of a prototxt is wanted, not an object/)
})
