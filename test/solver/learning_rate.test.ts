/** Rates of forks; Caffe's are held to recorded runs. */
import { expect, test } from 'vitest'
import { LearningRate, ratePolicies } from '../../lib/solver/learning_rate.js'
import { unknownPolicy } from '../../lib/solver/unknown_policy.js'

const rates = (param: ConstructorParameters<typeof LearningRate>[0], iterations: number[]) => {
  const rate = new LearningRate(param)
  return iterations.map(iter => rate.take(iter))
}

test('a warm-up goes up in a line, then the policy counts', () => {
  const step = { base_lr: 1, lr_policy: 'step' as const, gamma: 0.5, stepsize: 10 }
  expect(rates({ ...step, warmup_iter: 4, warmup_start_lr: 0.2 }, [0, 1, 3, 4, 10])).toEqual([0.2, 0.4, 0.8, 1, 0.5])
  expect(rates({ ...step, rampup_interval: 4, rampup_lr: 0.2 }, [0, 1, 4])).toEqual([0.2, 0.4, 1])
})

test('multifixed has a list of rates with their last iterations', () => {
  const param = { lr_policy: 'multifixed' as const, stagelr: [3, 2, 1], stageiter: [10, 20, 30] }
  expect(rates(param, [0, 10, 11, 20, 25, 99])).toEqual([3, 3, 2, 2, 1, 1])
  expect(() => rates({ ...param, stageiter: [10] }, [0])).toThrow(/as many stageiter as stagelr, there are 1 and 3/)
})

test('cosine and poly go down to min_lr at max_iter, and stay there', () => {
  const cosine = { base_lr: 1, lr_policy: 'cosine', max_iter: 8 } as const
  expect(rates(cosine, [0, 2, 4, 6, 8, 9])).toEqual([
    1,
    (1 + Math.SQRT1_2) / 2,
    expect.closeTo(0.5, 15),
    expect.closeTo((1 - Math.SQRT1_2) / 2, 15),
    0,
    0,
  ])
  expect(rates({ ...cosine, min_lr: 0.5 }, [0, 4, 8, 9])).toEqual([1, expect.closeTo(0.75, 15), 0.5, 0.5])
  const poly = { base_lr: 1, lr_policy: 'poly', power: 2, max_iter: 8, min_lr: 0.5 } as const
  expect(rates(poly, [0, 4, 8, 9])).toEqual([1, 0.5 + 0.5 * 0.25, 0.5, 0.5])
  expect(() => rates({ ...cosine, max_iter: 0 }, [0])).toThrow("'cosine' needs a positive max_iter, it is 0")
})

test('plateau drops the rate where the loss has had no new low for so many iterations', () => {
  const rate = new LearningRate({ base_lr: 1, lr_policy: 'plateau', gamma: 0.5, plateau_winsize: [2, 3] })
  const losses = [9, 8, 8, 8.5, 7, 7, 7, 7, 7, 7, 7]
  // lows at 0, 1 and 4; drops two after the low at 1, three after the one at 4, then never again
  expect(losses.map((loss, iter) => rate.take(iter, loss))).toEqual([
    1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25,
  ])
  expect(rate).toMatchObject({ stage: 2, lowest: 7, lastEvent: 7 })
  expect(rate.peek(11)).toBe(0.25)
  expect(() => new LearningRate({ base_lr: 1, lr_policy: 'plateau' })).toThrow(/'plateau' needs plateau_winsize/)
  expect(() => new LearningRate({ base_lr: 1, lr_policy: 'plateau', plateau_winsize: [2, 0] })).toThrow(/1 or more/)
})

test('plateau counts from the end of a warm-up, whose losses are no lows', () => {
  const plateau = { base_lr: 1, lr_policy: 'plateau' as const, gamma: 0.5, plateau_winsize: [2, 2] }
  const rate = new LearningRate({ ...plateau, warmup_iter: 4, warmup_start_lr: 0.2 })
  const losses = [3, 4, 5, 6, 7, 7, 7, 7]
  expect(losses.map((loss, iter) => rate.take(iter, loss))).toEqual([
    0.2,
    0.4,
    expect.closeTo(0.6, 15),
    0.8,
    1,
    1,
    0.5,
    0.5,
  ])
  expect(rate).toMatchObject({ stage: 1, lowest: 7, lastEvent: 6 })
})

test('stepearly drops the rate where so many tests have had no new best accuracy', () => {
  const param = { base_lr: 1, lr_policy: 'stepearly' as const, gamma: 0.5, stepearly: 2, test_interval: 10 }
  const rate = new LearningRate(param)
  const told = (iter: number, value: number) => {
    rate.tested(iter, [
      { value: 9, lossWeight: 1 },
      { value, lossWeight: 0 },
    ])
    return rate.take(iter)
  }
  // bests at 0, 10 and 50; two tests after the one at 10, and two after that, and two after the one at 50
  const accuracies = [0.1, 0.5, 0.5, 0.4, 0.3, 0.6, 0.6, 0.2]
  expect(accuracies.map((value, i) => told(10 * i, value))).toEqual([1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25])
  expect(rate).toMatchObject({ stage: 2, lowest: -Math.fround(0.6), lastEvent: 70 })
  // a test out of turn is no second one
  expect(told(71, 0.2)).toBe(0.25)
  expect(() => rate.tested(80, [{ value: 1, lossWeight: 1 }])).toThrow(/needs an Accuracy layer/)
  expect(() => new LearningRate({ ...param, stepearly: 0 })).toThrow(/needs a positive stepearly.*are 0 and 10/)
  expect(() => new LearningRate({ ...param, test_interval: 0 })).toThrow(/are 2 and 0/)
})

test.each([
  ['reduce_on_plateau', /'plateau' lowers the rate when the loss has stopped falling/],
  ['step_early', /did you mean 'stepearly'\?/],
  ['linear', /'poly' with power: 1 goes down in a line/],
  ['cosine_decay', /'cosine' is half a wave/],
  ['sgdr', /'cosine' is half a wave/],
  ['triangular2', /up and down again are not made/],
  ['cyclical', /up and down again are not made/],
  ['warmup_constant', /warmup_iter and warmup_start_lr/],
  ['multistep_lr', /'multistep' takes stepvalue/],
  ['multisteps', /did you mean 'multistep'\?/],
])('what others call %s is refused with what to write instead', (lr_policy, said) => {
  expect(unknownPolicy(lr_policy, ratePolicies).message).toMatch(said)
  expect(unknownPolicy(lr_policy, ratePolicies).message).toMatch(
    /it may be fixed, step, exp, inv, multistep, poly, multifixed, sigmoid, cosine, plateau, stepearly$/,
  )
})
