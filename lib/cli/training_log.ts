import { caffeLog } from '../solver/caffe_log.js'
import type { SolverEvent } from '../solver/events.js'
import { type Output, printLog } from './output.js'
import type { Progress, RunFacts } from './training_meter.js'

/** Where a training run is shown. */
export interface View {
  /** What the run tells. */
  event(event: SolverEvent): void
  /** A line of the command's own. */
  log(line: string): void
  /** Training starts. */
  begin(run: RunFacts): void
  /** How far it has come, for those who show that. */
  progress?(progress: Progress): void
  /** Training is over or has failed. */
  end(): void
}

/** Caffe's log, line by line. */
export class TrainingLog implements View {
  constructor(private readonly output: Output) {}
  event(event: SolverEvent): void {
    caffeLog(event, (line, tag) => printLog(this.output, line, tag))
  }
  log(line: string): void {
    printLog(this.output, line)
  }
  begin(): void {
    this.log('Starting Optimization')
  }
  end(): void {}
}
