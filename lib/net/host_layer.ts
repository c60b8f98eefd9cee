/**
 * The contract of layers that are plain host code on a net whose blobs live on a device: the Net brings home what they
 * touch.
 */
import type { Layer, LayerClass } from '../layer.js'
import type { NetNode } from './node.js'

/** A layer that names no kernels is plain host code. */
export function isHostLayer(layer: Layer): boolean {
  return (layer.constructor as unknown as LayerClass).uses.length === 0
}

/** Before forward: bottoms and params come home, tops that are not in place will be overwritten. */
export async function homeForForward({ layer, bottom, top }: NetNode): Promise<void> {
  for (const blob of bottom) await blob.memory.data.pull()
  for (const blob of layer.blobs) await blob.memory.data.pull()
  for (const blob of top) if (!bottom.includes(blob)) blob.memory.data.claim()
}

/** Before backward: everything the layer may read or add to comes home. */
export async function homeForBackward({ layer, bottom, top }: NetNode): Promise<void> {
  for (const blob of [...top, ...bottom, ...layer.blobs]) await blob.pull()
}
