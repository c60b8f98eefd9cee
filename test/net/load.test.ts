import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { startWasmEngine } from '../../lib/engines/wasm.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { inputLayer } from '../shapes.js'

const layer = (name: string, bottom: string, more: string) =>
  `layer { name: "${name}" type: "InnerProduct" bottom: "${bottom}" top: "${name}" inner_product_param { num_output: 5 ${more} } }`
const drawn = 'weight_filler { type: "gaussian" std: 0.1 } bias_filler { type: "uniform" min: -1 max: 1 }'
const description = `
  ${inputLayer('data', '2×37')}
  ${layer('a', 'data', drawn)} ${layer('b', 'a', drawn)} ${layer('c', 'b', drawn)}`
const values = (net: Net) =>
  Object.fromEntries(Object.entries(net.params).map(([name, blobs]) => [name, blobs.map(b => [...b.dataArray])]))

const folder = await mkdtemp(join(tmpdir(), 'ristretto-load-test-'))
afterAll(() => rm(folder, { recursive: true }))

describe.each(['js', 'wasm'])('weights that are loaded while a net is made, on %s', engine => {
  test('replace those of their layers alone; the others are drawn as without them', async () => {
    const path = join(folder, `${engine}.caffemodel`)
    const other = await Net.create(
      parseNet(description.replace('"c"', '"unknown"').replace('top: "c"', 'top: "unknown"')),
      {
        engine,
        seed: 5,
      },
    )
    await other.save(path)
    const plain = await Net.create(parseNet(description), { engine, seed: 9 })
    const [given, fresh] = [values(other), values(plain)]
    expect(given.b).not.toEqual(fresh.b)
    const loaded = await Net.create(parseNet(description), { engine, seed: 9, weights: path })
    expect(values(loaded)).toEqual({ a: given.a, b: given.b, c: fresh.c })

    // bytes that the caller keeps are left alone, wherever their tensors lie
    const bytes = new Uint8Array(await readFile(path))
    for (let shift = 0; shift < 4; shift++) {
      const shifted = new Uint8Array(bytes.length + 4).subarray(shift, shift + bytes.length)
      shifted.set(bytes)
      const again = await Net.create(parseNet(description), { engine, seed: 9, weights: shifted })
      expect(values(again)).toEqual(values(loaded))
      expect(Buffer.compare(shifted, bytes)).toBe(0)
    }
    expect(Buffer.compare(await readFile(path), bytes)).toBe(0)
  })

  test('a filler that cannot be is refused, though weights replace it', async () => {
    const wrong = parseNet(description.replace('std: 0.1', 'std: -1'))
    await expect(Net.create(wrong, { engine, weights: new Uint8Array() })).rejects.toThrow('std: -1')
  })
})

test('kernels may run while the threads are on their way, with the same result', async () => {
  // a number of threads that no other test of this file has, so that they start now
  const engine = await startWasmEngine({ threads: 3 })
  const net = await Net.create(parseNet(description), { engine: 'wasm', threads: 3, seed: 1 })
  expect(net.engine.kernels).toBe(engine.kernels)
  const data = Float32Array.from({ length: 74 }, (_, i) => Math.sin(i))
  const early = await net.forward({ data })
  await engine.ready
  expect((await net.forward({ data })).c.data).toEqual(early.c.data)
})
