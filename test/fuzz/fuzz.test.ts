import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import {
  createSolver,
  FormatError,
  layerTypes,
  Net,
  NetError,
  parseNet,
  parseSolver,
  RistrettoError,
} from '../../lib/index.js'
import { plainHeap } from '../../lib/memory.js'
import { writeMessage } from '../../lib/proto/wire.js'
import { hostEngines } from '../engines.js'
import { goldenPath } from '../golden.js'
import { inputLayer } from '../shapes.js'
import { makeCase, runCase } from './cases.js'
import { nets } from './corpus.js'
import { fuzz } from './fuzz.js'
import { targets } from './targets.js'

test('some hundred damaged inputs of every kind end in a value or a typed error', async () => {
  const report = await fuzz({ seed: 1, cases: 600 })
  expect(report.failures, 'again with FUZZ_SEED=1 FUZZ_FROM=<case> FUZZ_CASES=1 FUZZ_VERBOSE=1 npm run fuzz').toEqual(
    [],
  )
  expect(report.cases).toBe(600)
  expect(Object.keys(report.outcomes).sort()).toEqual(targets.map(target => target.name).sort())
  expect(report.rss[1] - report.rss[0]).toBeLessThan(500 * 2 ** 20)
})

test('every type of layer is among what is damaged', () => {
  const texts = new TextDecoder().decode(Buffer.concat(nets().map(({ bytes }) => bytes)))
  const missing = layerTypes().filter(type => !texts.includes(`type: "${type}"`))
  // what reads or writes files of its own, what runs modules, and second names; what is new goes into own_layers.ts
  expect(missing.filter(type => !/(Data|Output)$|^(Python|CtcLoss|SeLu)$/.test(type))).toEqual([])
})

test('a reader that hangs, crashes or prints is reported by the number of its case', async () => {
  const child = fileURLToPath(new URL('broken_child.ts', import.meta.url))
  const { failures } = await fuzz({ seed: 1, cases: 6, child, hang: 700 })
  expect(failures.map(failure => [failure.case, failure.message])).toEqual([
    [1, 'it hangs: no end after 0.7 s'],
    [3, 'the process ended with 7'],
    [4, 'something was printed: oh\n'],
  ])
})

test('what is no typed error, has no message or takes too long is a failure', async () => {
  const run = (run: () => unknown, maxTime?: number) =>
    runCase({ ...makeCase(1, 1), target: { name: 'x', weight: 1, seeds: () => [], run } }, maxTime)
  const thrown = (error: unknown) =>
    run(() => {
      throw error
    })
  expect(await run(() => 1)).toEqual({ kind: 'value' })
  expect(await thrown(new NetError('no'))).toEqual({ kind: 'NetError', message: 'no' })
  expect((await thrown(new TypeError('x'))).message).toMatch(/^not a typed error: TypeError: x/)
  expect((await thrown(new FormatError(''))).message).toMatch(/without a message/)
  const busy = await run(() => {
    const start = process.cpuUsage()
    for (let used = start; used.user + used.system < 60_000 + start.user + start.system; used = process.cpuUsage())
      makeCase(1, 1)
  }, 50)
  expect(busy).toMatchObject({ kind: 'failure', message: expect.stringMatching(/^it took \d+ ms, allowed are 50$/) })
})

test('a case is a function of seed and number', () => {
  const [a, b, c] = [makeCase(5, 77), makeCase(5, 77), makeCase(6, 77)]
  expect(a).toEqual(b)
  expect([a.target.name, a.file, [...a.bytes]]).not.toEqual([c.target.name, c.file, [...c.bytes]])
})

const input = (...dims: number[]) => inputLayer('x', dims)

describe('shapes beyond memory are refused before anything is taken', () => {
  const layer = (type: string, param: string) => `layer { name: "l" type: "${type}" bottom: "x" top: "y" ${param} }`
  const nets: [what: string, text: string, message: RegExp][] = [
    ['an input', input(2_000_000_000), /the (net needs|.* tops are)/],
    [
      'a product beyond 2^31',
      input(2_000_000_000, 2_000_000_000),
      /blob 'x' \[2000000000, 2000000000\] has .* values, at most 2147483647/,
    ],
    [
      'weights',
      input(1, 3) + layer('InnerProduct', 'inner_product_param { num_output: 700000000 }'),
      /no memory for 2100000000 values/,
    ],
    [
      'weights beyond 2^31',
      input(1, 3, 8, 8) + layer('Convolution', 'convolution_param { num_output: 1000000000 kernel_size: 3 }'),
      /blob 'l\[0\]' .* has 27000000000 values/,
    ],
    [
      'a filled top',
      'layer { name: "d" type: "DummyData" top: "y" dummy_data_param { shape { dim: 2000000000 } } }',
      /no memory for 2000000000 values/,
    ],
    [
      'a padded top',
      input(1, 3, 8, 8) + layer('Convolution', 'convolution_param { num_output: 2 kernel_size: 3 pad: 1000000000 }'),
      /layer 'l' \(Convolution\): 8 values with a pad of 1000000000 .* kernels count 1073741824 at most/,
    ],
    ['tiles', input(1, 3) + layer('Tile', 'tile_param { tiles: 2000000000 }'), /blob 'y' .* values/],
    [
      'time steps',
      `${input(500_000_000, 1, 1)} ${inputLayer('c', '500000000×1')}
       layer { name: "l" type: "LSTM" bottom: "x" bottom: "c" top: "y" recurrent_param { num_output: 1 weight_filler { type: "xavier" } } }`,
      /layer 'l' \(LSTM\): bottom 0 has 500000000 time steps/,
    ],
  ]
  for (const engine of hostEngines)
    for (const [what, text, message] of nets)
      test(`${what} on ${engine}`, async () => {
        const error = await Net.create(parseNet(text), { engine, seed: 1, phase: 'TRAIN' }).catch(error => error)
        expect(error).toBeInstanceOf(RistrettoError)
        expect(error.message).toMatch(message)
      })

  test('maxMemory bounds what a net takes, and what it gives back counts', async () => {
    const make = (maxMemory: number, dims = [10, 100]) =>
      Net.create(
        parseNet(
          `${input(...dims)} ${layer('InnerProduct', 'inner_product_param { num_output: 10 weight_filler { type: "xavier" } }')}`,
        ),
        {
          engine: 'js',
          seed: 1,
          maxMemory,
        },
      )
    // x 1000, weights 1000, bias 10, y 100
    const net = await make(4 * 2110)
    net.blobs.x.dataArray.fill(1)
    await net.forward()
    // the diffs come on top
    await expect(net.backward({}, { diffs: ['x'] })).rejects.toThrow(/no memory for \d+ values .* maxMemory/)
    await expect(make(4 * 2109)).rejects.toThrow(RistrettoError)
    net.blobs.x.reshape([100, 100])
    await expect(net.forward({ x: new Float32Array(10_000) })).rejects.toThrow(/no memory for 10000 values/)
  })

  test('an ordinary array that the system does not have is refused, too', () => {
    expect(() => plainHeap.allocate(2 ** 40)).toThrow(/no memory for 1099511627776 values/)
  })
})

describe('found by fuzzing', () => {
  test('messages quote no more than a part of long names', async () => {
    const name = 'x'.repeat(500_000)
    const error = await Net.create(parseNet(`layer { name: "${name}" type: "ReLU" bottom: "y" top: "y" }`), {
      engine: 'js',
    }).catch(e => e)
    expect(error).toBeInstanceOf(NetError)
    expect(error.message.length).toBeLessThan(5000)
    try {
      parseNet(`layer { phase: ${name} }`)
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError)
      expect((error as Error).message.length).toBeLessThan(5000)
    }
  })

  test('images are not resized beyond memory', async () => {
    const text = `layer { name: "d" type: "ImageData" top: "data" top: "label"
      image_data_param { source: "list.txt" root_folder: "test/golden/io/images/" batch_size: 1 new_height: 2147483648 new_width: 2147483648 } }`
    const files = (path: string) => (path === 'list.txt' ? new TextEncoder().encode('c0.png 1\n') : undefined)
    await expect(Net.create(parseNet(text), { engine: 'js', files })).rejects.toThrow(
      /an image of 3×2147483648×2147483648 cannot be made/,
    )
  })

  test('an axis of size 0 does not hide a huge one', async () => {
    const text = `${input(2, 0, 4294967295, 2)} layer { name: "s" type: "Softmax" bottom: "x" top: "y" }`
    await expect(Net.create(parseNet(text), { engine: 'js' })).rejects.toThrow(/has 0 times 17179869180 values/)
    const long = Net.create(parseNet(text.replace('4294967295', '500000000')), { engine: 'js', maxMemory: 2 ** 20 })
    await expect(long).rejects.toThrow(/tops are 2×0×500000000×2/)
  })

  test.each(hostEngines)('a convolution of no channels has its gradients, on %s', async engine => {
    const text = `force_backward: true ${input(2, 0, 7, 8)}
      layer { name: "c" type: "Convolution" bottom: "x" top: "y" convolution_param { num_output: 4 kernel_size: 3 bias_filler { value: 2 } } }`
    const net = await Net.create(parseNet(text), { engine, phase: 'TRAIN' })
    const { y } = await net.forward()
    expect([...new Set(y.data)]).toEqual([2])
    await net.backward()
    expect(net.params.c[0].count).toBe(0)
    net.dispose()
  })

  const lstm = `layer { name: "x" type: "DummyData" top: "x" top: "cont" dummy_data_param { shape { dim: 2 dim: 1 dim: 2 } shape { dim: 2 dim: 1 } } }
    layer { name: "lstm" type: "LSTM" bottom: "x" bottom: "cont" top: "h" recurrent_param { num_output: 4 weight_filler { type: "xavier" } } }`
  const hdf5 =
    'layer { name: "d" type: "HDF5Data" top: "data" hdf5_data_param { source: "hdf5/list.txt" batch_size: 2 } }'
  const images = `layer { name: "d" type: "ImageData" top: "data" top: "label"
    image_data_param { source: "images/list.txt" root_folder: "images/" new_height: 4 new_width: 4 } }`
  const at = (layer: string, state: string) =>
    `{"seed":1,"train":{"passes":0,"layers":{"${layer}":${state}}},"test":[]}`
  test.each([
    [hdf5, 'null', /positions of the random streams cannot be read/],
    [hdf5, '{"seed":1,"train":{"passes":0},"test":[]}', /cannot be read/],
    [hdf5, '{"seed":-1,"train":{"passes":0,"layers":{}},"test":[]}', /cannot be read/],
    [hdf5, '{"seed":1,"train":{"passes":0,"layers":{}},"test":[null]}', /cannot be read/],
    [hdf5, at('d', '{"file":"1"}'), /cannot be read/],
    [hdf5, at('d', '{"file":2}'), /layer 'd' \(HDF5Data\): the stored position does not fit its 2 files: file 2/],
    [hdf5, at('d', '{"row":0.5}'), /does not fit/],
    [hdf5, at('d', '{"row":1000}'), undefined],
    [images, at('d', '{"item":-1}'), /layer 'd' \(ImageData\): the stored position is damaged: item -1/],
    [lstm, at('lstm', '{"0.1":1,"7.0":1,"x":1,"0.-1":1,"0.0.5":1}'), undefined],
  ])('damaged positions in a solver state: %#', async (net, positions, message) => {
    const files = async (path: string) =>
      /^(hdf5|images)\//.test(path) ? new Uint8Array(readFileSync(goldenPath(`io/${path}`))) : undefined
    const solver = await createSolver(parseSolver(`base_lr: 1 lr_policy: "fixed" net_param { ${net} }`), {
      engine: 'js',
      seed: 1,
      files,
    })
    const history = solver.history.map(blob => ({ shape: { dim: blob.shape }, data: new Float32Array(blob.count) }))
    const state = writeMessage('SolverState', { iter: 3, history, ristretto_positions: positions })
    const going = solver.restore(state).then(() => solver.step(1))
    if (message) await expect(going).rejects.toThrow(message)
    else await going
  })
})
