/** Caffe's tools as functions, for programs; what they print is tested in test/cli. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { Net, parseNet } from '../../lib/index.js'
import { convertImageset, extractFeatures, LmdbReader, parseLog, summarize } from '../../lib/tools/index.js'
import { goldenPath } from '../golden.js'
import { inputLayer } from '../shapes.js'

const folder = mkdtempSync(join(tmpdir(), 'ristretto-tools-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('extractFeatures', () => {
  const text = `${inputLayer('x', '1×2')}
    layer { name: "double" type: "Power" bottom: "x" top: "y" power_param { scale: 2 } }
    layer { name: "more" type: "Power" bottom: "y" top: "z" power_param { shift: 1 } }`
  const make = () => Net.create(parseNet(text), { engine: 'js' })
  const collect = async (features: AsyncIterable<Record<string, { data: Float32Array }>>) => {
    const seen: Record<string, number[]>[] = []
    for await (const values of features)
      seen.push(Object.fromEntries(Object.entries(values).map(([name, array]) => [name, [...array.data]])))
    return seen
  }

  test('runs so many batches of what feeds the net; the values are copies', async () => {
    const net = await make()
    net.feed('x', [1, 2, 3, 4, 5, 6])
    const features = extractFeatures(net, ['y', 'x'], 2)
    const first = (await features.next()).value!
    const second = (await features.next()).value!
    expect([...first.y.data, ...second.y.data]).toEqual([2, 4, 6, 8])
    expect(first.y.shape).toEqual([1, 2])
    expect((await features.next()).done).toBe(true)
    expect(net.runner.count).toBe(2)
  })

  test('or batches that it is given, sync or async, of any size', async () => {
    const net = await make()
    expect(await collect(extractFeatures(net, ['y'], [{ x: [1, 2] }, { x: [3, 4] }]))).toEqual([
      { y: [2, 4] },
      { y: [6, 8] },
    ])
    const larger = async function* () {
      yield { x: [5, 6] }
      net.blobs.x.reshape([2, 2])
      yield { x: [1, 2, 3, 4] }
    }
    expect(await collect(extractFeatures(net, ['y', 'z'], larger()))).toEqual([
      { y: [10, 12], z: [11, 13] },
      { y: [2, 4, 6, 8], z: [3, 5, 7, 9] },
    ])
  })

  test('refuses blobs that there are not, at once', async () => {
    const net = await make()
    expect(() => extractFeatures(net, ['fc7'], 1)).toThrow(/no blob 'fc7'; its blobs are x, y, z/)
    expect(() => extractFeatures(net, ['y'], 1.5)).toThrow(/whole number from 0 on, not 1.5/)
  })
})

test('summarize counts for the shapes as they stand', async () => {
  const net = await Net.create(goldenPath('nets/lenet/lenet.prototxt'), { phase: 'TEST', engine: 'js' })
  net.blobs.data.reshape([2, 1, 28, 28])
  net.blobs.label.reshape([2])
  net.reshape()
  const { name, phase, layers, params, multiplyAdds, memory } = summarize(net)
  expect([name, phase, params]).toEqual([net.name, 'TEST', 431080])
  expect(multiplyAdds).toBe(2 * (20 * 24 * 24 * 25 + 50 * 8 * 8 * 20 * 25 + 500 * 800 + 10 * 500))
  expect(layers.find(layer => layer.name === 'ip2')).toMatchObject({
    type: 'InnerProduct',
    bottoms: ['ip1'],
    shapes: [[2, 10]],
    params: 5010,
  })
  expect(memory).toEqual(net.memory())
})

test('parseLog gives rows by iteration', () => {
  const { train, losses } = parseLog(
    'Iteration 7\n  Train net output #0: loss = 0.5 (* 2 = 1 loss)\nIteration 7, lr = 0.1',
  )
  expect(train).toHaveLength(1)
  expect(train[0]).toMatchObject({ iteration: 7, learningRate: 0.1, outputs: new Map([['loss', 0.5]]) })
  expect(losses).toEqual(new Set(['loss']))
})

test('convertImageset takes a list in memory, and says how far it is and what it left out', async () => {
  const { readdirSync } = await import('node:fs')
  const root = goldenPath('io/images')
  const [first, second] = readdirSync(root).filter(name => name.endsWith('.png'))
  const output = join(folder, 'images_lmdb')
  const steps: [number, number][] = []
  const skipped: string[] = []
  const list = [
    { path: first, label: 3 },
    { path: 'missing.png', label: 4 },
    { path: second, label: 5 },
  ]
  const report = await convertImageset({
    ...{ root, list, output, gray: true, resizeWidth: 6, resizeHeight: 4 },
    onProgress: (done, total) => steps.push([done, total]),
    onSkip: file => skipped.push(file),
  })
  expect(report).toEqual({ records: 2, skipped: ['missing.png'] })
  expect(steps).toEqual([1, 2, 3].map(i => [i, 3]))
  expect(skipped).toEqual([join(root, 'missing.png')])
  const reader = await LmdbReader.open(output)
  expect(reader.count).toBe(2)
  reader.close()
  await expect(convertImageset({ list: [], output })).rejects.toThrow(/names no images/)
  await expect(convertImageset({ root, list, output, resizeWidth: 6 })).rejects.toThrow(/go together/)
})
