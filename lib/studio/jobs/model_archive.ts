import { type ModelParts, modelArchive } from '../../net/archive.js'
import { printSolver } from '../../proto/print.js'
import { parseSolver } from '../../proto/text.js'
import type { JobId } from '../api/index.js'
import { pathsOf, snapshotNames } from '../core/job_files.js'
import { readText } from '../core/store.js'
import { codeOf, type NetContext, openModel } from './model_nets.js'
import { pretrainedModel, readJob, snapshotOf } from './project_files.js'

/**
 * What an archive of a model holds: its deployed net, weights of a snapshot (default the best), classes, preparation,
 * the texts of its training, and its code.
 */
export async function modelParts(context: NetContext, id: JobId, iter?: number): Promise<ModelParts> {
  const job = await readJob(context, id, 'model', 'pretrained')
  if (job.kind === 'pretrained') return { ...(await pretrainedModel(context, id)), name: job.form.name }
  const at = await snapshotOf(context, id, iter)
  const { net, labels, preparation } = await openModel(context, id, 'deploy', at)
  const paths = pathsOf(id)
  const { store } = context
  const weights = await store.read(`${paths.snapshots}/${snapshotNames(at).model}`)
  const [solver, trainVal] = await Promise.all([readText(store, paths.solver), readText(store, paths.net)])
  return {
    name: job.form.name,
    deploy: net.param,
    weights: weights ?? new Uint8Array(0),
    labels,
    preparation,
    ...(solver !== undefined && { solver: printSolver({ ...parseSolver(solver), net: 'train_val.prototxt' }) }),
    // the mean lies beside it there
    ...(trainVal !== undefined && {
      trainVal: trainVal.replace(/"[^"\n]*\/mean\.binaryproto"/g, '"mean.binaryproto"'),
    }),
    layers: await codeOf(context, job),
  }
}

/** Write the archive of a model, a zip, to a path of the project. */
export async function writeModel(context: NetContext, id: JobId, iter: number | undefined, to: string): Promise<void> {
  await context.store.write(to, await modelArchive(await modelParts(context, id, iter)))
}
