import { describe, expect, test } from 'vitest'
import { Confusion, EvaluationTally } from '../../lib/tools/index.js'

describe('Confusion', () => {
  const confusion = new Confusion(3)
  for (const [label, prediction] of [
    [0, 0],
    [0, 0],
    [0, 1],
    [1, 1],
    [1, 0],
    [1, 0],
  ])
    confusion.add(label, prediction)

  test('scores classes', () => {
    expect(confusion.toRows()).toEqual([
      [2, 1, 0],
      [2, 1, 0],
      [0, 0, 0],
    ])
    expect([confusion.items, confusion.accuracy]).toEqual([6, 0.5])
    const [first, second, none] = confusion.scores()
    expect(first).toEqual({
      ...{ label: 0, items: 3, predicted: 4, correct: 2 },
      ...{ precision: 0.5, recall: 2 / 3, f1: 4 / 7, iou: 2 / 5 },
    })
    expect(second).toMatchObject({ items: 3, predicted: 2, correct: 1, precision: 0.5, recall: 1 / 3, iou: 1 / 4 })
    expect(none).toMatchObject({ items: 0, predicted: 0, precision: Number.NaN, recall: Number.NaN, iou: Number.NaN })
  })

  test('lists mistakes, the most frequent first', () => {
    expect(confusion.mistakes()).toEqual([
      { label: 1, prediction: 0, count: 2 },
      { label: 0, prediction: 1, count: 1 },
    ])
  })

  test.each([-1, 1.5, 20_000])('refuses %d classes', classes => {
    expect(() => new Confusion(classes)).toThrow(/up to 10,000 classes/)
  })
})

describe('EvaluationTally', () => {
  const scores = [...[2, 1, 0], ...[0, 0, 5], ...[1, 3, 2]]
  const e = Math.E

  test('takes scores for what a softmax is made of', () => {
    const tally = new EvaluationTally({ top: 2, hardest: 2 })
    tally.add({ items: 3, classes: 3, places: 1, scores, labels: [0, 0, 2] }, ['a', 'b', 'c'])
    const result = tally.result()
    const [pa, pb, pc] = [e ** 2 / (e ** 2 + e + 1), 1 / (2 + e ** 5), e ** 2 / (e + e ** 3 + e ** 2)]
    expect(result).toMatchObject({ items: 3, places: 3, accuracy: 1 / 3 })
    // b's label has the same score as class 1, and comes first
    expect(result.topShares).toEqual([1 / 3, 1])
    expect(result.loss).toBeCloseTo(-(Math.log(pa) + Math.log(pb) + Math.log(pc)) / 3, 12)
    expect(result.hardest.map(({ name, index }) => [name, index])).toEqual([
      ['b', 1],
      ['c', 2],
    ])
    expect(result.wrong).toEqual(result.hardest)
    expect(result.wrong[0]).toMatchObject({ label: 0, prediction: 2, probability: expect.closeTo(pb, 12) })
  })

  test('takes probabilities as they are, and counts the first items only if told to', () => {
    const tally = new EvaluationTally()
    const batch = { items: 2, classes: 2, places: 1, scores: [0.25, 0.75, 1, 0], labels: [0, 1] }
    tally.add(batch, undefined, 1)
    expect(tally.result()).toMatchObject({ items: 1, loss: expect.closeTo(Math.log(4), 12), topShares: [0, 1] })
    // a probability of nothing does not make the mean infinite
    tally.add(batch)
    expect(tally.result().hardest[0].loss).toBeCloseTo(-Math.log(1.17549435e-38), 6)
  })

  test('maps have a label a pixel, and places that are ignored', () => {
    const tally = new EvaluationTally({ ignored: 255 })
    // two classes over 1 × 3 pixels
    tally.add({ items: 1, classes: 2, places: 3, scores: [...[1, 0, 0], ...[0, 1, 1]], labels: [0, 0, 255] })
    const result = tally.result()
    expect(result).toMatchObject({ items: 1, places: 2, accuracy: 0.5, wrong: [] })
    expect(result.confusion.toRows()).toEqual([
      [1, 1],
      [0, 0],
    ])
    expect(result.hardest).toEqual([{ index: 0, loss: result.loss, probability: Math.exp(-result.loss) }])
    tally.add({ items: 1, classes: 2, places: 3, scores: new Float32Array(6), labels: [255, 255, 255] })
    expect(tally.result()).toMatchObject({ items: 2, places: 2 })
  })

  test('keeps the hardest of many', () => {
    const tally = new EvaluationTally({ hardest: 3, probabilities: false })
    for (let i = 0; i < 1000; i++)
      tally.add({ items: 1, classes: 2, places: 1, scores: [((i * 7919) % 1000) / 100, 0], labels: [1] })
    const worst = tally.result().hardest.map(({ index }) => (index * 7919) % 1000)
    expect(worst).toEqual([999, 998, 997])
  })

  test('refuses what it cannot count', () => {
    expect(() => new EvaluationTally({ top: 0 })).toThrow(/top is a whole number from 1 on, not 0/)
    expect(() => new EvaluationTally({ hardest: -1 })).toThrow(/hardest is a whole number from 0 on/)
    const tally = new EvaluationTally()
    tally.add({ items: 1, classes: 2, places: 1, scores: [1, 0], labels: [1] })
    for (const label of [2, -1, 0.5, Number.NaN])
      expect(() => tally.add({ items: 1, classes: 2, places: 1, scores: [1, 0], labels: [label] })).toThrow(
        `has the label ${label}: labels are 0 to 1`,
      )
    expect(() => tally.add({ items: 1, classes: 3, places: 1, scores: [1, 0, 0], labels: [1] })).toThrow(
      /a batch has 3 classes, the ones before have 2/,
    )
  })
})
