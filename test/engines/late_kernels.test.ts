/** Kernels that come when a layer names one. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { HostEngine } from '../../lib/engine.js'
import { createEngine, startEngine } from '../../lib/engines/index.js'
import { fetchKernels } from '../../lib/engines/late_kernels.js'
import { jsKernels } from '../../lib/engines/plain_loops.js'
import { bounds } from '../../lib/engines/wasm/bind/index.js'
import { buildWasmEngine } from '../../lib/engines/wasm.js'
import { EngineError } from '../../lib/errors.js'
import { Layer } from '../../lib/layer.js'
import { Memory } from '../../lib/memory.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { registerLayer, rememberLayers } from '../../lib/registry.js'
import { inputLayer } from '../shapes.js'

/** An engine that nobody has used. */
const fresh = async (): Promise<HostEngine> => (await buildWasmEngine({ threads: 1 })).engine

const input = inputLayer('x', '2×3')
const permute = 'layer { name: "p" type: "Permute" bottom: "x" top: "y" permute_param { order: 1 order: 0 } }'

test('a net of layers that most nets have brings none of them', async () => {
  const engine = await fresh()
  await Net.create(parseNet(`${input} layer { name: "r" type: "ReLU" bottom: "x" top: "y" }`), { engine })
  expect(engine.kernels).not.toHaveProperty('permute')
  expect(engine.kernels).toHaveProperty('relu')
})

test('no more do those of LeNet', async () => {
  const engine = await fresh()
  await Net.create(parseNet(readFileSync('docs/examples/mnist/lenet.prototxt', 'utf8')), { engine })
  expect(engine.kernels).not.toHaveProperty('scaleChannels')
})

test('a layer that names one brings them, with their bounds and what they take', async () => {
  const engine = await fresh()
  const net = await Net.create(parseNet(input + permute), { engine })
  expect(Object.keys(engine.kernels).toSorted()).toEqual(Object.keys(jsKernels).toSorted())
  const { y } = await net.forward({ x: [1, 2, 3, 4, 5, 6] })
  expect(Array.from(y.data)).toEqual([1, 4, 2, 5, 3, 6])
  expect(() => engine.kernels.permute([2, 3], [1, 0], new Memory(5), new Memory(6))).toThrow(EngineError)
  const volume = { batch: 1, channels: 8, input: [16, 16], output: [16, 16], kernel: 1, stride: 1 } as const
  const shifts = { start: [0, 0], shift: [-1, -1], shifts: [3, 3], step: 1, subtract: false } as const
  const nothing = new Memory(0)
  const { own, shared } = engine.dryRun!(({ kernels }) =>
    kernels.costVolume({ ...volume, ...shifts }, nothing, nothing, nothing),
  )
  expect(own + shared).toBeGreaterThan(0)
})

test('who asks for an engine gets all of them, and so does a layer of somebody else', async () => {
  for (const name of ['js', 'js:float64', 'wasm'] as const)
    expect(Object.keys((await createEngine(name)).kernels).toSorted(), name).toEqual(Object.keys(bounds).toSorted())
  const restore = rememberLayers()
  registerLayer(
    'Turned',
    class extends Layer {
      reshape(bottom: Parameters<Layer['reshape']>[0], top: Parameters<Layer['reshape']>[1]) {
        top[0].reshape([...bottom[0].shape].reverse())
      }
      forward(bottom: Parameters<Layer['forward']>[0], top: Parameters<Layer['forward']>[1]) {
        this.kernels.permute(bottom[0].shape, [1, 0], bottom[0].memory.data, top[0].memory.data)
      }
    },
  )
  const net = await Net.create(parseNet(`${input} layer { name: "t" type: "Turned" bottom: "x" top: "y" }`), {
    engine: await fresh(),
  })
  restore()
  expect(Array.from((await net.forward({ x: [1, 2, 3, 4, 5, 6] })).y.data)).toEqual([1, 4, 2, 5, 3, 6])
})

test('an engine made of one that lacks them says so before the net is made', async () => {
  const started = (await fresh()) as HostEngine
  const engine = { ...started, name: 'mine', kernels: { ...started.kernels } }
  await expect(Net.create(parseNet(input + permute), { engine })).rejects.toThrow(
    "engine mine has no kernel 'permute': an engine that begins with await createEngine('js') has them all",
  )
  await fetchKernels(await startEngine('js', {}), ['relu'])
})
