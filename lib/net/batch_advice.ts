import type { NetNode } from './node.js'

/** Items in a batch, as the layers say that the data comes from. A Parameter layer's top is no data. */
function batchItems(nodes: readonly NetNode[]): number {
  const tops = nodes
    .filter(({ bottom, layer }) => bottom.length === 0 && layer.blobs.length === 0)
    .flatMap(({ top }) => top)
  return Math.max(1, ...tops.map(blob => (blob.numAxes ? blob.dim(0) : 1)))
}

/** The batch of which the net takes `share` of what it takes now: 0 where no batch is small enough. */
function fitting(nodes: readonly NetNode[], share: number): { fit: number; batch: number } {
  const batch = batchItems(nodes)
  return { fit: batch > 1 ? Math.floor(batch * share) : 0, batch }
}

const NONE = 'even one item does not fit: make the input smaller'

/** Advice on a whole net. */
export function batchAdvice(nodes: readonly NetNode[], share: number): string {
  const { fit, batch } = fitting(nodes, share)
  return fit ? `a batch of ${fit} instead of ${batch} would fit` : NONE
}

/** Advice on a net of which only the first layers are known. */
export function earlyBatchAdvice(nodes: readonly NetNode[], share: number): string {
  const { fit, batch } = fitting(nodes, share)
  return fit ? `a batch of ${fit} instead of ${batch} is the most that can fit` : NONE
}
