import type { LayerParameter, NetParameter } from '../../generated/caffe.js'
import type { Phase } from '../../layer.js'
import { filterNet } from '../../net/graph.js'
import type { InspectRequest } from '../api/index.js'

/** The part of one description that trains, that tests, or that is used. */
export type Stage = InspectRequest['stage']

/**
 * The states of the stages: phases, and the stage names that nets of DIGITS go by, which solvers of Studio name in
 * `train_state` and `test_state`.
 */
export const stageStates: Readonly<Record<Stage, { readonly phase: Phase; readonly stages: readonly string[] }>> = {
  train: { phase: 'TRAIN', stages: ['train'] },
  val: { phase: 'TEST', stages: ['val'] },
  deploy: { phase: 'TEST', stages: ['deploy'] },
}

/** The layers of a stage as the description has them. */
export function layersOf(net: NetParameter, stage: Stage): LayerParameter[] {
  const { phase, stages } = stageStates[stage]
  const { level = 0, stage: own = [] } = net.state ?? {}
  return filterNet(net, { phase, level, stages: [...own, ...stages] }).layer ?? []
}

/** What a data layer says of its batch. */
export function batchOf(layer: LayerParameter): number | undefined {
  for (const [name, value] of Object.entries(layer)) {
    const { batch_size } = (name.endsWith('_param') ? value : {}) as { batch_size?: unknown }
    if (typeof batch_size === 'number' && batch_size > 0) return batch_size
  }
  return undefined
}
