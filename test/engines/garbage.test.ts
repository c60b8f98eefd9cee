import { Session } from 'node:inspector/promises'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { Net } from '../../lib/net.js'

interface Node {
  readonly selfSize: number
  readonly children: readonly Node[]
}

const sizeOf = ({ selfSize, children }: Node): number => children.reduce((sum, child) => sum + sizeOf(child), selfSize)

it('a pass of one image through SqueezeNet leaves less garbage than 160 bytes a layer, its result included', async () => {
  const prototxt = fileURLToPath(new URL('../../bench/nets/squeezenet.prototxt', import.meta.url))
  const net = await Net.create(prototxt, { engine: 'wasm', threads: 2, seed: 1, stages: ['deploy'] })
  net.blobs.data.reshape([1, 3, 35, 35])
  const passes = 200
  // compiled code makes less garbage than what is interpreted
  for (const name of net.inputs) net.blobs[name].dataArray.fill(1)
  for (let i = 0; i < 2 * passes; i++) await net.forward()
  const session = new Session()
  session.connect()
  const settings = {
    samplingInterval: 256,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  }
  await session.post('HeapProfiler.startSampling', settings)
  for (let i = 0; i < passes; i++) await net.forward()
  const { profile } = await session.post('HeapProfiler.stopSampling')
  session.disconnect()
  const bytes = sizeOf(profile.head as Node) / passes
  expect(bytes).toBeGreaterThan(500)
  expect(bytes / net.layers.length).toBeLessThan(160)
  net.dispose()
})
