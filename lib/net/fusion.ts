import type { Blob } from '../blob.js'
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
  // a folded layer's top has the memory of its bottom
  const passed = new Map<Blob, Blob>()
  const source = (blob: Blob): Blob => passed.get(blob) ?? blob
  nodes.forEach((node, place) => {
    if (skipped?.has(node)) {
      if (node.top[0] !== node.bottom[0]) passed.set(node.top[0], source(node.bottom[0]))
      return
    }
    const first = before
    before = node
    const { after, engine } = node.layer
    if (!first || !after || first.layer.engine !== engine) return
    const inPlace =
      first.top.length === 1 && node.top[0] === node.bottom[0] && source(node.top[0]) === source(first.top[0])
    const { fuses } = first.layer
    const kinds = fuses && engine.fuses?.[fuses]
    if (inPlace && kinds?.some(kind => kind in after)) fused.set(first, { node, place, after })
  })
  return fused
}
