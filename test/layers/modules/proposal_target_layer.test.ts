import { describe, expect, test } from 'vitest'
import { hostEngines } from '../../engines.js'
import { shapesOf } from '../../shapes.js'
import { handNet, handPass } from '../hand.js'

const python = (settings: string) =>
  `type: "Python" python_param { module: "rpn.proposal_target_layer" layer: "ProposalTargetLayer" param_str: "${settings}" }`
const rows = (...values: number[][]) => ({ shape: [values.length, values[0].length], values: values.flat() })
// the first overlaps the object by 12 of 20 columns, the second not at all
const bottoms = [rows([0, 4, 0, 19, 15], [0, 40, 40, 50, 50]), rows([0, 0, 15, 15, 2])]

describe.each(hostEngines)('rpn.proposal_target_layer on %s', engine => {
  test('hand-worked: regions and the object itself, their class and where it lies; the others are background', async () => {
    const run = await handPass(python("'num_classes': 3, 'fg_fraction': 1"), bottoms, { engine, tops: 5 })
    expect(run.shapes).toEqual(shapesOf('3×5 3×1×1×1 3×12 3×12 3×12'))
    expect(run.y[0]).toEqual([0, 4, 0, 19, 15, 0, 0, 0, 15, 15, 0, 40, 40, 50, 50])
    expect(run.y[1]).toEqual([2, 2, 0])
    // dx = −4/16, over 0.1
    const targets = new Array(36).fill(0)
    targets[8] = -2.5
    expect(run.y[2]).toEqual(targets)
    const weights = Array.from({ length: 36 }, (_, i) => (i < 24 && i % 12 >= 8 ? 1 : 0))
    expect(run.y[3]).toEqual(weights)
    expect(run.y[4]).toEqual(weights)
  })

  test('a quarter of the batch holds objects, the rest does not; seeds repeat', async () => {
    const many = [
      rows(...Array.from({ length: 40 }, (_, i) => (i % 2 ? [0, i / 20, 0, 15, 15] : [0, 60 + i, 60, 90 + i, 90]))),
      bottoms[1],
    ]
    const settings = "'num_classes': 3, 'batch_size': 16, 'bbox_inside_weights': [2, 2, 0, 2]"
    const run = (seed: number) => handPass(python(settings), many, { engine, tops: 5, seed })
    const [a, b, c] = [await run(1), await run(1), await run(2)]
    expect(a.y[1]).toEqual([2, 2, 2, 2, ...new Array(12).fill(0)])
    expect([a.y[3].slice(8, 12), a.y[4].slice(8, 12)]).toEqual([
      [2, 2, 0, 2],
      [1, 1, 0, 1],
    ])
    expect(b.y).toEqual(a.y)
    expect(c.y[0]).not.toEqual(a.y[0])
    const all = await handPass(python("'num_classes': 3, 'batch_size': -1"), many, { engine, tops: 5 })
    expect(all.shapes[1]).toEqual([41, 1, 1, 1])
  })

  test('with two classes all objects share one place (R-FCN), the label stays', async () => {
    const run = await handPass(python("'num_classes': 2, 'fg_fraction': 1"), bottoms, { engine, tops: 5 })
    expect(run.y[1]).toEqual([2, 2, 0])
    expect(run.y[2].slice(0, 8)).toEqual([0, 0, 0, 0, -2.5, 0, 0, 0])
  })

  test('regions without any object, and background within an overlap', async () => {
    const settings = "'num_classes': 3, 'bg_thresh_lo': 0.1"
    const run = await handPass(python(settings), [bottoms[0], rows([100, 100, 110, 110, 1])], { engine, tops: 5 })
    expect(run.y[1]).toEqual([1])
  })

  test('refuses a class that is none, and a second picture', async () => {
    const three = python("'num_classes': 3")
    await expect(handPass(three, [bottoms[0], rows([0, 0, 9, 9, 3])], { engine, tops: 5 })).rejects.toThrow(
      /object 0 of 'in1' has class 3: classes count from 0 to 2/,
    )
    await expect(handPass(three, [rows([1, 0, 0, 9, 9]), bottoms[1]], { engine, tops: 5 })).rejects.toThrow(
      /region 0 of 'in0' is of picture 1: one picture at a time/,
    )
  })
})

test('refuses settings and shapes that do not fit', async () => {
  const net = (settings: string, ...shapes: number[][]) => handNet(python(settings), shapes, { tops: 5 })
  await expect(net("'bbox_normalize_stds': [1]", [1, 5], [1, 5])).rejects.toThrow(/must be four numbers/)
  await expect(net("'num_classes': 1", [1, 5], [1, 5])).rejects.toThrow(/must be 2 at least/)
  await expect(net('', [1, 4], [1, 5])).rejects.toThrow(/'in0' \(1×4\) must be R×5/)
})
