import { describe, expect, test } from 'vitest'
import { L1LossLayer } from '../../lib/layers/l1_loss.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const type = 'type: "L1Loss"'
const a = { shape: [1, 2, 1, 2], values: [3, -1, 4, 2] }
const b = { shape: [1, 2, 1, 2], values: [0, 0, 0, 2] }

describe.each(hostEngines)('L1Loss on %s', engine => {
  const run = async (fields: string, given = [a, b]) => {
    const { y, dx } = await handPass(`${type} l1_loss_param { ${fields} }`, given, { engine, dy: [null] })
    return { loss: y[0][0], dx }
  }

  test('absolute differences, of one bottom too', async () => {
    const { loss, dx } = await run('')
    expect(loss).toBe(8)
    expect(dx).toEqual([
      [1, -1, 1, 0],
      [-1, 1, -1, 0],
    ])
    expect((await run('', [a])).loss).toBe(10)
  })

  test('lengths at each place', async () => {
    const { loss, dx } = await run('l2_per_location: true epsilon: 0')
    expect(loss).toBe(5 + 1)
    for (const [i, slope] of [0.6, -1, 0.8, 0].entries()) expect(dx[0][i]).toBeCloseTo(slope, 6)
    const mean = await run('l2_per_location: true l2_prescale_by_channels: true epsilon: 0.5')
    expect(mean.loss).toBeCloseTo(Math.sqrt(13) + 1, 5)
    expect(mean.dx[0][0]).toBeCloseTo(3 / 2 / Math.sqrt(13), 6)
  })

  test('a plateau, and what is no number', async () => {
    expect(await run('plateau: 2')).toMatchObject({ loss: 7, dx: [[1, 0, 1, 0], expect.anything()] })
    const flat = await run('l2_per_location: true plateau: 2 epsilon: 0.25')
    expect(flat.loss).toBeCloseTo(Math.sqrt(25.25) + 0.5, 5)
    expect(flat.dx[0][1]).toBe(0)
    const gap = { ...b, values: [0, Number.NaN, 0, 2] }
    expect(await run('', [a, gap])).toMatchObject({ loss: 7, dx: [[1, 0, 1, 0], expect.anything()] })
    expect((await run('normalize_by_num_entries: true', [a, gap])).loss).toBeCloseTo(7 / 1.5, 4)
    const nothing = { ...b, values: Array<number>(4).fill(Number.NaN) }
    expect((await run('normalize_by_num_entries: true', [a, nothing])).loss).toBe(0)
  })

  test.each(['', 'l1_loss_param { l2_per_location: true }'])('checks %s', async param => {
    const shapes = [
      [2, 3, 2, 5],
      [2, 3, 2, 5],
    ]
    const reshapeTo = [
      [1, 2, 1, 1],
      [1, 2, 1, 1],
    ]
    await checkLayer(L1LossLayer, { param, bottoms: shapes, reshapeTo, engine })
    const far = { shape: [2, 3], values: [1, -1, 0.5, -0.5, 2, -2] }
    await checkLayer(L1LossLayer, { param, bottoms: [far], reshapeTo: false, engine })
  })
})

test('refuses', async () => {
  const shape = [1, 2, 1, 2]
  await expect(handNet(type, [shape, [1, 2, 1, 3]])).rejects.toThrow(/same number of values/)
  await expect(handNet(type, [[4]])).rejects.toThrow(/a batch axis and channels/)
  await expect(handNet(`${type} l1_loss_param { epsilon: -1 }`, [shape])).rejects.toThrow(/epsilon: -1/)
})
