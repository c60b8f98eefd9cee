import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createSolver, EngineError, Net, NetError, parseNet, parseSolver } from '../../lib/index.js'
import { hostEngines } from '../engines.js'
import { inputLayer } from '../shapes.js'

const input = (...dims: number[]) => inputLayer('x', dims)
const layer = (type: string, param: string) => `layer { name: "l" type: "${type}" bottom: "x" top: "y" ${param} }`

describe.each(hostEngines)('on %s', engine => {
  const make = (text: string, options: object) =>
    Net.create(parseNet(text), { engine, seed: 1, threads: 1, ...options })

  // every row: a net, and the multiply-adds of its forward pass
  const works: [string, number][] = [
    // 2 images, 4 outputs of 3 channels under 3×3, 6×6 places; the copies of the input count one each
    [
      input(2, 3, 8, 8) + layer('Convolution', 'convolution_param { num_output: 4 kernel_size: 3 }'),
      2 * 4 * 3 * 9 * 36,
    ],
    [input(8, 50) + layer('InnerProduct', 'inner_product_param { num_output: 20 bias_term: false }'), 8 * 50 * 20],
    [input(1, 2, 40, 40) + layer('Pooling', 'pooling_param { pool: AVE kernel_size: 9 }'), 2 * 32 * 32 * 81],
    [input(1, 6, 5, 5) + layer('LRN', 'lrn_param { local_size: 301 norm_region: WITHIN_CHANNEL }'), 150 * 2 * 301],
    [input(1, 1000) + layer('ArgMax', 'argmax_param { top_k: 900 }'), 900_000],
  ]
  test.each(works)('maxWork is held against the multiply-adds of a pass: %#', async (text, work) => {
    const values = (net: Net) => net.blobs.x.count
    const net = await make(text, {})
    const all = work + values(net)
    net.dispose()
    const error = await make(text, { maxWork: work - 1 }).catch(error => error)
    expect(error).toBeInstanceOf(NetError)
    expect(error.message).toMatch(new RegExp(`^layer 'l' .* maxWork allows ${work - 1}$`))
    // bias and input beside it
    ;(await make(text, { maxWork: all + 1000 })).dispose()
  })

  test('what a backward pass takes counts in training, and a larger input counts when it comes', async () => {
    const text = `force_backward: true ${input(4, 10)} ${layer('InnerProduct', 'inner_product_param { num_output: 5 bias_term: false }')}`
    const pass = 4 * 10 * 5
    await expect(make(text, { phase: 'TRAIN', maxWork: 2 * pass })).rejects.toThrow(/layer 'l' .* maxWork/)
    const net = await make(text, { phase: 'TRAIN', maxWork: 3 * pass + 100 })
    await net.forward({ x: new Float32Array(40) })
    net.blobs.x.reshape([400, 10])
    await expect(net.forward()).rejects.toThrow(/maxWork allows 700/)
    net.dispose()
  })

  test('a solver tells its nets', async () => {
    const net = `${input(4, 10)} ${layer('InnerProduct', 'inner_product_param { num_output: 5 }')} layer { name: "loss" type: "Reduction" bottom: "y" top: "loss" loss_weight: 1 }`
    const solver = createSolver(parseSolver(`base_lr: 1 lr_policy: "fixed" net_param { ${net} }`), {
      engine,
      maxWork: 100,
    })
    await expect(solver).rejects.toThrow(/maxWork allows 100/)
  })

  test('a signal stops a pass between two layers', async () => {
    const net = await make(
      `${input(1, 4)} layer { name: "a" type: "ReLU" bottom: "x" top: "a" } layer { name: "b" type: "TanH" bottom: "a" top: "b" }`,
      {},
    )
    const stop = new AbortController()
    const seen: string[] = []
    net.beforeForward(name => {
      seen.push(name)
      if (name === 'a') stop.abort(new Error('enough'))
    })
    await expect(net.forward({ x: [1, 2, 3, 4] }, { signal: stop.signal })).rejects.toThrow('enough')
    expect(seen).toEqual(['x', 'a'])
    await expect(net.backward({}, { signal: AbortSignal.abort(new Error('no')) })).resolves.toEqual({})
    // the net goes on
    await net.forward()
    net.dispose()
  })
})

describe('timeLimit', () => {
  const text = `${input(64, 40)}
    layer { name: "l" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 300 weight_filler { value: 1 } } }
    layer { name: "z" type: "ReLU" bottom: "y" top: "z" }`
  const x = new Float32Array(64 * 40).fill(1)

  /** A net for whose layer l the time is up, as soon as it has begun. */
  async function lateNet(engine: string, threads?: number) {
    const net = await Net.create(parseNet(text), { engine: engine as 'js', threads })
    let now = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now)
    onTestFinished(() => clock.mockRestore())
    net.beforeForward(name => {
      now = name === 'l' ? 1000 : 0
    })
    return net
  }

  test.each([1, 2])('stops a layer in the middle, and the engine goes on: %d threads', async threads => {
    const net = await lateNet('wasm', threads)
    const error = await net.forward({ x }, { timeLimit: 10 }).catch(error => error)
    expect(error).toBeInstanceOf(EngineError)
    expect(error.message).toMatch(/^layer 'l' \(InnerProduct\): the time of the pass was up while it ran \(timeLimit\)/)
    const { z } = await net.forward({ x })
    expect([z.get(0, 0), z.get(63, 299)]).toEqual([40, 40])
    const { z: again } = await net.forward({ x }, { timeLimit: 2000 })
    expect(again.get(63, 299)).toBe(40)
    net.dispose()
  })

  test('ends a pass of plain loops before the next layer', async () => {
    const net = await lateNet('js')
    const late = net.forward({ x }, { timeLimit: 10 })
    await expect(late).rejects.toThrow("layer 'z' (ReLU): the time of the pass was up before it (timeLimit)")
    await expect(net.forward({ x }, { timeLimit: -1 })).rejects.toThrow(/timeLimit/)
    net.dispose()
  })
})

describe('maxMemory counts what kernels work with', () => {
  // blobs of a few KiB; padded images of 16 MiB and more
  const padded = `${input(1, 1, 8, 8)} ${layer('Convolution', 'convolution_param { num_output: 1 kernel_size: 3 pad: 1000 stride: 1500 }')}`
  test('padded images, when the net is made', async () => {
    const net = (maxMemory: number) => Net.create(parseNet(padded), { engine: 'wasm', threads: 1, maxMemory })
    await expect(net(2 ** 20)).rejects.toThrow(
      /^layer 'l' \(Convolution\): its kernels work with \d+ bytes, .* 1048576 bytes/,
    )
    ;(await net(2 ** 26)).dispose()
  })
  test('rows between pads, when a larger picture comes', async () => {
    const text = `${input(1, 1, 8, 8)} ${layer('Pooling', 'pooling_param { kernel_size: 3000 pad: 2999 stride: 3000 }')}`
    await expect(Net.create(parseNet(text), { engine: 'wasm', threads: 1, maxMemory: 2 ** 16 })).rejects.toThrow(
      /^layer 'l' \(Pooling\): its kernels work with \d+ bytes/,
    )
    const wide = await Net.create(
      parseNet(`${input(1, 1, 1, 8)} ${layer('Pooling', 'pooling_param { kernel_h: 1 kernel_w: 2 }')}`),
      { engine: 'wasm', threads: 1, maxMemory: 2 ** 18 },
    )
    wide.blobs.x.reshape([1, 1, 1, 30_000])
    await expect(wide.forward()).rejects.toThrow(/its kernels work with \d+ bytes/)
    wide.dispose()
  })
})
