import { describe, expect, test } from 'vitest'
import { BlankSquareLayer } from '../../docs/examples/occlusion/blank_square.js'
import { Net, parseNet, registerLayer, registerLayerModule } from '../../lib/index.js'
import { hostEngines } from '../engines.js'
import { expectClose, Golden, type GoldenArray, goldenPath } from '../golden.js'
import { inputLayer } from '../shapes.js'

interface Walkthrough {
  data: GoldenArray
  conv1_weight: GoldenArray
  conv1_bias: GoldenArray
  runs: {
    name: string
    prototxt: string
    forwards: {
      offset_row_col: [number, number]
      blanked: GoldenArray
      conv1: GoldenArray
      conv1_diff: GoldenArray
      blanked_diff: GoldenArray
      scaled_diff: GoldenArray
      data_diff: GoldenArray
      conv1_weight_diff: GoldenArray
    }[]
  }[]
  rtol: number
  atol: number
}
const golden = new Golden<Walkthrough>('walkthroughs/blank_square/blank_square')
const { data, conv1_weight, conv1_bias, runs, rtol, atol } = golden.json

/** Takes the corners of the record instead of random ones. */
class QueuedBlankSquareLayer extends BlankSquareLayer {
  static queue: [number, number][] = []
  protected override corner(rows: number, columns: number): [number, number] {
    expect([rows, columns]).toEqual([15, 15])
    return QueuedBlankSquareLayer.queue.shift()!
  }
}
registerLayerModule('blank_layer', { BlankSquareLayer: QueuedBlankSquareLayer })
registerLayer('BlankSquare', BlankSquareLayer)

describe.each(hostEngines)('A layer that blanks a quarter of the picture, on %s', engine => {
  test.each(runs)('$name', async ({ prototxt, forwards }) => {
    using net = await Net.create(goldenPath(`walkthroughs/blank_square/${prototxt}`), { engine })
    const [weight, bias] = net.params['conv1']
    weight.dataArray.set(golden.array(conv1_weight))
    bias.dataArray.set(golden.array(conv1_bias))
    const last = net.bottomNames['conv1'][0]
    for (const [i, expected] of forwards.entries()) {
      // what stands in the diffs before; a backward that does nothing leaves it there
      for (const blob of Object.values(net.blobs)) blob.diffArray.fill(5)
      net.clearParamDiffs()
      QueuedBlankSquareLayer.queue = [expected.offset_row_col]
      await net.forward({ data: golden.array(data) })
      const close = (got: Float32Array, place: GoldenArray, what: string) =>
        expectClose(got, golden.array(place), rtol, atol, `forward ${i}: ${what}`)
      close(net.blobs[last].dataArray, expected.blanked, 'blanked')
      close(net.blobs['conv1'].dataArray, expected.conv1, 'conv1')
      net.blobs['conv1'].diffArray.set(golden.array(expected.conv1_diff))
      await net.backward()
      close(net.blobs[last].diffArray, expected.blanked_diff, 'diff of the blanked picture')
      close(net.blobs['scaled'].diffArray, expected.scaled_diff, 'diff of its bottom')
      close(net.blobs['data'].diffArray, expected.data_diff, 'diff of the data')
      close(weight.diffArray, expected.conv1_weight_diff, 'diff of the weights')
    }
  })
})

describe('Random squares', () => {
  const param = parseNet(`
    ${inputLayer('data', '2×3×5×4')}
    layer { name: "blank" type: "BlankSquare" bottom: "data" top: "blank" }`)
  const ones = new Float32Array(120).fill(1)

  test('the same seed blanks the same squares, every place is met, the size is half of each side', async () => {
    const corners = async (seed: number) => {
      using net = await Net.create(param, { engine: 'js', seed })
      const found: string[] = []
      for (let i = 0; i < 100; i++) {
        const { blank } = await net.forward({ data: ones })
        const first = blank.data.subarray(0, 20)
        const corner = first.indexOf(0)
        const [y, x] = [Math.floor(corner / 4), corner % 4]
        const square = [0, 1].flatMap(row => [0, 1].map(column => (y + row) * 4 + x + column))
        for (let plane = 0; plane < 6; plane++)
          expect([...blank.data.subarray(20 * plane, 20 * plane + 20)]).toEqual(
            Array.from({ length: 20 }, (_, k) => (square.includes(k) ? 0 : 1)),
          )
        found.push(`${y},${x}`)
      }
      return found
    }
    const first = await corners(7)
    expect(new Set(first).size).toBe(4 * 3)
    expect(await corners(7)).toEqual(first)
    expect(await corners(8)).not.toEqual(first)
  })
  test('refuses vectors', async () => {
    const flat = parseNet(`
      ${inputLayer('data', '2×3')}
      layer { name: "blank" type: "BlankSquare" bottom: "data" top: "data" }`)
    await expect(Net.create(flat, { engine: 'js' })).rejects.toThrow(
      /layer 'blank' \(BlankSquare\): 'data' needs at least 3 axes/,
    )
  })
})
