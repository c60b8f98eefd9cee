import { detectionTestOf } from './detection_test.js'
import { testMeans, testNetOf } from './nets.js'
import type { TestResult } from './options.js'
import { Saved } from './saved.js'

/** A training run whose net is tested on the way, and stops where tests no longer get better. */
export abstract class Tested extends Saved {
  /** True once the last `step` or `solve` was stopped by its signal. */
  stopped = false
  /** Patience has run out. */
  protected outOfPatience = false

  /** Average every output of every test net over its test_iter batches; nothing where there is no test net. */
  async testAll(): Promise<TestResult[][]> {
    this.mustLive('testAll')
    const all: TestResult[][] = []
    for (let i = 0; i < this.testNets.length && !this.stopped; i++) all.push(await this.test(i))
    return all
  }

  /**
   * Average every output of test net `index` over its test_iter batches. A RistrettoError where the solver has no such
   * net.
   */
  async test(index = 0): Promise<TestResult[]> {
    this.mustLive('test')
    const { iter, param } = this
    const net = testNetOf(this.testNets, index)
    this.emit({ type: 'testBegin', iter, net: index })
    const iterations = param.test_iter?.[index] ?? 0
    const means = await testMeans(
      net,
      iterations,
      param.test_compute_loss ?? false,
      this.options.signal,
      detectionTestOf(param),
      this.replicas,
    )
    if (!means) {
      this.stopped = true
      this.emit({ type: 'testStopped', iter, net: index })
      return []
    }
    const { results, ...loss } = means
    this.emit({ type: 'test', iter, net: index, outputs: results, ...loss })
    const { stage } = this.rate
    if (index === 0) this.rate.tested(iter, results)
    this.tellRate(this.lr, false, stage)
    for (const hook of this.hooks.test) await hook({ iter, net: index, results })
    const worse = index === 0 ? await this.keeper?.tested(results) : undefined
    if (worse) {
      this.emit({ type: 'patience', iter, ...worse })
      this.outOfPatience = true
      this.stopped = true
    }
    return results
  }

  /** The rate, where it is displayed or has just dropped from another stage. */
  protected tellRate(lr: number, displayed: boolean, before: number): void {
    const { stage } = this.rate
    const policy = this.param.lr_policy ?? ''
    const moved = policy !== 'step' && stage !== before
    if (displayed || moved) this.emit({ type: 'rate', iter: this.iter, lr, displayed, policy, ...(moved && { stage }) })
  }
}
