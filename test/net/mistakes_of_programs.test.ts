import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { Blob } from '../../lib/blob.js'
import { checkItemShape } from '../../lib/data/source.js'
import { NetError, RistrettoError } from '../../lib/errors.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { Classifier } from '../../lib/pycaffe/classifier.js'
import { Detector } from '../../lib/pycaffe/detector.js'
import { L } from '../../lib/pycaffe/net_spec.js'
import { SGDSolver } from '../../lib/solver/rules/sgd.js'

const input = 'layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 4 dim: 4 } } }'
const netOf = (name: string) =>
  Net.create(
    parseNet(`${input} layer { name: "${name}" type: "InnerProduct" bottom: "data" top: "ip"
      inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }`),
    { engine: 'js', seed: 3 },
  )

/** What JavaScript lets through, TypeScript does not. */
const made = (Class: unknown): unknown => new (Class as new () => unknown)()

describe('mistakes of programs are typed errors that say what to do', () => {
  test.each([
    [Net, 'await Net.create('],
    [SGDSolver, 'await SGDSolver.create('],
    [Classifier, 'await Classifier.create('],
    [Detector, 'await Detector.create('],
  ])('new %o()', (Class, advice) => {
    expect(() => made(Class)).toThrow(RistrettoError)
    expect(() => made(Class)).toThrow(advice)
  })

  test('names of pictures where pictures are wanted', async () => {
    using net = await netOf('ip')
    const classifier = await Classifier.create(net)
    const predict = (images: unknown) => classifier.predict(images as never)
    await expect(predict(['x.png'])).rejects.toThrow(
      "'x.png' is a file's name, not its picture: await loadImage('x.png')",
    )
    await expect(predict('x.png')).rejects.toThrow("await loadImage('x.png')")
    await expect(predict([Promise.resolve(1)])).rejects.toThrow('a promise: await it first')
    await expect(predict([undefined])).rejects.toThrow(RistrettoError)
    await expect(predict(undefined)).rejects.toThrow(RistrettoError)
  })

  test('one top taken apart', () => {
    const data = L.Input({ shape: { dim: [1, 4] } })
    const apart = () => {
      const [a] = L.Slice(data, { slice_point: 2 }) as unknown as [unknown]
      return a
    }
    expect(apart).toThrow(NetError)
    expect(apart).toThrow('Slice was made with one top: write ntop: 2')
  })

  test('what a net is made of cannot be assigned or deleted, also where no compiler and no strict mode says so', async () => {
    using net = await netOf('ip')
    const sloppy = (body: string): unknown => new Function('net', 'other', body)(net, new Blob([2, 48]))
    for (const [body, advice] of [
      ['net.blobs.data = [1]', "net.blob('data').dataArray.set(values)"],
      ['net.blobs.typo = other', "net.blobs['typo']"],
      ['net.params.ip = [other]', 'net.copyFrom(other)'],
      ['net.params.ip[0] = other', "net.params['ip'][0]"],
      ['net.params.ip.push(other)', "net.params['ip'][2]"],
      ['delete net.params.ip', 'net.shareWith(other)'],
      ['net.params = {}', 'net.params cannot be'],
      ["net.phase = 'TRAIN'", 'make another net'],
      ['net.blobs.data.data = [1]', "blob 'data': its data cannot be assigned"],
      ['net.blobs.data.diffArray = [1]', 'blob.diffArray.set(values)'],
      ['net.blobs.data.shape = [1, 2]', 'blob.reshape('],
    ]) {
      expect(() => sloppy(body), body).toThrow(RistrettoError)
      expect(() => sloppy(body), body).toThrow(advice)
    }
    // a list of the layer's own, too: what is put there would be computed with, and neither learned nor saved
    expect(() => net.layer('ip').blobs.push(new Blob())).toThrow(TypeError)
    expect(() => (net.inputs as string[]).push('more')).toThrow(TypeError)
    // read like any record
    expect(net.blobs['typo']?.data).toBeUndefined()
    expect('typo' in net.blobs || 'toString' in net.params).toBe(false)
    expect(Object.entries(net.params).map(([name, blobs]) => [name, blobs.length])).toEqual([['ip', 2]])
    expect(structuredClone(net.topNames)).toEqual({ in: ['data'], ip: ['ip'] })
    expect(inspect(net.params)).toMatch(/ip: \[\s*blob 'ip\[0\]' 2×48/)
    expect({ ...net.blobs }).toEqual(net.blobs)
  })

  test('a pass that a hook or a task starts on its own net would wait for itself', async () => {
    using net = await netOf('ip')
    const data = new Float32Array(48)
    const waits = /net '': a hook or a task of exclusive starts a pass on the net that waits for it/
    await expect(net.exclusive(async () => net.forward({ data }))).rejects.toThrow(waits)
    // what others start meanwhile waits its turn
    const [, { ip }] = await Promise.all([
      net.exclusive(() => new Promise(resolve => setTimeout(resolve, 5))),
      net.forward({ data }),
    ])
    expect(ip.shape).toEqual([1, 2])
    let isOn = true
    net.afterForward(async () => {
      if (isOn) await net.forward({ data })
    })
    await expect(net.forward({ data })).rejects.toThrow(waits)
    await expect(net.forward({ data })).rejects.toBeInstanceOf(RistrettoError)
    isOn = false
    expect((await net.forward({ data })).ip.shape).toEqual([1, 2])
  })

  test('weights of which none fits', async () => {
    using net = await netOf('ip')
    using renamed = await netOf('fc')
    await expect(renamed.copyFrom(net)).rejects.toThrow(/the source has ip, the net fc; rename the layers/)
    await expect(renamed.copyFrom(net)).rejects.toBeInstanceOf(NetError)
    expect((await renamed.copyFrom(net, { strict: false })).missing).toEqual(['fc'])
  })

  test('weights of which some fit: a report, an error where all should', async () => {
    const layer = (name: string, bottom: string) =>
      `layer { name: "${name}" type: "InnerProduct" bottom: "${bottom}" top: "${name}"
        inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }`
    const make = (...names: string[]) =>
      Net.create(parseNet(input + names.map((name, i) => layer(name, i === 0 ? 'data' : names[i - 1])).join('\n')), {
        engine: 'js',
        seed: names.length,
      })
    using trained = await make('ip1', 'ip2')
    using tuned = await make('ip1', 'ip2_mine', 'ip3')
    const before = tuned.params['ip1'][0].dataArray.slice()
    const strict = tuned.copyFrom(trained, { strict: true })
    await expect(strict).rejects.toBeInstanceOf(NetError)
    await expect(strict).rejects.toThrow(/only the net has ip2_mine, ip3, only the source has ip2$/)
    // nothing was changed
    expect(tuned.params['ip1'][0].dataArray).toEqual(before)
    const { loaded, missing, extra } = await tuned.copyFrom(trained)
    expect({ loaded, missing, extra }).toEqual({ loaded: ['ip1'], missing: ['ip2_mine', 'ip3'], extra: ['ip2'] })
    expect(tuned.params['ip1'][0].dataArray).toEqual(trained.params['ip1'][0].dataArray)
    using part = await make('ip1')
    await expect(part.copyFrom(trained, { strict: true })).rejects.toThrow(/: only the source has ip2$/)
    using whole = await make('ip1', 'ip2', 'ip3')
    await expect(whole.copyFrom(trained, { strict: true })).rejects.toThrow(/: only the net has ip3$/)
    using same = await make('ip1', 'ip2')
    expect((await same.copyFrom(trained, { strict: true })).loaded).toEqual(['ip1', 'ip2'])
  })

  test('an HDF5 file in the place of the list of them', async () => {
    const source = join(mkdtempSync(join(tmpdir(), 'ristretto-')), 'x.h5')
    writeFileSync(source, Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0))
    const text = `layer { name: "d" type: "HDF5Data" top: "x" hdf5_data_param { source: "${source}" batch_size: 1 } }`
    await expect(Net.create(parseNet(text), { engine: 'js' })).rejects.toThrow(
      /x\.h5 is an HDF5 file itself; hdf5_data_param\.source is a text file/,
    )
  })

  test('grey among colour', () => {
    expect(() => checkItemShape([3, 4, 4], [1, 4, 4])).toThrow(/force_color: true/)
    expect(() => checkItemShape([3, 4, 4], [3, 5, 4])).toThrow(/batch_size 1, or a crop_size/)
  })
})

describe('values are shown as text', () => {
  test('blobs and arrays, with shape and first values', async () => {
    const blob = new Blob([2, 5], undefined, 'b')
    expect(blob.memory.data.isAllocated).toBe(false)
    expect(`${blob}`).toBe("blob 'b' 2×5 (10): 0, 0, 0, 0, 0, 0, 0, 0, …")
    expect(blob.memory.data.isAllocated).toBe(false)
    blob.dataArray.set([0.5, -1, 1e-7])
    expect(inspect({ blob })).toBe("{ blob: blob 'b' 2×5 (10): 0.5, -1, 1e-07, 0, 0, 0, 0, 0, … }")
    expect(String(blob.data)).toBe('ndarray 2×5 (10): 0.5, -1, 1e-07, 0, 0, 0, 0, 0, …')
    expect(inspect(blob.data)).toBe(String(blob.data))
    expect(Object.keys(blob.data)).toEqual(['data', 'shape', 'stride', 'offset'])
    expect(String(new Blob([]))).toBe('blob a single value (1): 0')
  })

  test('nets, a line for each layer, not all that they are made of', async () => {
    const net = await Net.create(
      parseNet(`
        name: "small"
        layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
        layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 4 } }
        layer { name: "gone" type: "Silence" bottom: "y" }`),
      { engine: 'js', phase: 'TEST' },
    )
    expect(inspect(net)).toBe(`net 'small' (TEST, js)
  in Input → x 2×3
  ip InnerProduct → y 2×4; params 4×3, 4
  gone Silence → nothing`)
  })

  test('values that may not be read say why', () => {
    const blob = new Blob([2], undefined, 'b')
    blob.hidden = 'blob is shared'
    expect(`${blob}`).toBe("blob 'b' 2 (2): blob is shared")
  })
})

test('params of another shape than their layer made are refused, in passes and in files, on every engine', async () => {
  const text = `layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 3 dim: 4 dim: 4 } } }
    layer { name: "c" type: "Convolution" bottom: "x" top: "c" convolution_param { num_output: 2 kernel_size: 3 } }`
  for (const engine of ['js', 'wasm']) {
    const net = await Net.create(parseNet(text), { engine })
    const [weight, bias] = net.params.c
    for (const [blob, shape] of [
      [weight, [2, 3, 1, 1]],
      [weight, [2, 3, 9]],
      [bias, [5]],
    ] as const) {
      const before = blob.shape
      blob.reshape(shape)
      for (const use of [net.forward({ x: new Float32Array(48) }), net.toBytes(), net.toBytes({ format: 'hdf5' })])
        await expect(use).rejects.toThrow(/^layer 'c' \(Convolution\): param \d was given the shape .* copy the values/)
      blob.reshape(before)
      await net.forward({ x: new Float32Array(48) })
    }
    net.dispose()
  }
})
