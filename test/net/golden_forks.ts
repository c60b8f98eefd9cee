/** Nets of forks with their models, as recorded. */
import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Net } from '../../lib/net.js'
import { expectClose, Golden, type GoldenArray, goldenPath } from '../golden.js'

/** A net of a fork with its model, and every blob after a forward pass. */
interface ForkNet {
  what: string
  phase: 'TRAIN' | 'TEST'
  inputs: string[]
  outputs: string[]
  blobs_after_forward: (GoldenArray & { name: string })[]
  layer_names: string[]
  rtol: number
  atol: number
}

const folder = '../golden-forks/nets'

/** Without the layers that only copy. */
const own = (names: readonly string[]) => names.filter(name => !name.includes('_split'))

/** Every net on these engines; a run of training (ssd_train) has a test of its own. */
export function checkForkNets(engines: readonly string[]): void {
  for (const name of readdirSync(goldenPath(folder)).filter(name => !name.endsWith('_train')))
    describe.each(engines)(`${name} on %s`, engine => {
      test('every blob after forward', async () => {
        const path = `${folder}/${name}/${name}`
        const golden = new Golden<ForkNet>(path)
        const { phase, inputs, outputs, blobs_after_forward: blobs, layer_names, rtol, atol } = golden.json
        const net = await Net.create(goldenPath(`${path}.prototxt`), {
          phase,
          weights: goldenPath(`${path}.caffemodel`),
          engine,
          seed: 1,
          threads: 2,
        })
        expect(net.engine.name).toBe(engine)
        expect(own(net.layerNames)).toEqual(own(layer_names))
        const given = inputs.map(input => [input, golden.array(blobs.find(blob => blob.name === input)!)])
        await net.forward(Object.fromEntries(given))
        await net.pull()
        expect([...net.outputs].sort()).toEqual([...outputs].sort())
        for (const blob of blobs) {
          expect(net.blobs[blob.name].shape, blob.name).toEqual(blob.shape)
          expectClose(net.blobs[blob.name].dataArray, golden.array(blob), rtol, atol, `${name} ${blob.name}`)
        }
        net.dispose()
      })
    })
}
