/** The passes of an iteration: one of this worker's, or what Replicas makes of several. */
import type { SolverParameter } from '../generated/caffe.js'
import type { Net } from '../net.js'
import type { SolverOptions } from './options.js'
import type { Passes, Replicas } from './replicas.js'

/** What several passes an iteration, of this worker or of others, need; undefined where it is one. */
export async function replicasFor(param: SolverParameter, options: SolverOptions): Promise<Replicas | undefined> {
  if ((options.group?.size ?? 1) === 1 && (param.iter_size ?? 1) <= 1) return undefined
  const { Replicas } = await import('./replicas.js')
  return new Replicas(param, options)
}

/** Forward and backward; the loss is read where it is `wanted`. The gradients add up in the params' diffs. */
export async function computePasses(
  net: Net,
  replicas: Replicas | undefined,
  { wanted, displayed }: { wanted: boolean; displayed: boolean },
): Promise<Passes> {
  net.clearParamDiffs()
  if (replicas) return replicas.compute(displayed)
  await net.runner.forward()
  const loss = wanted ? await net.loss() : 0
  await net.runner.backward()
  return { loss, saves: false, outputs: [] }
}

/** The loss after the last update, of one more pass. */
export async function finalLoss(net: Net, replicas: Replicas | undefined): Promise<number> {
  if (replicas) return replicas.lastLoss()
  await net.runner.forward()
  return net.loss()
}
