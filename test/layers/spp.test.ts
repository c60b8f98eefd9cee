import { describe, expect, test } from 'vitest'
import { SPPLayer } from '../../lib/layers/spp.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const picture = { shape: [1, 1, 2, 4], values: [1, 2, 3, 4, 5, 6, 7, 8] }

describe.each(hostEngines)('SPP on %s', engine => {
  test.each([
    ['MAX', [8, 2, 4, 6, 8], [0, 2, 0, 3, 0, 4, 0, 6]],
    ['AVE', [4.5, 1.5, 3.5, 5.5, 7.5], [1.125, 1.125, 1.625, 1.625, 2.125, 2.125, 2.625, 2.625]],
  ])('hand-worked: the whole and the quarters, %s', async (pool, y, dx) => {
    const layer = `type: "SPP" spp_param { pyramid_height: 2 pool: ${pool} }`
    const run = await handPass(layer, [picture], { engine, dy: [[1, 2, 3, 4, 5]] })
    expect(run.shapes[0]).toEqual([1, 5])
    expect(run.y[0]).toEqual(y)
    expect(run.dx[0]).toEqual(dx)
  })

  test('one level keeps four axes', async () => {
    const run = await handPass('type: "SPP" spp_param { pyramid_height: 1 }', [picture], { engine })
    expect(run.shapes[0]).toEqual([1, 1, 1, 1])
    expect(run.y[0]).toEqual([8])
  })

  test.each(['MAX', 'AVE'])('checks: %s, odd sizes', async pool => {
    const param = `spp_param { pyramid_height: 3 pool: ${pool} }`
    // steps so small that no other value becomes the largest
    await checkLayer(SPPLayer, {
      param,
      bottoms: [[2, 2, 9, 7]],
      engine,
      reshapeTo: [[1, 2, 8, 11]],
      mode: 'projected',
      step: 1e-4,
    })
  })
})

test('refuses what it cannot cut up', async () => {
  const net = (param: string, shape: number[]) => handNet(`type: "SPP" spp_param { ${param} }`, [shape])
  await expect(net('pyramid_height: 3', [1, 1, 5, 5])).rejects.toThrow(
    /level 2 cuts 5×5 into 4×4 bins of 2×2, which takes a padding of 2×2/,
  )
  await expect(net('pyramid_height: 2 pool: STOCHASTIC', [1, 1, 4, 4])).rejects.toThrow(/STOCHASTIC/)
  await expect(net('', [1, 1, 4, 4])).rejects.toThrow(/pyramid_height: missing/)
  await expect(net('pyramid_height: 2', [1, 4, 4])).rejects.toThrow(/must have 4 axes/)
})
