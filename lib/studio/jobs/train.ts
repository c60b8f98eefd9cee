import type { SolverParameter } from '../../generated/caffe.js'
import { parseNet, parseSolver } from '../../proto/text.js'
import type { SolverEvent } from '../../solver/events.js'
import { createSolver } from '../../solver/rules/index.js'
import type { Solver } from '../../solver.js'
import type { ModelForm } from '../api/index.js'
import { readFacts } from '../core/facts.js'
import { planModel } from '../core/forms.js'
import type { JobContext, JobFunction } from '../core/job_context.js'
import { type JobFile, pathsOf } from '../core/job_files.js'
import type { Watched } from '../core/state.js'
import { readText } from '../core/store.js'
import { readCode } from '../core/trust.js'
import { inProject } from './placed.js'
import { SnapshotKeeper } from './snapshot_keeper.js'
import { startWeights } from './start_weights.js'

/**
 * Train a model: what its folder says, from its newest whole snapshot on, bit by bit as if nothing had happened. The net is
 * tested and saved as its solver says; before every test there is a snapshot, so that the best one can be kept.
 */
export const train: JobFunction<'model'> = async (job, context) => {
  const paths = pathsOf(job.id)
  if (job.code.length) await context.loadCode(await readCode(context.store, paths.layers, job.code))
  const solver = await createTraining(job, context)
  try {
    return await run(job, context, solver)
  } finally {
    solver.dispose()
  }
}

async function createTraining(job: JobFile<'model'>, context: JobContext): Promise<Solver> {
  const { form } = job
  return createSolver(await readTraining(job, context), {
    ...context.files,
    engine: form.engine ?? 'wasm',
    threads: form.threads ?? context.threads,
    signal: context.signal,
    log: line => context.log(line),
    ...(form.weights ? { weights: await startWeights(form.weights, context) } : {}),
  })
}

/** The solver of the folder, with its net in it and every path as this machine calls it. */
async function readTraining({ id }: JobFile<'model'>, context: JobContext): Promise<SolverParameter> {
  const { solver, net, snapshots } = pathsOf(id)
  const text = async (path: string): Promise<string> => {
    const found = await readText(context.store, path)
    if (found === undefined) throw new Error(`the job's file '${path}' is gone`)
    return found
  }
  const { net: _, ...param } = parseSolver(await text(solver), { file: 'solver.prototxt' })
  return {
    ...param,
    net_param: inProject(parseNet(await text(net), { file: 'net.prototxt' }), context),
    snapshot_prefix: context.place(`${snapshots}/model`),
  }
}

async function run(job: JobFile<'model'>, context: JobContext, solver: Solver): Promise<'done' | 'stopped'> {
  const { form } = job
  const { param } = solver
  const keeper = await SnapshotKeeper.open(job, context, watchOf(form, solver))
  const resumedFrom = await keeper.resume(solver)
  context.emit({
    kind: 'start',
    attempt: context.attempt,
    iter: solver.iter,
    maxIter: param.max_iter ?? 0,
    iterationsPerEpoch: await iterationsPerEpoch(job, context),
    ...(keeper.watch ? { watch: keeper.watch } : {}),
    ...(resumedFrom === undefined ? {} : { resumedFrom }),
  })
  keeper.begin(solver.iter)
  let patient = true
  solver.on(event => tell(event, context))
  solver.on(event => {
    if (event.type === 'snapshot') keeper.saved(event.iter)
  })
  solver.onIteration(({ iter }) => {
    // a test's result belongs to a snapshot of just this moment
    if (keeper.watch && param.test_interval && iter % param.test_interval === 0) solver.requestSnapshot()
  })
  solver.onIteration(() => keeper.checkpoints.after(solver))
  solver.onTest(async ({ iter, net, results }) => {
    if (net !== 0) return
    const outputs = Object.fromEntries(results.map(({ name, value }) => [name, value]))
    await keeper.tested(iter, outputs)
    if (form.patience === undefined || keeper.testsSinceBest < form.patience) return
    context.log(`Training ends: ${keeper.testsSinceBest} tests in a row were no better than the best.`)
    patient = false
    solver.stopped = true
  })
  context.onCommand(command => {
    if (command === 'snapshot') solver.requestSnapshot()
    else if (command === 'stars') keeper.tidy()
  })
  await solver.solve()
  await keeper.settled()
  return solver.stopped && patient ? 'stopped' : 'done'
}

/** Events of the solver that pages are told of. */
function tell(event: SolverEvent, context: JobContext): void {
  switch (event.type) {
    case 'display': {
      const { iter, loss, lr, iterations, seconds, outputs } = event
      const others = outputs.filter(({ name }) => name !== 'loss').map(({ name, value }) => [name, value] as const)
      context.emit({
        kind: 'train',
        iter,
        lr,
        loss,
        ...(others.length ? { outputs: Object.fromEntries(others) } : {}),
        ...(seconds > 0 ? { iterationsPerSecond: iterations / seconds } : {}),
      })
      break
    }
    case 'test':
      if (event.net === 0)
        context.emit({
          kind: 'test',
          iter: event.iter,
          outputs: Object.fromEntries(event.outputs.map(({ name, value }) => [name, value])),
        })
      break
    case 'hint':
      context.emit({ kind: 'hint', iter: event.iter, text: event.text })
      break
  }
}

/** What decides which snapshot is best: the form's output, the first accuracy, the first loss; of equal ones the loss. */
function watchOf(form: ModelForm, solver: Solver): Watched | undefined {
  const [net] = solver.testNets
  if (!net) return undefined
  const isLoss = (name: string) =>
    net.built.nodes.some(({ top, lossWeights }) => top.some((blob, i) => blob.name === name && lossWeights[i] !== 0))
  const names = net.outputs
  const loss = names.find(isLoss)
  const output = form.watch ?? names.find(name => /acc/i.test(name)) ?? loss ?? names[0]
  if (output === undefined) return undefined
  if (!names.includes(output))
    throw new Error(`the test has no output '${output}' to watch; it has ${names.map(name => `'${name}'`).join(', ')}`)
  if (isLoss(output)) return { output, better: 'min' }
  return { output, better: 'max', ...(loss === undefined ? {} : { loss }) }
}

async function iterationsPerEpoch({ form, parents }: JobFile<'model'>, { store }: JobContext): Promise<number> {
  const text = await readText(store, pathsOf(parents.dataset ?? form.dataset).summary)
  if (text === undefined) throw new Error('the dataset of this model has no summary.json any more')
  return planModel(form, readFacts(text), `../${form.dataset}`).epochs.updates
}
