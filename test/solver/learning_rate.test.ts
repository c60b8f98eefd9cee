/** Rates of forks; Caffe's are held to recorded runs. */
import { expect, test } from 'vitest'
import { LearningRate } from '../../lib/solver/learning_rate.js'

const rates = (param: ConstructorParameters<typeof LearningRate>[0], iterations: number[]) => {
  const rate = new LearningRate(param)
  return iterations.map(iter => rate.take(iter))
}

test('a warm-up goes up in a line, then the policy counts', () => {
  const step = { base_lr: 1, lr_policy: 'step', gamma: 0.5, stepsize: 10 }
  expect(rates({ ...step, warmup_iter: 4, warmup_start_lr: 0.2 }, [0, 1, 3, 4, 10])).toEqual([0.2, 0.4, 0.8, 1, 0.5])
  expect(rates({ ...step, rampup_interval: 4, rampup_lr: 0.2 }, [0, 1, 4])).toEqual([0.2, 0.4, 1])
})

test('multifixed has a list of rates with their last iterations', () => {
  const param = { lr_policy: 'multifixed', stagelr: [3, 2, 1], stageiter: [10, 20, 30] }
  expect(rates(param, [0, 10, 11, 20, 25, 99])).toEqual([3, 3, 2, 2, 1, 1])
  expect(() => rates({ ...param, stageiter: [10] }, [0])).toThrow(/as many stageiter as stagelr, there are 1 and 3/)
})
