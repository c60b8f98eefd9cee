import { describe, expect, test } from 'vitest'
import { ResampleLayer } from '../../lib/layers/resample.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const layer = (fields: string) => `type: "Resample" resample_param { ${fields} }`

describe.each(hostEngines)('Resample on %s', engine => {
  test('hand-worked: twice as large, linear: 3/4 and 1/4, edges alone', async () => {
    const x = { shape: [1, 1, 2, 2], values: [0, 4, 8, 12] }
    const run = await handPass(layer('height: 4 width: 4'), [x], { engine })
    const row = [0, 1, 3, 4]
    expect(run.y[0]).toEqual([0, 2, 6, 8].flatMap(down => row.map(across => down + across)))
  })

  test('hand-worked: half as large, the triangle is twice as wide: 1, 3, 3, 1 of 8', async () => {
    const x = { shape: [1, 1, 6, 6], values: Array.from({ length: 36 }, (_, i) => (i % 6 === 2 ? 8 : 0)) }
    const smooth = await handPass(layer('height: 3 width: 3'), [x], { engine })
    // at the left edge one of the four is missing: 1 of 7
    expect(smooth.y[0].slice(0, 3)).toEqual([1.14286, 3, 0])
    const sharp = await handPass(layer('height: 3 width: 3 antialias: false'), [x], { engine })
    expect(sharp.y[0].slice(0, 3)).toEqual([0, 4, 0])
  })

  test('hand-worked: nearest and cubic', async () => {
    const x = { shape: [1, 1, 2, 2], values: [1, 2, 3, 4] }
    const nearest = await handPass(layer('height: 4 width: 4 type: NEAREST'), [x], { engine })
    expect(nearest.y[0]).toEqual([1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4])
    const same = await handPass(layer('height: 2 width: 2 type: CUBIC'), [x], { engine })
    expect(same.y[0]).toEqual([1, 2, 3, 4])
    const line = { shape: [1, 1, 6, 6], values: Array.from({ length: 36 }, (_, i) => (i % 6 === 1 ? 1 : 0)) }
    const cubic = await handPass(layer('height: 12 width: 12 type: CUBIC'), [line], { engine })
    // 2.25 is 1.25 from 1: −½·d³ + 2.5·d² − 4·d + 2 of a whole of 1
    expect(cubic.y[0][5]).toBeCloseTo(-0.5 * 1.25 ** 3 + 2.5 * 1.25 ** 2 - 4 * 1.25 + 2, 5)
  })

  test.each(['height: 3 width: 7', 'height: 3 width: 3 type: CUBIC', 'height: 9 width: 8 type: NEAREST'])(
    'checks: %s',
    async fields => {
      await checkLayer(ResampleLayer, { param: `resample_param { ${fields} }`, bottoms: [[2, 2, 5, 4]], engine })
    },
  )

  test('takes the size of a second bottom, now and later', async () => {
    const net = await handNet(
      'type: "Resample" propagate_down: true propagate_down: false',
      shapesOf('1×3×4×4 1×1×2×6'),
      { engine, force: false },
    )
    expect(net.blobs.y0.shape).toEqual([1, 3, 2, 6])
    net.blobs.in1.reshape([1, 1, 5, 5])
    net.reshape()
    expect(net.blobs.y0.shape).toEqual([1, 3, 5, 5])
  })
})

test('refuses', async () => {
  await expect(handNet('type: "Resample"', [[1, 1, 4, 4]])).rejects.toThrow(/height: 0 and width: 0/)
  await expect(handNet(layer('type: AREA'), [[1, 1, 4, 4]])).rejects.toThrow(/AREA/)
  await expect(handNet(layer('height: 1 width: 1'), [[4, 4]])).rejects.toThrow(/must be N × C × H × W/)
})

test('a size beyond all bounds is refused before any table of it is made', async () => {
  const refused = (fields: string) => handNet(layer(fields), [[1, 1, 4, 4]], { engine: 'js' })
  await expect(refused('height: 4294967295 width: 1')).rejects.toThrow(/axis 2 has 4294967295 places/)
  await expect(refused('height: 1 width: 16777217 type: CUBIC')).rejects.toThrow(/axis 3 has 16777217 places/)
  await expect(refused('height: 16777216 width: 16777216')).rejects.toThrow(/at most 2147483647 are allowed/)
})
