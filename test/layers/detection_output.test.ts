import { describe, expect, test } from 'vitest'
import { RandomStream } from '../../lib/rng.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const out = (fields: string) => `type: "DetectionOutput" detection_output_param { ${fields} }`
// three boxes: the first two overlap by 0.5/0.75, the third is apart
const prior = {
  shape: [1, 2, 12],
  values: [...[0, 0, 0.5, 0.5], ...[0, 0, 0.5, 0.75], ...[0.5, 0.75, 1, 1], ...new Array(12).fill(0.5)],
}
const still = { shape: [1, 12], values: new Array(12).fill(0) }
const scores = { shape: [1, 9], values: [0.1, 0.7, 0.2, 0.1, 0.8, 0.1, 0.3, 0.3, 0.4] }
const rows = (y: readonly number[]) =>
  Array.from({ length: y.length / 7 }, (_, i) => y.slice(7 * i, 7 * i + 3).map(value => +value.toFixed(4)))

describe.each(hostEngines)('DetectionOutput on %s', engine => {
  const options = { engine, phase: 'TEST', force: false } as const
  const run = (fields: string, given = [still, scores, prior]) =>
    handPass(out(`num_classes: 3 ${fields}`), given, options)

  test('hand-worked: the better of two that overlap, class by class, above the threshold', async () => {
    const { y, shapes } = await run('confidence_threshold: 0.2 nms_param { nms_threshold: 0.6 }')
    expect(shapes[0]).toEqual([1, 1, 3, 7])
    // a score of exactly the threshold is not above it
    expect(rows(y[0])).toEqual([
      [0, 1, 0.8],
      [0, 1, 0.3],
      [0, 2, 0.4],
    ])
    expect(y[0].slice(3, 7)).toEqual([0, 0, 0.5, 0.75])
  })

  test('an overlap of exactly the threshold stays; keep_top_k counts over all classes, top_k in each', async () => {
    expect(rows((await run('nms_param { nms_threshold: 0.67 }')).y[0])).toHaveLength(6)
    expect(rows((await run('keep_top_k: 2 confidence_threshold: 0.2 nms_param { nms_threshold: 0.9 }')).y[0])).toEqual([
      [0, 1, 0.8],
      [0, 1, 0.7],
    ])
    expect(rows((await run('nms_param { top_k: 1 }')).y[0])).toEqual([
      [0, 1, 0.8],
      [0, 2, 0.4],
    ])
  })

  test('a shrinking threshold: eta', async () => {
    // 0.9, then 0.9·0.5 for the second one
    const { y } = await run('confidence_threshold: 0.5 nms_param { nms_threshold: 0.9 eta: 0.5 }')
    expect(rows(y[0])).toEqual([[0, 1, 0.8]])
  })

  test.each([
    ['CORNER', '', [0.25, 0.25, 0.75, 0.75]],
    ['CORNER_SIZE', '', [0.125, 0.125, 0.625, 0.625]],
    [
      'CENTER_SIZE',
      '',
      [0.375 - Math.exp(0.25) / 4, 0.375 - Math.exp(0.25) / 4, 0.375 + Math.exp(0.25) / 4, 0.375 + Math.exp(0.25) / 4],
    ],
    ['CORNER', 'variance_encoded_in_target: true', [0.5, 0.5, 1, 1]],
  ])('decodes %s %s', async (code, more, expected) => {
    const one = {
      loc: { shape: [1, 4], values: [0.5, 0.5, 0.5, 0.5] },
      conf: { shape: [1, 2], values: [0, 1] },
      prior: { shape: [1, 2, 4], values: [0, 0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5] },
    }
    const fields = out(`num_classes: 2 code_type: ${code} ${more}`)
    const { y } = await handPass(fields, [one.loc, one.conf, one.prior], options)
    expected.forEach((value, i) => {
      expect(y[0][3 + i]).toBeCloseTo(value, 6)
    })
  })

  test('RefineDet: what the first stage sees no object in is background, and it moves priors', async () => {
    const objectness = { shape: [1, 6], values: [0.5, 0.5, 0.991, 0.009, 0.99, 0.01] }
    const moves = { shape: [1, 12], values: [...new Array(8).fill(0), 0.5, 0, 0, 0] }
    const { y } = await run('confidence_threshold: 0.2', [still, scores, prior, objectness, moves])
    expect(rows(y[0])).toEqual([
      [0, 1, 0.7],
      [0, 1, 0.3],
      [0, 2, 0.4],
    ])
    expect(y[0].slice(10, 14)).toEqual([0.75, 0.75, 1, 1])
    expect(rows((await run('confidence_threshold: 0.2', [still, scores, prior, objectness])).y[0])).toHaveLength(3)
  })

  test('nothing found: a row of −1 for each image; the number of rows follows the values', async () => {
    const { net, y } = await run('confidence_threshold: 0.9')
    expect(y[0]).toEqual([0, -1, -1, -1, -1, -1, -1])
    net.blobs.in1.dataArray.fill(0.95)
    await net.forward()
    expect(net.blobs.y0.shape).toEqual([1, 1, 4, 7])
  })

  test('many equal scores stay in the order of their boxes', async () => {
    const count = 300
    const boxes = Array.from({ length: count }, (_, i) => [i, 0, i + 1, 1]).flat()
    const given = [
      { shape: [1, 4 * count], values: new Array(4 * count).fill(0) },
      { shape: [1, 2 * count], values: new Array(2 * count).fill(0.5) },
      { shape: [1, 2, 4 * count], values: [...boxes, ...boxes] },
    ]
    const { y } = await handPass(out('num_classes: 2 keep_top_k: 200'), given, options)
    expect(Array.from({ length: 200 }, (_, i) => y[0][7 * i + 3])).toEqual(Array.from({ length: 200 }, (_, i) => i))
  })

  // 3 classes of 1,700 boxes are sorted in parts; scores of a few values come out in the order of class and box
  test.each([
    { keep: 5, top: 400, eta: 1, share: true },
    { keep: 900, top: 350, eta: 0.9, share: true },
    { keep: -1, top: 900, eta: 1, share: false },
    { keep: 6000, top: -1, eta: 1, share: true },
  ])('as the definition has it, class by class: %j', { tags: 'long' }, async ({ keep, top, eta, share }) => {
    const [count, classes] = [1700, 4]
    const random = new RandomStream(3, 'boxes')
    const whole = (n: number) => Math.floor(n * random.uniform())
    // corners on a grid, so that every sum and product is exact
    const corners = Array.from({ length: count }, () => [whole(32), whole(32)].map(k => k / 64))
    const boxes = corners.flatMap(([x, y]) => [x, y, x + (8 + whole(24)) / 64, y + (8 + whole(24)) / 64])
    const codes = Array.from({ length: 4 * count * (share ? 1 : classes) }, () => whole(2) / 64)
    const conf = Array.from({ length: classes * count }, () => whole(32) / 32)
    const { y } = await handPass(
      out(
        `num_classes: ${classes} keep_top_k: ${keep} share_location: ${share} background_label_id: 1
        variance_encoded_in_target: true confidence_threshold: 0.125 nms_param { nms_threshold: 0.625 top_k: ${top} eta: ${eta} }`,
      ),
      [
        { shape: [1, codes.length], values: codes },
        { shape: [1, classes * count], values: conf },
        { shape: [1, 1, 4 * count], values: boxes },
      ],
      options,
    )

    const kept: { label: number; score: number; box: number[] }[] = []
    for (const label of [0, 2, 3]) {
      const tried = Array.from({ length: count }, (_, i) => ({ i, score: conf[i * classes + label] }))
        .filter(({ score }) => score > 0.125)
        .sort((a, b) => b.score - a.score || a.i - b.i)
        .slice(0, top < 0 ? count : top)
      const own: number[][] = []
      let threshold = 0.625
      for (const { i, score } of tried) {
        const code = share ? i : i * classes + label
        const box = [0, 1, 2, 3].map(s => boxes[4 * i + s] + codes[4 * code + s])
        if (own.some(other => overlap(box, other) > threshold)) continue
        own.push(box)
        kept.push({ label, score, box })
        if (eta < 1 && threshold > 0.5) threshold *= eta
      }
    }
    const best = kept.toSorted((a, b) => b.score - a.score).slice(0, keep < 0 ? kept.length : keep)
    const expected = best.toSorted((a, b) => a.label - b.label).flatMap(row => [0, row.label, row.score, ...row.box])
    expect(expected.length / 7).toBeGreaterThan(4)
    expect(y[0]).toEqual(expected)
  })
})

function overlap(a: readonly number[], b: readonly number[]): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0])
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1])
  if (width <= 0 || height <= 0) return 0
  const area = ([left, top, right, bottom]: readonly number[]) => (right - left) * (bottom - top)
  return (width * height) / (area(a) + area(b) - width * height)
}

test.each([
  ['', shapesOf('1×12 1×9 1×2×12'), /num_classes: give how many/],
  ['num_classes: 3 nms_param { nms_threshold: -1 }', shapesOf('1×12 1×9 1×2×12'), /nms_threshold: -1 must not/],
  ['num_classes: 3 nms_param { eta: 0 }', shapesOf('1×12 1×9 1×2×12'), /eta: 0 must be above 0/],
  ['num_classes: 3', shapesOf('1×12 1×9 2×12'), /'in2' \(2×12\) must be 1×2×4P/],
  ['num_classes: 3', shapesOf('1×12 1×9 1×1×12'), /'in2' \(1×1×12\) must be 1×2×4P/],
  ['num_classes: 3', shapesOf('1×8 1×9 1×2×12'), /'in0' \(1×8\) must have 12 values an image/],
  ['num_classes: 3 share_location: false', shapesOf('1×12 1×9 1×2×12'), /36 values an image: 4 for each of 3 classes/],
  ['num_classes: 4', shapesOf('1×12 1×9 1×2×12'), /'in1' \(1×9\) must have 12 values for each of 1 images/],
])('refuses %s %j', async (fields, shapes, message) => {
  await expect(handNet(out(fields), shapes, { force: false })).rejects.toThrow(message)
})
