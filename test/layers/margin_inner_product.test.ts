import { describe, expect, test } from 'vitest'
import type { MarginInnerProductLayer } from '../../lib/layers/margin_inner_product.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const layer = (fields: string) =>
  `type: "MarginInnerProduct" margin_inner_product_param { num_output: 2 ${fields} } propagate_down: true propagate_down: false`
const factors = { SINGLE: 1, DOUBLE: 2, TRIPLE: 3, QUADRUPLE: 4 }

/** cos(mθ) with a sign and a step down for each π that mθ has passed. */
function psi(m: number, cos: number): number {
  const angle = m * Math.acos(cos)
  const k = Math.floor(angle / Math.PI)
  return (-1) ** k * Math.cos(angle) - 2 * k
}

describe.each(hostEngines)('MarginInnerProduct on %s', engine => {
  const run = (type: string, angle: number, more = '', dy?: (number[] | null)[]) =>
    handPass(
      layer(`type: ${type} base: 2 gamma: 1 power: 1 ${more}`),
      [
        { shape: [1, 2], values: [3 * Math.cos(angle), 3 * Math.sin(angle)] },
        { shape: [1], values: [0] },
      ],
      // weights of other lengths than 1 along both axes
      { engine, params: [[5, 0, 0, 0.5]], tops: 2, ...(dy && { dy }) },
    )

  test.each(Object.entries(factors))(
    '%s: the angle to the own class counts so many times, with λ of one pass',
    async (type, m) => {
      for (const angle of [0.3, 0.9, 1.4, 1.9, 2.4, 2.9]) {
        const { y } = await run(type, angle)
        // λ = 2 / (1 + 1)
        expect(y[1]).toEqual([1])
        const own = 3 * Math.cos(angle)
        expect(y[0][0]).toBeCloseTo(m === 1 ? own : (own + 3 * psi(m, Math.cos(angle))) / 2, 4)
        expect(y[0][1]).toBeCloseTo(3 * Math.sin(angle), 5)
      }
    },
  )

  test.each(Object.keys(factors))('%s: the gradient of x against differences', async type => {
    const [angle, step] = [0.9, 1e-3]
    const at = async (dx: number, dz: number) => {
      const x = [3 * Math.cos(angle) + dx, 3 * Math.sin(angle) + dz]
      const pass = await handPass(
        layer(`type: ${type} lambda_min: 0.5`),
        [
          { shape: [1, 2], values: x },
          { shape: [1], values: [0] },
        ],
        { engine, params: [[1, 0, 0, 1]], dy: [[1, -2]] },
      )
      return { value: pass.y[0][0] - 2 * pass.y[0][1], dx: pass.dx[0] }
    }
    const { dx } = await at(0, 0)
    expect(dx[0]).toBeCloseTo(((await at(step, 0)).value - (await at(-step, 0)).value) / (2 * step), 2)
    expect(dx[1]).toBeCloseTo(((await at(0, step)).value - (await at(0, -step)).value) / (2 * step), 2)
  })

  test('weights get length 1, and a gradient by the slope of the margin', async () => {
    const { w, dw } = await run('DOUBLE', 0.9, '', [[1, 1], null])
    expect(w[0]).toEqual([1, 0, 0, 1])
    const [x, z] = [3 * Math.cos(0.9), 3 * Math.sin(0.9)]
    const share = (1 + 4 * Math.cos(0.9)) / 2
    for (const [i, wanted] of [share * x, share * z, x, z].entries()) expect(dw[0][i]).toBeCloseTo(wanted, 4)
  })
})

test('passes of training count, and a snapshot has them', async () => {
  const net = await handNet(layer('base: 8 gamma: 1'), shapesOf('1×2 1'), { tops: 2, phase: 'TRAIN' })
  const lambda = async () => (await net.forward({ in0: [1, 2], in1: [0] })).y1.data[0]
  expect([await lambda(), await lambda()]).toEqual([4, Math.fround(8 / 3)])
  const own = net.layers.find(({ name }) => name === 'y') as MarginInnerProductLayer
  const state = own.saveState()
  const next = await lambda()
  own.restoreState(state)
  expect(await lambda()).toBe(next)
})

test('refuses', async () => {
  await expect(handNet('type: "MarginInnerProduct"', shapesOf('1×2 1'))).rejects.toThrow(/num_output must be written/)
  await expect(handNet(layer(''), shapesOf('2×2 1'))).rejects.toThrow(/one label for each item/)
  const wrong = [{ shape: [1, 2] }, { shape: [1], values: [2] }]
  await expect(handPass(layer(''), wrong)).rejects.toThrow(/has the label 2: labels count from 0 to 1/)
})
