import { type Command, Option } from 'commander'
import { caffeLog } from '../solver/caffe_log.js'
import type { SolverEvent } from '../solver/events.js'
import { createSolver } from '../solver/rules/index.js'
import type { Solver } from '../solver.js'
import { addGpuFlag } from './gpu_flag.js'
import {
  addRunOptions,
  addStateOptions,
  list,
  type RunOptions,
  registerLayers,
  type StateOptions,
  whole,
} from './options.js'
import { type Output, printLog } from './output.js'
import { copyAll } from './run_net.js'
import { handleSignals, type SignalEffect } from './signals.js'
import { applySnapshotPrefix } from './snapshot_prefix.js'
import { TrainingBar } from './training_bar.js'

interface TrainOptions extends RunOptions, StateOptions {
  solver: string
  weights?: string[]
  snapshot?: string
  sigintEffect: SignalEffect
  sighupEffect: SignalEffect
  plain?: boolean
  keepLast?: number
  keepBest?: string
  patience?: number
}

const effects = ['stop', 'snapshot', 'none']

export function addTrain(program: Command, output: Output): void {
  const command = program
    .command('train')
    .usage('--solver <file> [options]')
    .description('Train a net, from scratch, from weights, or from a snapshot.')
    .requiredOption('--solver <file>', 'solver prototxt')
    .option('--weights <files>', '.caffemodel files to start from, separated by commas', list)
    .addOption(new Option('--snapshot <file>', '.solverstate to go on from').conflicts('weights'))
    .addOption(new Option('--sigint-effect <effect>', 'what Ctrl-C does').choices(effects).default('stop'))
    .addOption(
      new Option('--sighup-effect <effect>', 'what a hang-up signal does').choices(effects).default('snapshot'),
    )
    .option('--plain', "Caffe's log lines on a terminal, too, instead of a progress bar")
  command
    .option('--keep-last <n>', 'keep only the newest snapshots of this run', whole(1))
    .option('--keep-best <output>', 'also save <prefix>_best whenever this test output is better than before')
    .option('--patience <n>', 'stop when the --keep-best output has not become better for so many tests', whole(1))
  addStateOptions(addGpuFlag(addRunOptions(command), output, true)).action((options: TrainOptions) => {
    if (options.patience !== undefined && options.keepBest === undefined)
      command.error('error: --patience needs --keep-best, which names the test output to watch')
    return train(options, output)
  })
  command.addHelpText(
    'after',
    `
Examples:
  ristretto train --solver lenet_solver.prototxt
  ristretto train --solver lenet_solver.prototxt --snapshot lenet_iter_5000.solverstate
  ristretto train --solver finetune_solver.prototxt --weights bvlc_reference_caffenet.caffemodel
  ristretto train --solver lenet_solver.prototxt | tee train.log     (what Caffe's parse_log reads)`,
  )
}

async function train(options: TrainOptions, output: Output): Promise<void> {
  // snapshots are the result: training goes on when nobody reads its log
  output.writesFiles?.()
  await registerLayers(options, output)
  const view: View = output.out.isTTY && !options.plain ? new TrainingBar(output) : new TrainingLog(output)
  const abort = new AbortController()
  const { engine, threads, seed, level, stage, outputs, keepLast, keepBest, patience } = options
  const watch = keepBest === undefined ? undefined : { output: keepBest }
  let saved = ''
  const solver = await createSolver(options.solver, {
    engine,
    threads,
    seed,
    outputs,
    level,
    stages: stage,
    keepLast,
    keepBest: watch,
    patience: watch && patience !== undefined ? { ...watch, tests: patience } : undefined,
    signal: abort.signal,
    on(event) {
      if (event.type === 'snapshot' && event.files && !event.best) saved = event.files.state
      view.event(event)
    },
  })
  try {
    view.log(`Engine ${solver.engine.name} (${solver.engine.detail}), seed ${solver.net.seed}`)
    await applySnapshotPrefix(solver, options.solver, line => view.log(line))
    await copyAll(solver.net, options.weights ?? [], line => view.log(line))
    if (options.snapshot) await solver.restore(options.snapshot)
    view.begin(solver)
    const release = handleSignals(
      { sigint: options.sigintEffect, sighup: options.sighupEffect },
      {
        stop() {
          view.log('Stopping after this iteration; interrupt again to quit at once.')
          abort.abort()
        },
        snapshot: () => solver.requestSnapshot(),
      },
    )
    try {
      await solver.solve()
    } finally {
      release()
      view.end()
    }
    if (solver.stopped) {
      view.log(`Stopped at iteration ${solver.iter} of ${solver.param.max_iter ?? 0}.`)
      if (saved) view.log(`Go on with: ristretto train --solver ${options.solver} --snapshot ${saved}`)
    }
  } finally {
    solver.dispose()
  }
}

/** Where a training run is shown. */
export interface View {
  /** What the run tells. */
  event(event: SolverEvent): void
  /** A line of the command's own. */
  log(line: string): void
  /** Training starts: hook into the solver. */
  begin(solver: Solver): void
  /** Training is over or has failed. */
  end(): void
}

/** Caffe's log, line by line. */
class TrainingLog implements View {
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
