/** Finding where NaN and infinity came from. */
import { RistrettoError } from '../errors.js'
import { firstNotFinite } from '../net/statistics.js'
import type { Net } from '../net.js'

/** Training has left the finite numbers; the message names the first layer and blob where it happened. */
export class NumericsError extends RistrettoError {
  override name = 'NumericsError'
}

/** Where the first NaN or infinite value stands, in forward order: params before the activations made with them. */
export async function findNotFinite(net: Net): Promise<string | undefined> {
  await net.pull()
  for (const node of net.built.nodes) {
    const where = `layer '${node.name}' (${node.layer.type})`
    for (const [i, blob] of node.layer.blobs.entries()) {
      const at = firstNotFinite(blob.dataArray)
      if (at >= 0) return `${where}, param ${i}: value ${at} of ${blob.count} is ${blob.dataArray[at]}`
    }
    for (const top of node.top) {
      const at = firstNotFinite(top.dataArray)
      if (at >= 0) return `${where}, top '${top.name}': value ${at} of ${top.count} is ${top.dataArray[at]}`
    }
  }
  for (const node of [...net.built.nodes].reverse())
    for (const [i, blob] of node.layer.blobs.entries()) {
      if (!blob.memory.diff.isAllocated) continue
      const at = firstNotFinite(blob.diffArray)
      if (at >= 0)
        return `layer '${node.name}' (${node.layer.type}), gradient of param ${i}: value ${at} of ${blob.count} is ${blob.diffArray[at]}`
    }
  return undefined
}
