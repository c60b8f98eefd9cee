import { caffeLog } from '../solver/caffe_log.js'
import type { OutputValue, SolverEvent } from '../solver/events.js'
import { g6 } from '../system/format.js'
import { type Output, print } from './output.js'
import { duration, ProgressBar } from './progress.js'
import type { View } from './training_log.js'
import type { Progress, RunFacts } from './training_meter.js'

/** What the bar itself or a line of its own does not say better, in the words of the log. */
const IN_WORDS: ReadonlySet<SolverEvent['type']> = new Set([
  'notice',
  'hint',
  'restored',
  'snapshot',
  'patience',
  'testStopped',
])

/**
 * A training run on a terminal: a bar with loss, learning rate, iterations/s and ETA; tests, snapshots and notices
 * above it.
 */
export class TrainingBar implements View {
  private bar: ProgressBar | undefined
  private facts: RunFacts | undefined
  private newest: Progress | undefined
  private readonly testing = { begun: 0, count: 0, time: 0 }
  private begun = 0

  constructor(private readonly output: Output) {}

  event(event: SolverEvent): void {
    if (event.type === 'testBegin') {
      this.testing.begun = performance.now()
      this.bar?.update(event.iter, { rate: 'testing …' }, 0)
    } else if (event.type === 'test') this.tested(event.iter, event.net, event.outputs)
    else if (event.type === 'rate' && event.stage !== undefined) this.say({ ...event, displayed: false })
    else if (IN_WORDS.has(event.type) || (event.type === 'end' && event.reason !== 'done')) this.say(event)
  }

  log(line: string): void {
    if (this.bar) this.bar.log(line)
    else print(this.output, line)
  }

  begin(facts: RunFacts): void {
    this.facts = facts
    this.begun = performance.now()
    this.bar = new ProgressBar(this.output, facts.name, facts.maxIter, ['loss', 'lr', 'rate'], facts.iter)
  }

  progress(progress: Progress): void {
    this.newest = progress
    const fields = {
      loss: `loss ${progress.loss.toPrecision(3).padEnd(7)}`,
      lr: `lr ${progress.lr.toPrecision(3).padEnd(7)}`,
      rate: `${rateOf(progress)} iter/s`,
    }
    this.bar?.update(progress.iter, fields, this.secondsLeft(progress))
  }

  end(): void {
    this.bar?.stop()
    this.bar = undefined
    const { newest } = this
    if (!newest) return
    this.newest = undefined
    const { count, loss } = newest
    const seconds = (performance.now() - this.begun) / 1000
    print(
      this.output,
      `${count} iterations in ${duration(seconds)} (${rateOf(newest)} iter/s without tests), loss ${loss.toPrecision(3)} (running mean)`,
    )
  }

  private tested(iter: number, net: number, outputs: readonly OutputValue[]): void {
    const now = performance.now()
    this.testing.time += now - this.testing.begun
    this.testing.begun = now
    this.testing.count++
    const { testNets, maxIter } = this.facts!
    const which = testNets > 1 ? ` (#${net})` : ''
    const values = outputs.map(({ name, value }) => `${name} = ${g6(value)}`).join(', ')
    this.log(`Test${which} at iteration ${String(iter).padStart(String(maxIter).length)}: ${values}`)
  }

  private say(event: SolverEvent): void {
    caffeLog(event, line => this.log(line))
  }

  /** Iterations and tests to come, at the pace of those that are done. */
  private secondsLeft({ iter, count, time }: Progress): number {
    const { maxIter, testInterval, testNets } = this.facts!
    const tests = (Math.floor(maxIter / testInterval) - Math.floor(iter / testInterval)) * testNets
    const { testing } = this
    const test = testing.count ? testing.time / testing.count : 0
    return (((maxIter - iter) * time) / count + tests * test) / 1000
  }
}

function rateOf({ count, time }: Progress): string {
  const rate = (count * 1000) / (time || 1)
  return rate < 100 ? rate.toPrecision(3) : rate.toFixed(0)
}
