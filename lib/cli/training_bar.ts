import { g6 } from '../format.js'
import type { Solver, TestResult } from '../solver.js'
import { type Output, print } from './output.js'
import { duration, ProgressBar } from './progress.js'

/** Log lines that the bar or its test lines say better. */
const SHOWN_OTHERWISE = /^( {4}(Train|Test) net output #|Iteration \d+|Solving |Learning Rate Policy|Optimization Done|Test loss)/

/** How much of the displayed loss the last iteration makes: the loss of one batch jumps too much to be read. */
const NEWEST = 0.05

/** A training run on a terminal: a bar with loss, learning rate, iterations/s and ETA; tests, snapshots and notices above it. */
export class TrainingBar {
  private bar: ProgressBar | undefined
  private solver: Solver | undefined
  private started = 0
  private training = 0
  private iterations = 0
  private loss = Number.NaN
  private lastShown = 0
  private readonly begun = performance.now()

  constructor(private readonly output: Output) {}

  log(line: string): void {
    if (/^Iteration \d+, Testing net/.test(line)) this.bar?.update(this.solver?.iter ?? 0, { rate: 'testing …' })
    if (SHOWN_OTHERWISE.test(line)) return
    if (this.bar) this.bar.log(line)
    else print(this.output, line)
  }

  begin(solver: Solver): void {
    this.solver = solver
    this.bar = new ProgressBar(this.output, solver.net.name || 'training', solver.param.max_iter ?? 0, ['loss', 'lr', 'rate'], solver.iter)
    solver.onStart(() => {
      this.started = performance.now()
    })
    solver.onIteration(async ({ iter, lr }) => {
      const now = performance.now()
      this.training += now - this.started
      this.iterations++
      // a device's loss is only fetched when it is drawn
      const due = now - this.lastShown > 100
      if (solver.engine.isHost || due) this.average(await solver.loss())
      if (!due) return
      this.lastShown = now
      this.bar?.update(iter, {
        loss: `loss ${this.loss.toPrecision(3).padEnd(7)}`,
        lr: `lr ${lr.toPrecision(3)}`,
        rate: `${this.rate()} iter/s`,
      })
    })
    solver.onTest(({ iter, net, results }) => {
      const which = solver.testNets.length > 1 ? ` (#${net})` : ''
      this.log(`Test${which} at iteration ${String(iter).padStart(String(solver.param.max_iter).length)}: ${resultText(results)}`)
    })
  }

  end(): void {
    this.bar?.stop()
    this.bar = undefined
    const seconds = (performance.now() - this.begun) / 1000
    if (this.solver && this.iterations)
      print(
        this.output,
        `${this.iterations} iterations in ${duration(seconds)} (${this.rate()} iter/s without tests), loss ${this.loss.toPrecision(3)} on average at the end`,
      )
  }

  private average(loss: number): void {
    this.loss = Number.isNaN(this.loss) ? loss : this.loss + NEWEST * (loss - this.loss)
  }

  private rate(): string {
    const rate = (this.iterations * 1000) / (this.training || 1)
    return rate < 100 ? rate.toPrecision(3) : rate.toFixed(0)
  }
}

const resultText = (results: readonly TestResult[]): string => results.map(({ name, value }) => `${name} = ${g6(value)}`).join(', ')
