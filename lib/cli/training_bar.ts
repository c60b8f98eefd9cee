import { caffeLog } from '../solver/caffe_log.js'
import type { OutputValue, SolverEvent } from '../solver/events.js'
import type { Solver } from '../solver.js'
import { g6 } from '../system/format.js'
import { type Output, print } from './output.js'
import { duration, ProgressBar } from './progress.js'

/** What the bar itself or a line of its own does not say better, in the words of the log. */
const IN_WORDS: ReadonlySet<SolverEvent['type']> = new Set([
  'notice',
  'hint',
  'restored',
  'snapshot',
  'patience',
  'testStopped',
])

/** How much of the displayed loss the last iteration makes: the loss of one batch jumps too much to be read. */
const NEWEST = 0.05

/**
 * A training run on a terminal: a bar with loss, learning rate, iterations/s and ETA; tests, snapshots and notices
 * above it.
 */
export class TrainingBar {
  private bar: ProgressBar | undefined
  private solver: Solver | undefined
  private started = 0
  private readonly training = { count: 0, time: 0 }
  private readonly testing = { count: 0, time: 0 }
  private loss = Number.NaN
  private lastShown = 0
  private begun = 0

  constructor(private readonly output: Output) {}

  event(event: SolverEvent): void {
    if (event.type === 'testBegin') {
      this.started = performance.now()
      this.bar?.update(event.iter, { rate: 'testing …' }, 0)
    } else if (event.type === 'test') this.tested(event.iter, event.net, event.outputs)
    else if (event.type === 'rate' && event.stage !== undefined) this.say({ ...event, displayed: false })
    else if (IN_WORDS.has(event.type) || (event.type === 'end' && event.reason !== 'done')) this.say(event)
  }

  log(line: string): void {
    if (this.bar) this.bar.log(line)
    else print(this.output, line)
  }

  begin(solver: Solver): void {
    this.solver = solver
    this.begun = performance.now()
    this.bar = new ProgressBar(
      this.output,
      solver.net.name || 'training',
      solver.param.max_iter ?? 0,
      ['loss', 'lr', 'rate'],
      solver.iter,
    )
    solver.onStart(() => {
      this.started = performance.now()
    })
    solver.onIteration(async ({ iter, lr }) => {
      const now = performance.now()
      this.training.time += now - this.started
      this.training.count++
      // a device's loss is only fetched when it is drawn
      const due = now - this.lastShown > 100
      if (solver.engine.isHost || due) this.average(await solver.loss())
      if (!due) return
      this.lastShown = now
      const fields = {
        loss: `loss ${this.loss.toPrecision(3).padEnd(7)}`,
        lr: `lr ${lr.toPrecision(3).padEnd(7)}`,
        rate: `${this.rate()} iter/s`,
      }
      this.bar?.update(iter, fields, this.secondsLeft(solver))
    })
  }

  end(): void {
    this.bar?.stop()
    this.bar = undefined
    const seconds = (performance.now() - this.begun) / 1000
    if (this.training.count)
      print(
        this.output,
        `${this.training.count} iterations in ${duration(seconds)} (${this.rate()} iter/s without tests), loss ${this.loss.toPrecision(3)} (running mean)`,
      )
  }

  private tested(iter: number, net: number, outputs: readonly OutputValue[]): void {
    this.testing.time += performance.now() - this.started
    this.testing.count++
    const { testNets, param } = this.solver!
    const which = testNets.length > 1 ? ` (#${net})` : ''
    const values = outputs.map(({ name, value }) => `${name} = ${g6(value)}`).join(', ')
    this.log(`Test${which} at iteration ${String(iter).padStart(String(param.max_iter).length)}: ${values}`)
  }

  private say(event: SolverEvent): void {
    caffeLog(event, line => this.log(line))
  }

  private average(loss: number): void {
    this.loss = Number.isNaN(this.loss) ? loss : this.loss + NEWEST * (loss - this.loss)
  }

  /** Iterations and tests to come, at the pace of those that are done. */
  private secondsLeft({ iter, param, testNets }: Solver): number {
    const end = param.max_iter ?? 0
    const interval = param.test_interval || Number.POSITIVE_INFINITY
    const tests = (Math.floor(end / interval) - Math.floor(iter / interval)) * testNets.length
    const mean = ({ count, time }: { count: number; time: number }) => (count ? time / count : 0)
    return ((end - iter) * mean(this.training) + tests * mean(this.testing)) / 1000
  }

  private rate(): string {
    const rate = (this.training.count * 1000) / (this.training.time || 1)
    return rate < 100 ? rate.toPrecision(3) : rate.toFixed(0)
  }
}
