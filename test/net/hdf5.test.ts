import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { createSolver } from '../../lib/solver/rules/index.js'
import { expectClose, Golden, type GoldenArray, goldenPath } from '../golden.js'
import { inputLayer } from '../shapes.js'

const lenet = (file: string) => goldenPath(`nets/lenet/${file}`)
const values = (net: Net) =>
  Object.values(net.params).flatMap(blobs => blobs.map(blob => new Float32Array(blob.dataArray)))

describe('models in HDF5', () => {
  test("Caffe's HDF5 LeNet holds the same weights as its binary one", { tags: 'long' }, async () => {
    const [a, b] = await Promise.all(
      ['lenet.caffemodel', 'lenet.caffemodel.h5'].map(file =>
        Net.create(lenet('lenet.prototxt'), { weights: lenet(file), engine: 'js', seed: 1 }),
      ),
    )
    expect(values(b)).toEqual(values(a))
  })

  test('written and read again, diffs included, shared params stored once', async () => {
    const net = await Net.create(goldenPath('nets/prototxt/shared_params.prototxt'), {
      phase: 'TRAIN',
      engine: 'js',
      seed: 3,
    })
    net.params.ip_a[0].diffArray[2] = 5
    const bytes = await net.toBytes({ format: 'hdf5', diffs: true })
    const copy = await Net.create(goldenPath('nets/prototxt/shared_params.prototxt'), {
      phase: 'TRAIN',
      engine: 'js',
      seed: 4,
      weights: bytes,
    })
    expect(values(copy)).toEqual(values(net))
    expect(copy.params.ip_b[0].diffArray[2]).toBe(5)
    expect(copy.params.ip_b[0].dataArray).toBe(copy.params.ip_a[0].dataArray)
  })

  test('layer names with slashes make a round trip', async () => {
    const text = `${inputLayer('x', '1×2')}
      layer { name: "inception/1x1" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }`
    const net = await Net.create(parseNet(text), { engine: 'js', seed: 1 })
    const copy = await Net.create(parseNet(text), {
      engine: 'js',
      seed: 2,
      weights: await net.toBytes({ format: 'hdf5' }),
    })
    expect(values(copy)).toEqual(values(net))
  })

  test('another shape is refused by layer name', async () => {
    const text = readFileSync(lenet('lenet.prototxt'), 'utf8').replace('num_output: 500', 'num_output: 50')
    await expect(Net.create(parseNet(text), { engine: 'js', weights: lenet('lenet.caffemodel.h5') })).rejects.toThrow(
      /layer 'ip1' \(InnerProduct\): the weights in the file are 500×800, the net needs 50×800/,
    )
  })
})

describe('solver states in HDF5', () => {
  const golden = new Golden<{
    solvers: {
      name: string
      solver: string
      records: { iter: number; history: GoldenArray[]; tolerance: { rtol: number; history_atol: number } }[]
      snapshots_at_10?: Record<string, { model: string; state: string }>
    }[]
  }>('solvers/solvers')
  for (const run of golden.json.solvers.filter(run => run.snapshots_at_10))
    test(`${run.name}: Caffe's state is read, and ours read back is the same`, { tags: 'long' }, async () => {
      const { state, model } = run.snapshots_at_10!.HDF5
      const solver = await createSolver(goldenPath(`solvers/${run.solver}`), { engine: 'js', seed: 1 })
      await solver.restore(goldenPath(`solvers/${state}`))
      expect(solver.iter).toBe(10)
      const record = run.records.find(record => record.iter === 10)!
      solver.history.forEach((blob, i) =>
        expectClose(
          blob.dataArray,
          golden.array(record.history[i]),
          record.tolerance.rtol,
          record.tolerance.history_atol,
          `history ${i}`,
        ),
      )
      const reference = await Net.create(goldenPath('solvers/net.prototxt'), {
        engine: 'js',
        seed: 1,
        weights: goldenPath(`solvers/${model}`),
      })
      expect(values(solver.net)).toEqual(values(reference))

      const again = await createSolver(
        {
          ...solver.param,
          snapshot_format: 'HDF5',
          snapshot_prefix: undefined,
          net: goldenPath('solvers/net.prototxt'),
        },
        { engine: 'js', seed: 2 },
      )
      await again.restore(goldenPath(`solvers/${state}`))
      const saved = await again.snapshot()
      const last = await createSolver({ ...again.param }, { engine: 'js', seed: 3 })
      await last.restore(saved.state, saved.model)
      expect(last.iter).toBe(10)
      expect(last.rate.stage).toBe(solver.rate.stage)
      expect(last.history.map(blob => [...blob.dataArray])).toEqual(solver.history.map(blob => [...blob.dataArray]))
      expect(values(last.net)).toEqual(values(solver.net))
    })
})
