import type { After } from '../engine.js'
import type { NetNode } from './node.js'

/** A layer in place that the layer before it does at once: one pass over the blob less, in the same bits. */
export interface Fused {
  readonly node: NetNode
  /** Its place in the net. */
  readonly place: number
  readonly after: After
}

/** Which of the layers that run take the next one along, by what layers and their engine declare. */
export function fusedLayers(nodes: readonly NetNode[], skipped?: ReadonlySet<NetNode>): Map<NetNode, Fused> {
  const fused = new Map<NetNode, Fused>()
  let before: NetNode | undefined
  nodes.forEach((node, place) => {
    if (skipped?.has(node)) return
    const first = before
    before = node
    const { after, engine } = node.layer
    if (!first || !after || first.layer.engine !== engine) return
    const inPlace = first.top.length === 1 && node.bottom[0] === first.top[0] && node.top[0] === first.top[0]
    const { fuses } = first.layer
    const kinds = fuses && engine.fuses?.[fuses]
    if (inPlace && kinds?.some(kind => kind in after)) fused.set(first, { node, place, after })
  })
  return fused
}
