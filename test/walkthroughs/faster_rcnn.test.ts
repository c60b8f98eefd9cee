import { expect, test } from 'vitest'
import { averagePrecision } from '../../docs/examples/faster-rcnn/detect.js'
import { drawScene, SIZE } from '../../docs/examples/faster-rcnn/shapes.js'
import { evaluate, train } from '../../docs/examples/faster-rcnn/train.js'
import { createSolver, Net } from '../../lib/index.js'

const folder = 'docs/examples/faster-rcnn'

test('the small Faster R-CNN learns to find shapes, in a part of its iterations', async () => {
  const solver = await createSolver(`${folder}/solver.prototxt`, { engine: 'wasm', threads: 1 })
  const net = await Net.create(`${folder}/net.prototxt`, { phase: 'TEST', engine: 'wasm', threads: 1 })
  net.shareWith(solver.net)
  const before = await evaluate(net, 20)
  await train(solver, 150)
  const after = await evaluate(net, 20)
  // a weight that differs by a millionth gives 0.15 to 0.30, and recalls of 0.53 to 0.82
  expect(before.map).toBeLessThan(0.05)
  expect(after.map).toBeGreaterThan(0.1)
  expect(after.recall).toBeGreaterThan(0.4)
})

test('average precision, hand-worked: a hit, a second one on the same object, a miss', () => {
  const pixels = new Float32Array(0)
  const scene = {
    pixels,
    objects: [
      { box: [0, 0, 9, 9], label: 1 },
      { box: [20, 20, 29, 29], label: 1 },
      { box: [40, 40, 49, 49], label: 2 },
      { box: [60, 60, 69, 69], label: 3 },
    ],
  } as const
  const found = [
    { box: [0, 0, 9, 9], label: 1, score: 0.9 },
    { box: [0, 0, 9, 8], label: 1, score: 0.8 },
    { box: [20, 20, 29, 29], label: 1, score: 0.7 },
    { box: [40, 40, 49, 49], label: 2, score: 0.9 },
    { box: [60, 60, 69, 69], label: 2, score: 0.95 },
  ] as const
  const { perClass, recall } = averagePrecision([scene], [found])
  expect(perClass).toEqual([(1 + 2 / 3) / 2, 0.5, 0])
  expect(recall).toBeCloseTo(2 / 3, 6)
})

test('a scene is a function of its seed and number, its objects do not touch', () => {
  expect(drawScene(1, 5)).toEqual(drawScene(1, 5))
  expect(drawScene(1, 5).pixels).not.toEqual(drawScene(1, 6).pixels)
  for (let i = 0; i < 20; i++) {
    const { objects } = drawScene(7, i)
    expect(objects.length).toBeGreaterThan(0)
    for (const { box } of objects) for (const side of box) expect(side >= 0 && side < SIZE).toBe(true)
  }
})
