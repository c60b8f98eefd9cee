import { describe, expect, test } from 'vitest'
import { WhereLayer } from '../../lib/layers/where.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

describe.each(hostEngines)('Where on %s', engine => {
  const bottoms = [
    { shape: [2, 1], values: [1, 0] },
    { shape: [2, 2], values: [1, 2, 3, 4] },
    { shape: [1], values: [9] },
  ]
  const inside = 'type: "Where" propagate_down: false propagate_down: true propagate_down: true'

  test('hand-worked: one of two values, and where its gradient goes', async () => {
    const run = await handPass(inside, bottoms, { engine, dy: [[1, 2, 3, 4]] })
    expect(run.y[0]).toEqual([1, 2, 9, 9])
    expect(run.dx.slice(1)).toEqual([[1, 2, 0, 0], [7]])
  })

  test('checks', async () => {
    const given = [{ ...bottoms[0], gradient: false }, [2, 3], [3]]
    await checkLayer(WhereLayer, { bottoms: given, engine, reshapeTo: false })
  })
})

test('refuses', async () => {
  await expect(handNet('type: "Where"', [[2], [3], [2]], { force: false })).rejects.toThrow(/do not go together/)
})
