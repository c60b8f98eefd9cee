import { describe, expect, it, test } from 'vitest'
import { createSolver, Layer, Net, parseNet, parseSolver, RistrettoError, registerLayer } from '../../lib/index.js'
import type { MemoryDataLayer } from '../../lib/layers/memory_data.js'
import type { NetOptions } from '../../lib/net/options.js'
import { arrayToBlobProto, arrayToDatum, Transformer } from '../../lib/pycaffe/index.js'
import { Keeper } from '../../lib/solver/keeper.js'
import type { SolverOptions } from '../../lib/solver/options.js'
import { ndarrayOf } from '../../lib/system/ndarrays.js'

const any = (value: unknown) => value as never
const NET = `input: "x" input_shape { dim: 1 dim: 2 }
  layer { name: "ip" type: "InnerProduct" bottom: "x" top: "l" inner_product_param { num_output: 1 } }`
const net = (options: NetOptions = {}) => Net.create(parseNet(NET), { engine: 'js', ...options })
const solver = (options: SolverOptions = {}) =>
  createSolver(
    parseSolver(`base_lr: 0.1 lr_policy: "fixed" net_param { layer { name: "d" type: "DummyData" top: "x"
      dummy_data_param { shape { dim: 1 dim: 2 } } } layer { name: "ip" type: "InnerProduct" bottom: "x" top: "l"
      loss_weight: 1 inner_product_param { num_output: 1 } } }`),
    { engine: 'js', ...options },
  )

describe('an option that is not what it must be is refused by its name', () => {
  const wrong: Record<string, readonly unknown[]> = {
    level: ['x', Number.NaN, 1.5],
    stages: ['train', [5]],
    threads: [0, 1.5, Number.NaN, '2'],
    // a limit that is no number would limit nothing
    maxMemory: [Number.NaN, '1e6', -1, null],
    maxWork: [Number.NaN, '1e6', -1, null],
    maxFile: [Number.NaN, '1e6', -1, null],
    seed: [Number.NaN, 'x', 1.5, -1],
    log: ['console', null],
    streams: ['yes', 1],
    outputs: [5, '', null],
    files: [true, 'folder', null],
  }
  it.each(Object.entries(wrong))('%s, of nets and solvers', async (name, values) => {
    for (const value of values)
      for (const make of [net, solver])
        await expect(make({ [name]: value })).rejects.toThrow(
          new RegExp(`^the option ${name} is ('?${String(value)}'?|an object); it must be `),
        )
  })

  it.each([
    ['optimize', ['train', true]],
    ['keep', ['x']],
  ])('%s, of nets', async (name, values) => {
    for (const value of values) await expect(net({ [name]: value })).rejects.toThrow(`the option ${name} is`)
  })

  it.each([
    ['signal', 5],
    ['checkNumerics', 'sometimes'],
    ['keepLast', 0],
    ['keepLast', Number.NaN],
    ['keepBest', 'accuracy'],
    ['patience', { output: 'l' }],
    ['tests', 'x', { patience: { output: 'l', tests: 'x' } }],
    ['better', 'maximum', { patience: { output: 'l', tests: 1, better: 'maximum' } }],
  ])('%s, of solvers', async (name, value, options?: object) => {
    await expect(solver(options ?? { [name]: value })).rejects.toThrow(`the option ${name} `)
  })

  it('of passes', async () => {
    const toy = await net()
    await expect(toy.forward({ x: [1, 2] }, { signal: any(5) })).rejects.toThrow('the option signal is 5')
    await expect(toy.forward({ x: [1, 2] }, { blobs: any('x') })).rejects.toThrow("the option blobs is 'x'")
    await expect(toy.backward({ l: [1] }, { diffs: any('x') })).rejects.toThrow("the option diffs is 'x'")
  })
})

describe('what programs hand over is numbers', () => {
  const item = { channels: 1, height: 1, width: 2, label: 3 }
  const memory = () =>
    Net.create(
      parseNet(`layer { name: "m" type: "MemoryData" top: "x" top: "y"
        memory_data_param { batch_size: 1 channels: 1 height: 1 width: 2 } }`),
      { engine: 'js' },
    )
  const layerOf = (made: Net) => made.layers[0] as MemoryDataLayer

  it.each([
    [{ ...item, float_data: [1, null] }, "layer 'm' (MemoryData): datum 0: float_data[1] must be a number, not null"],
    [{ ...item, float_data: [1, 'x'] }, "datum 0: float_data[1] must be a number, not 'x'"],
    [{ ...item, float_data: [1, undefined] }, 'datum 0: float_data[1] must be a number, not undefined'],
    [{ ...item, float_data: new BigInt64Array(2) }, 'datum 0: float_data[0] must be a number'],
    [{ ...item, data: [1, 2] }, 'datum 0: data must be a Uint8Array'],
    [{ ...item, float_data: [1, 2], label: null }, 'datum 0: its label is null'],
    [{ ...item, float_data: [1, 2], label: 'x' }, "datum 0: label must be an integer (int32), not 'x'"],
    [{ ...item, float_data: [1, 2], label: 1.5 }, 'datum 0: label must be an integer (int32), not 1.5'],
    [{ ...item, float_data: [1, 2], channels: '1' }, "datum 0: channels must be an integer (int32), not '1'"],
    [null, 'datum 0: Datum must be an object'],
  ])('addDatumVector %#', async (datum, message) => {
    const layer = layerOf(await memory())
    expect(() => layer.addDatumVector([any(datum)])).toThrow(message)
    expect(() => layer.addDatumVector([any(datum)])).toThrow(RistrettoError)
    expect(() => layer.addDatumVector(any(null))).toThrow('takes a list')
  })

  it('good ones arrive as they are', async () => {
    const made = await memory()
    layerOf(made).addDatumVector([{ ...item, float_data: any([1, 2.5]) }])
    const { x, y } = await made.forward()
    expect([...x.data, ...y.data]).toEqual([1, 2.5, 3])
  })

  it('weights of a parsed model', async () => {
    const blobs = [{ shape: { dim: [1, 2] }, data: any([1, null]) }]
    const model = { layer: [{ name: 'ip', type: 'InnerProduct', blobs }] }
    await expect((await net()).copyFrom(model)).rejects.toThrow('copyFrom: layer[0].blobs[0].data[1] must be a number')
  })

  it('the state that a layer saves', async () => {
    class Forgetful extends Layer {
      override reshape(_: unknown, top: { reshape(shape: number[]): void }[]) {
        top[0].reshape([1])
      }
      override forward() {}
      override backward() {}
      override saveState() {
        return { drawn: Number.NaN }
      }
    }
    registerLayer('Forgetful', Forgetful)
    const made = await createSolver(
      parseSolver('base_lr: 1 lr_policy: "fixed" net_param { layer { name: "d" type: "Forgetful" top: "x" } }'),
      { engine: 'js' },
    )
    await expect(made.snapshot()).rejects.toThrow("layer 'd' (Forgetful): its saveState gives NaN as 'drawn'")
  })

  it('steps of a Transformer, and what messages are made of', () => {
    const transformer = new Transformer({ data: [1, 3, 2, 2] })
    for (const value of ['255', null, Number.NaN, undefined]) {
      expect(() => transformer.setRawScale('data', any(value))).toThrow("the raw scale of 'data' is")
      expect(() => transformer.setInputScale('data', any(value))).toThrow("the input scale of 'data' is")
    }
    expect(() => transformer.setTranspose('data', any('201'))).toThrow("the transpose of 'data' is a list")
    expect(() => transformer.setMean('data', any([1, null, 2]))).toThrow("the mean of 'data': the value at [1] is null")
    const array = ndarrayOf(new Float32Array(1), [1, 1, 1])
    for (const label of ['x', null, Number.NaN, 1.5, 2 ** 31])
      expect(() => arrayToDatum(array, any(label))).toThrow('the label of a Datum is a whole number of 32 bits')
    for (const given of [[[[1]]], null, 5]) {
      expect(() => arrayToDatum(any(given))).toThrow('a Datum is made of an ndarray')
      expect(() => arrayToBlobProto(any(given))).toThrow('a BlobProto is made of an ndarray')
    }
  })

  test('solver.iter', async () => {
    const made = await solver()
    made.iter = Number.NaN
    await expect(made.step(1)).rejects.toThrow('solver.iter is the number of updates so far, 0 or more, not NaN')
  })

  test('a test result that is no number is never the best', async () => {
    const saved: string[] = []
    const keeper = new Keeper({ keepBest: { output: 'l' } }, async () => saved.push('best'))
    for (const value of [Number.NaN, 2, Number.NaN, 3]) await keeper.tested([{ name: 'l', value, lossWeight: 0 }])
    expect(saved).toHaveLength(2)
  })
})
