import { describe, expect, test } from 'vitest'
import { createSolver, Net, NetError, parseNet, parseSolver, RistrettoError } from '../../lib/index.js'
import { hostEngines } from '../engines.js'
import { inputLayer } from '../shapes.js'

/** `a` reads x, `b` reads t: two layers that may run apart. */
const text = `name: "two"
  ${inputLayer('x', '2×1')}
  layer { name: "a" type: "Power" bottom: "x" top: "a" power_param { scale: 10 } }
  ${inputLayer('t', '2')}
  layer { name: "b" type: "Power" bottom: "t" top: "b" power_param { scale: 10 } }`

const regression = `name: "line" layer { name: "in" type: "Input" top: "x" top: "t" input_param { shape { dim: 2 dim: 1 } shape { dim: 2 } } }
  layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 1 weight_filler { type: "xavier" } } }
  layer { name: "loss" type: "EuclideanLoss" bottom: "y" bottom: "t" top: "loss" }`

describe.each(hostEngines)('feeds on %s', engine => {
  const make = (prototxt = text) => Net.create(parseNet(prototxt), { engine })
  const values = (net: Net, name: string) => [...net.blobs[name].data.data]

  test('a partial pass takes a batch only where it runs the layer that is fed', async () => {
    const net = await make()
    net.feed('x', [1, 2, 3, 4])
    net.feed('t', [5, 6, 7, 8])
    await net.forward({}, { end: 'a' })
    expect([values(net, 'a'), values(net, 't')]).toEqual([
      [10, 20],
      [0, 0],
    ])
    await net.forward({}, { start: 't' })
    await net.forward({}, { start: 'b' })
    expect([values(net, 'x'), values(net, 'b')]).toEqual([
      [1, 2],
      [50, 60],
    ])
    await net.forward()
    expect([values(net, 'a'), values(net, 'b')]).toEqual([
      [30, 40],
      [70, 80],
    ])
    net.dispose()
  })

  test('an input has one source', async () => {
    const net = await make()
    net.feed('x', [1, 2])
    net.feed('t', [3, 4])
    await expect(net.forward({ x: [5, 6] })).rejects.toThrow(
      "input 'x' of net 'two' has two sources, net.feed and the values given to forward: leave one out, or end the feed with net.feed('x', null)",
    )
    net.feed('x', null)
    const { a, b } = await net.forward({ x: [5, 6] })
    expect([[...a.data], [...b.data]]).toEqual([
      [50, 60],
      [30, 40],
    ])
    // it keeps what it was given
    await net.forward()
    expect(values(net, 'a')).toEqual([50, 60])
    net.dispose()
  })

  test.each([
    ['arrays of numbers', [1, 2, 3], [1, 2], 0],
    ['arrays of items', [[1], [2], [3]], [[1], [2]], 0],
    ['a batch beside items', [[1, 2]], [[1], [2], [3]], 0],
    ['sets, known when one starts again', new Set([[1], [2], [3]]), new Set([[4], [5]]), 2],
  ])('two sources of different length are refused: %s', async (_, x, t, after) => {
    const net = await make()
    net.feed('x', x)
    net.feed('t', t as Iterable<number[]>)
    for (let i = 0; i < after; i++) await net.forward()
    await expect(net.forward()).rejects.toThrow(
      /^the feed of 'x' has \d items, that of 't' \d: they would run out of step; give both the same number, or feed them together/,
    )
    net.dispose()
  })

  test('inputs without values are refused, all at once, before anything reads them', async () => {
    const net = await make()
    const error = await net.forward().catch(error => error)
    expect(error).toBeInstanceOf(NetError)
    expect(error.message).toMatch(/^inputs 'x', 't' of net 'two' \(TEST\) have no values: forward\(\{ x: … \}\) gives/)
    await expect(net.forward({ x: [1, 2] })).rejects.toThrow(/^input 't' of net 'two' \(TEST\) has no values/)
    // what does not run needs nothing
    const { a } = await net.forward({ x: [1, 2] }, { end: 'a', blobs: ['a'] })
    expect([...a.data]).toEqual([10, 20])
    // zeros that were written are values
    net.blobs.t.dataArray.fill(0)
    expect([...(await net.forward()).b.data]).toEqual([0, 0])
    // a larger input is a new one
    net.blobs.x.reshape([3, 1])
    await expect(net.forward()).rejects.toThrow(/^input 'x' of net 'two' \(TEST\) has no values/)
    net.dispose()
  })

  test('a solver does not train, nor test, on zeros that nobody gave', async () => {
    const param = 'base_lr: 0.1 lr_policy: "fixed" max_iter: 3 test_iter: 2 test_interval: 2 test_initialization: false'
    const solver = await createSolver(parseSolver(`${param} net_param { ${regression} }`), { engine })
    await expect(solver.solve()).rejects.toThrow(/^inputs 'x', 't' of net 'line' \(TRAIN\) have no values/)
    const before = [...solver.net.params.ip[0].dataArray]
    solver.net.feed('x', [1, 2])
    await expect(solver.solve()).rejects.toThrow(/^input 't' of net 'line' \(TRAIN\) has no values/)
    expect([...solver.net.params.ip[0].dataArray]).toEqual(before)
    expect(solver.iter).toBe(0)
    solver.net.feed('t', [0, 0])
    await expect(solver.solve()).rejects.toThrow(/^inputs 'x', 't' of net 'line' \(TEST\) have no values/)
    expect(solver.iter).toBe(2)
    solver.dispose()
  })

  test('what a joint feed leaves behind is no source', async () => {
    const net = await make(regression)
    net.feed(
      ['x', 't'],
      [
        [[1], 2],
        [[3], 4],
      ],
    )
    await net.forward()
    net.feed('x', [5, 6])
    const error = await net.forward().catch(error => error)
    expect(error).toBeInstanceOf(RistrettoError)
    expect(error.message).toMatch(/^input 't' was fed together with one whose feed has changed/)
    net.feed('t', null)
    await net.forward()
    expect([values(net, 'x'), values(net, 't')]).toEqual([
      [5, 6],
      [2, 4],
    ])
    net.feed(
      ['x', 't'],
      [
        [[1], 2],
        [[3], 4],
      ],
    )
    net.feed('x', null)
    await net.forward({ t: [7, 8] })
    expect(values(net, 't')).toEqual([7, 8])
    net.dispose()
  })
})
