import { describe, expect, test } from 'vitest'
import type { SolverParameter } from '../../lib/generated/caffe.js'
import { parseNet } from '../../lib/proto/text.js'
import { averagePrecision, DetectionTally } from '../../lib/solver/average_precision.js'
import { SGDSolver } from '../../lib/solver/rules/sgd.js'

const ranked = (hits: string) => [...hits].map((hit, i) => ({ score: 1 - i / 100, hit: hit === '+' }))

describe('average precision', () => {
  test('by hand', () => {
    // precision 1, 1/2, 2/3, 2/4, 3/5 at recall 1/4, 1/4, 2/4, 2/4, 3/4
    const list = ranked('+-+-+')
    // recall 0, .1, .2: 1; .3, .4, .5: 2/3; .6, .7: 3/5; .8, .9, 1: never reached
    expect(averagePrecision(list, 4, '11point')).toBeCloseTo((3 + 3 * (2 / 3) + 2 * 0.6) / 11, 12)
    expect(averagePrecision(list, 4, 'MaxIntegral')).toBeCloseTo((1 + 2 / 3 + 0.6) / 4, 12)
    // a later hit is better than an earlier one: 1/2, 2/3, 3/4
    expect(averagePrecision(ranked('-+++'), 3, 'MaxIntegral')).toBeCloseTo(0.75, 12)
    expect(averagePrecision(ranked('-+++'), 3, 'Integral')).toBeCloseTo((1 / 2 + 2 / 3 + 3 / 4) / 3, 12)
    expect(averagePrecision(ranked('-+++'), 3, '11point')).toBeCloseTo(0.75, 12)
  })
  test('a recall of exactly seven tenths reaches 0.7, whatever binary fractions make of it', () => {
    for (const hits of [1, 3, 6, 7, 9])
      expect(averagePrecision(ranked('+'.repeat(hits)), 10, '11point')).toBeCloseTo((hits + 1) / 11, 12)
  })
  test('all, none, and the order in which detections are given', () => {
    for (const version of ['11point', 'MaxIntegral', 'Integral'] as const) {
      expect(averagePrecision(ranked('+++'), 3, version)).toBeCloseTo(1, 12)
      expect(averagePrecision(ranked('---'), 3, version)).toBe(0)
      expect(averagePrecision([], 3, version)).toBe(0)
      expect(averagePrecision(ranked('---'), 0, version)).toBe(0)
      expect(averagePrecision(ranked('+-+-+').reverse(), 4, version)).toBe(
        averagePrecision(ranked('+-+-+'), 4, version),
      )
    }
  })
  test('rows of several batches: truths add up, difficult ones do not count, a class without detections is 0', () => {
    const tally = new DetectionTally()
    tally.add([-1, 1, 2, -1, -1, -1, 2, 1, -1, -1, 0, 1, 0.9, 1, 0, 0, 1, 0.8, 0, 0])
    tally.add([-1, 1, 1, -1, -1, -1, 2, 0, -1, -1, 1, 1, 0.95, 0, 1])
    expect(tally.scores('MaxIntegral')).toEqual({
      map: 1 / 12,
      classes: [
        { label: 1, truths: 3, detections: 2, ap: 1 / 6 },
        { label: 2, truths: 1, detections: 0, ap: 0 },
      ],
    })
    expect(() => tally.add([1, 2, 3])).toThrow('rows of DetectionEvaluate have 5 numbers each, not 3 in all')
  })
})

/** Detections and truths of two batches as Input layers cannot hold: constants. */
const net = (classes = 3) =>
  parseNet(`layer { name: "p" type: "DummyData" top: "x" top: "y" dummy_data_param { shape { dim: 1 dim: 2 } shape { dim: 1 }
      data_filler { type: "constant" value: 1 } } include { phase: TRAIN } }
    layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param { num_output: 2 weight_filler { type: "xavier" } } include { phase: TRAIN } }
    layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "y" top: "loss" include { phase: TRAIN } }
    layer { name: "d" type: "DummyData" top: "det" top: "truth" include { phase: TEST } dummy_data_param {
      shape { dim: 1 dim: 1 dim: 1 dim: 7 } shape { dim: 1 dim: 1 dim: 1 dim: 8 }
      data_filler { type: "constant" value: 1 } data_filler { type: "constant" value: 1 } } }
    layer { name: "e" type: "DetectionEvaluate" bottom: "det" bottom: "truth" top: "eval" include { phase: TEST }
      detection_evaluate_param { num_classes: ${classes} } }`)

describe('a solver with eval_type "detection"', () => {
  const param = {
    base_lr: 0.1,
    lr_policy: 'fixed',
    max_iter: 1,
    test_iter: [2],
    test_interval: 1,
    eval_type: 'detection',
  } satisfies SolverParameter
  test('gives the mean average precision of the whole test, and that of each class where it is asked for', async () => {
    using solver = await SGDSolver.create({ ...param, net_param: net() }, { engine: 'js', seed: 1 })
    // the box of side 0 (from 1 to 1) overlaps nothing: one false positive a batch, of class 1
    expect(await solver.test()).toEqual([{ name: 'eval', value: 0, lossWeight: 0 }])
    using each = await SGDSolver.create(
      { ...param, show_per_class_result: true, ap_version: '11point', net_param: net() },
      { engine: 'js', seed: 1 },
    )
    expect((await each.test()).map(({ name }) => name)).toEqual(['class1', 'class2', 'eval'])
  })
  test('is refused where outputs are something else, and where its words are unknown', async () => {
    const refused = async (more: object, message: RegExp) => {
      await expect(
        SGDSolver.create({ ...param, net_param: net(), ...more }, { engine: 'js', seed: 1 }).then(s => s.test()),
      ).rejects.toThrow(message)
    }
    await refused({ eval_type: 'detektion' }, /eval_type is 'classification' or 'detection', not 'detektion'/)
    await refused({ ap_version: '12point' }, /ap_version is one of 11point, MaxIntegral, Integral, not '12point'/)
    const other = net()
    other.layer = other.layer!.filter(layer => layer.name !== 'e')
    await refused({ net_param: other }, /takes outputs of DetectionEvaluate, 1×1×rows×5; output 'det' is 1×1×1×7/)
  })
})
