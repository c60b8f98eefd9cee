import { describe, expect, test } from 'vitest'
import { InterpLayer } from '../../lib/layers/interp.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const interp = (fields: string) => `interp_param { ${fields} }`

describe.each(hostEngines)('Interp on %s', engine => {
  test('hand-worked: corners stay corners, and give back what they gave', async () => {
    const x = [{ shape: [1, 1, 2, 3], values: [0, 2, 4, 10, 12, 14] }]
    const run = await handPass(`type: "Interp" ${interp('height: 3 width: 5')}`, x, {
      engine,
      dy: [[1, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 2]],
    })
    expect(run.y[0]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14])
    expect(run.dx[0]).toEqual([2, 1, 0, 1, 1, 2])
  })

  test.each([
    ['height: 7 width: 4', [7, 4]],
    ['zoom_factor: 3', [13, 16]],
    ['shrink_factor: 2', [3, 3]],
    ['shrink_factor: 2 zoom_factor: 2', [5, 5]],
    ['full_zoom_factor: 2', [10, 12]],
    ['zoom_factor: 2 height: 1 width: 1', [9, 11]],
    ['zoom_factor: 2 pad_beg: -1 pad_end: -2', [3, 5]],
  ])('size with %s', async (fields, size) => {
    const net = await handNet(`type: "Interp" ${interp(fields)}`, [[1, 2, 5, 6]], { engine })
    expect(net.blobs.y0.shape).toEqual([1, 2, ...size])
  })

  test('the size of the second bottom, which follows it', async () => {
    const net = await handNet(`type: "Interp" ${interp('use_blob_size: true')}`, shapesOf('1×2×3×4 2×1×6×5'), {
      engine,
    })
    expect(net.blobs.y0.shape).toEqual([1, 2, 6, 5])
    net.blobs.in1.reshape([1, 1, 3, 4])
    net.reshape()
    expect(net.blobs.y0.shape).toEqual([1, 2, 3, 4])
  })

  test('a part that keeps its size is copied, whatever lies around it', async () => {
    const x = [{ shape: [1, 1, 3, 3], values: [9, 9, 9, 9, 1, Number.POSITIVE_INFINITY, 9, 3, 4] }]
    const fields = interp('height: 2 width: 2 pad_beg: -1')
    const run = await handPass(`type: "Interp" ${fields}`, x, { engine, dy: [[5, 6, 7, 8]] })
    expect(run.y[0]).toEqual([1, Number.POSITIVE_INFINITY, 3, 4])
    expect(run.dx[0]).toEqual([0, 0, 0, 0, 5, 6, 0, 7, 8])
  })

  test.each([
    [[1, 3], 'height: 1 width: 5'],
    [[3, 1], 'height: 5 width: 1'],
  ])('a place on a value is that value alone, whatever lies beside it: %o', async (size, fields) => {
    const far = Number.POSITIVE_INFINITY
    const shape = [1, 1, ...size]
    const layer = `type: "Interp" ${interp(fields)}`
    const beside = await handPass(layer, [{ shape, values: [1, far, 3] }], { engine, dy: [[far, 0, 0, 0, 1]] })
    expect(beside.y[0]).toEqual([1, far, far, far, 3])
    expect(beside.dx[0]).toEqual([far, 0, 1])
    const last = await handPass(layer, [{ shape, values: [1, 2, far] }], { engine, dy: [[1, 0, far, 0, 0]] })
    expect(last.y[0]).toEqual([1, 1.5, 2, far, far])
    expect(last.dx[0]).toEqual([1, far, 0])
  })

  test.each([
    ['height: 9 width: 5', [2, 3, 4, 7]],
    ['height: 3 width: 2', [1, 2, 7, 6]],
    ['height: 1 width: 1', [1, 1, 3, 3]],
    ['zoom_factor: 4 pad_beg: -1 pad_end: -1', [1, 3, 5, 4]],
    ['height: 5 width: 6', [2, 2, 1, 1]],
  ])('checks with %s', { tags: 'long' }, async (fields, shape) => {
    await checkLayer(InterpLayer, { param: interp(fields), bottoms: [shape], engine })
  })
})

test('refuses what gives no size', async () => {
  const refuses = (fields: string, message: RegExp, shape = [1, 1, 3, 3]) =>
    expect(handNet(`type: "Interp" ${interp(fields)}`, [shape])).rejects.toThrow(message)
  await refuses('', /the top would be 0×0: give height and width/)
  await refuses('height: 3', /the top would be 0×0/)
  await refuses('pad_beg: 1 zoom_factor: 2', /pad_beg: 1 and pad_end: 0 crop: they may not be above 0/)
  await refuses('pad_beg: -2 pad_end: -1 zoom_factor: 2', /leave nothing of 'in0' \(1×1×3×3\)/)
  await refuses('zoom_factor: 0', /zoom_factor: 0 must be at least 1/)
  await refuses('zoom_factor: 2', /must have four axes/, [3, 3])
})
