import { describe, expect, test } from 'vitest'
import { TileLayer } from '../../lib/layers/tile.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const x = [{ shape: [2, 2], values: [1, 2, 3, 4] }]

describe.each(hostEngines)('Tile on %s', engine => {
  test('hand-worked: along axis 1, and the gradients of the copies added', async () => {
    const run = await handPass('type: "Tile" tile_param { tiles: 2 }', x, { engine, dy: [[1, 2, 3, 4, 5, 6, 7, 8]] })
    expect(run.shapes[0]).toEqual([2, 4])
    expect(run.y[0]).toEqual([1, 2, 1, 2, 3, 4, 3, 4])
    expect(run.dx[0]).toEqual([4, 6, 12, 14])
  })

  test.each([0, 1, -1])('checks along axis %s', async axis => {
    await checkLayer(TileLayer, { param: `tile_param { axis: ${axis} tiles: 3 }`, bottoms: [[2, 3, 5]], engine })
  })
})

test('needs to know how often', async () => {
  await expect(handNet('type: "Tile"', [[2, 2]])).rejects.toThrow(/tiles of at least 1 \(it is missing\)/)
  await expect(handNet('type: "Tile" tile_param { tiles: 0 }', [[2, 2]])).rejects.toThrow(/it is 0/)
})
