/** Keeping the shapes of a net's blobs in step with its layers. */
import { namingLayer } from './naming_layer.js'
import type { NetNode } from './node.js'

/** Give a loss top of a new size its weights back. */
export function refillLossWeights(node: NetNode): void {
  node.lossWeights.forEach((weight, i) => {
    if (weight) node.top[i].memory.diff.write(values => values.fill(weight))
  })
}

/** Note the blob versions that the last reshape saw. */
export function rememberShapes(node: NetNode): void {
  let k = 0
  for (const blob of node.bottom) node.seen[k++] = blob.version
  for (const blob of node.top) node.seen[k++] = blob.version
}

/** Whether a bottom or top has changed since the last reshape. */
export function shapesChanged(node: NetNode): boolean {
  const { bottom, top, seen } = node
  for (let i = 0; i < bottom.length; i++) if (seen[i] !== bottom[i].version) return true
  for (let i = 0; i < top.length; i++) if (seen[bottom.length + i] !== top[i].version) return true
  return false
}

/** Let a layer shape its tops from its bottoms as they stand. */
export function reshapeNode(node: NetNode): void {
  const counts = node.top.map(blob => blob.count)
  try {
    node.layer.reshape(node.bottom, node.top)
  } catch (error) {
    throw namingLayer(node.layer, error)
  }
  if (node.top.some((blob, i) => blob.count !== counts[i])) refillLossWeights(node)
  rememberShapes(node)
}
