import type { JobId } from '../api/index.js'
import type { ProjectContext } from '../core/job_context.js'
import { iterationOf, pathsOf, snapshotNames } from '../core/job_files.js'
import type { StateFile } from '../core/state.js'
import { readJson } from '../core/store.js'

/** File of a pretrained model's weights in its folder. */
export const PRETRAINED = 'model.caffemodel'

/**
 * The weights of a model, as nets find them: of a snapshot, by default the best one, failing that the newest; or of a
 * pretrained model.
 */
export async function startWeights(
  { job, iter }: { readonly job: JobId; readonly iter?: number },
  context: ProjectContext,
): Promise<string> {
  const { store, place } = context
  const paths = pathsOf(job)
  if ((await store.size(`${paths.folder}/${PRETRAINED}`)) !== undefined) return place(`${paths.folder}/${PRETRAINED}`)
  const there = (await store.list(paths.snapshots)).map(({ name }) => name)
  const iters = there.filter(name => name.endsWith('.caffemodel')).map(name => iterationOf(name) ?? -1)
  const best = (await readJson<StateFile>(store, paths.state))?.best?.iter
  const wanted = iter ?? (best !== undefined && iters.includes(best) ? best : Math.max(-1, ...iters))
  if (!iters.includes(wanted) || wanted < 0)
    throw new Error(
      iter === undefined
        ? `the model '${job}' has no snapshot any more`
        : `the model '${job}' has no snapshot of iteration ${iter} any more`,
    )
  return place(`${paths.snapshots}/${snapshotNames(wanted).model}`)
}
