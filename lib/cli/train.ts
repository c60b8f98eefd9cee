import { availableParallelism } from 'node:os'
import { type Command, Option } from 'commander'
import type { Communicator } from '../group.js'
import { createSolver } from '../solver/rules/index.js'
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
import type { Output } from './output.js'
import { copyAll } from './run_net.js'
import type { SignalEffect } from './signals.js'
import { applySnapshotPrefix } from './snapshot_prefix.js'
import { TrainingBar } from './training_bar.js'
import { TrainingLog, type View } from './training_log.js'
import { factsOf, measureTraining } from './training_meter.js'
import {
  groupOf,
  isSupervisor,
  memberError,
  memberSignals,
  memberView,
  supervise,
  type WorkersOptions,
} from './workers.js'

interface TrainOptions extends RunOptions, StateOptions, WorkersOptions {
  solver: string
  weights?: string[]
  snapshot?: string
  sigintEffect: SignalEffect
  sighupEffect: SignalEffect
  freeze?: string[]
  plain?: boolean
  keepLast?: number
  keepBest?: string
  patience?: number
  share?: boolean
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
    .option('--freeze <patterns>', "layers that keep their weights, as in 'backbone/*', separated by commas", list)
    .option('--plain', "Caffe's log lines on a terminal, too, instead of a progress bar")
  command
    .option('--workers <n>', 'train with so many threads, each with a memory of its own: see docs/scaling.md', whole(1))
    .option('--share', 'let the workers share the iter_size passes of an iteration, not each do so many')
    .option('--group-timeout <s>', 'end when the other workers have not come for so many seconds', whole(1))
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
  ristretto train --solver lenet_solver.prototxt --workers 4
  mpirun -n 4 ristretto train --solver lenet_solver.prototxt         (on one machine or several)
  ristretto train --solver lenet_solver.prototxt | tee train.log     (what Caffe's parse_log reads)`,
  )
}

async function train(options: TrainOptions, output: Output): Promise<void> {
  // snapshots are the result: training goes on when nobody reads its log
  output.writesFiles?.()
  const view = () => (output.out.isTTY && !options.plain ? new TrainingBar(output) : new TrainingLog(output))
  if (await isSupervisor(options)) return supervise(options, output, view())
  const group = await groupOf(options, output)
  try {
    await trainMember(options, output, group, view)
  } catch (error) {
    throw memberError(group, error)
  }
  await group.close()
}

async function trainMember(options: TrainOptions, output: Output, group: Communicator, own: () => View): Promise<void> {
  await registerLayers(options, output)
  // Open MPI gives members terminals of their own, whose lines it mixes
  const view = await memberView(group, group.size === 1 ? own : () => new TrainingLog(output))
  const abort = new AbortController()
  const { engine, seed, level, stage, outputs, keepLast, keepBest, patience, share, freeze } = options
  const threads = options.threads ?? (group.size > 1 ? threadsOf(group) : undefined)
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
    group,
    share,
    freeze,
    on(event) {
      if (event.type === 'snapshot' && event.files && !event.best) saved = event.files.state
      view.event(event)
    },
  })
  try {
    view.log(`Engine ${solver.engine.name} (${solver.engine.detail}), seed ${solver.net.seed}`)
    await applySnapshotPrefix(solver, options.solver, line => view.log(line))
    // the others are given what member 0 starts from
    if (group.rank === 0) await copyAll(solver.net, options.weights ?? [], line => view.log(line))
    if (options.snapshot) await solver.restore(options.snapshot)
    view.begin(factsOf(solver))
    const tell = view.progress?.bind(view)
    const last = tell && measureTraining(solver, tell)
    const release = await memberSignals(options, {
      stop() {
        if (group.name !== 'threads') view.log('Stopping after this iteration; interrupt again to quit at once.')
        abort.abort()
      },
      snapshot: () => solver.requestSnapshot(),
    })
    try {
      await solver.solve()
    } finally {
      release()
      last?.()
      view.end()
    }
    if (solver.stopped) {
      view.log(`Stopped at iteration ${solver.iter} of ${solver.param.max_iter ?? 0}.`)
      const workers = options.workers ? ` --workers ${options.workers}` : ''
      if (saved) view.log(`Go on with: ristretto train --solver ${options.solver} --snapshot ${saved}${workers}`)
    }
  } finally {
    solver.dispose()
  }
}

/** The cores of this process, shared by the members that compute on this machine. */
const threadsOf = ({ local }: Communicator): number => Math.max(1, Math.floor(availableParallelism() / local))
