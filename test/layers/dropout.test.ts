import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { DropoutLayer } from '../../lib/layers/dropout.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { goldenPath } from '../golden.js'
import { netOf } from './run.js'

const layer = (ratio: number) =>
  `layer { name: "y" type: "Dropout" bottom: "in0" top: "y" dropout_param { dropout_ratio: ${ratio} } }`

interface DropoutStats {
  prototxt: string
  values_seen: number[]
  kept_fraction: number
}

const recorded: DropoutStats[] = JSON.parse(readFileSync(goldenPath('nets/random_stats.json'), 'utf8')).dropout_train

describe.each(hostEngines)('Dropout on %s', engine => {
  test.each(recorded)(
    'TRAIN: kept share and scale as recorded ($kept_fraction)',
    async ({ prototxt, values_seen, kept_fraction }) => {
      const net = await Net.create(parseNet(prototxt), { phase: 'TRAIN', engine, seed: 1, threads: 2 })
      const { count } = net.blobs.data
      await net.forward({ data: new Float32Array(count).fill(1) })
      const values = net.blobs.d.dataArray
      const kept = values.filter(value => value !== 0)
      expect(kept.length / count).toBeCloseTo(kept_fraction, 1)
      expect(Math.max(...kept)).toBe(Math.min(...kept))
      expect(kept[0]).toBeCloseTo(values_seen[1], 5)
      net.blobs.d.diffArray.fill(1)
      await net.backward()
      expect(net.blobs.data.diffArray).toEqual(values)
    },
  )

  test('the mask is a function of seed and pass', async () => {
    const masks: Float32Array[] = []
    for (const seed of [5, 5, 6]) {
      const net = await netOf([[40, 50]], layer(0.5), { engine, seed })
      for (let pass = 0; pass < 2; pass++) {
        await net.forward({ in0: new Float32Array(2000).fill(1) })
        masks.push(net.blobs.y.dataArray.slice())
      }
    }
    const [first, second, firstAgain, secondAgain, otherSeed] = masks
    expect(firstAgain).toEqual(first)
    expect(secondAgain).toEqual(second)
    const agreement = (a: Float32Array, b: Float32Array) => a.filter((value, i) => value === b[i]).length / a.length
    expect(agreement(first, second)).toBeLessThan(0.6)
    expect(agreement(first, otherSeed)).toBeLessThan(0.6)
  })

  test('TEST copies', async () => {
    const net = await netOf([[3]], layer(0.9), { engine, phase: 'TEST' })
    await net.forward({ in0: [1, -2, 3] })
    expect([...net.blobs.y.dataArray]).toEqual([1, -2, 3])
  })

  test('checks', async () => {
    for (const phase of ['TRAIN', 'TEST'] as const)
      await checkLayer(DropoutLayer, {
        param: 'dropout_param { dropout_ratio: 0.3 }',
        bottoms: [[5, 7]],
        engine,
        phase,
        mode: 'elementwise',
        inPlace: true,
      })
  })
})

test('all engines draw the same mask', async () => {
  const masks = await Promise.all(
    hostEngines.map(async engine => {
      const net = await netOf([[1003]], layer(0.4), { engine })
      await net.forward({ in0: new Float32Array(1003).fill(1) })
      return net.blobs.y.dataArray.map(value => (value ? 1 : 0))
    }),
  )
  for (const mask of masks) expect(mask).toEqual(masks[0])
})

test.each([1, -0.1, 2])('dropout_ratio %s is refused', async ratio => {
  await expect(netOf([[3]], layer(ratio))).rejects.toThrow(/layer 'y' \(Dropout\): dropout_ratio/)
})
