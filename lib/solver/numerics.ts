/** Keeping a run among the finite numbers: where NaN and infinity are looked for, and where they came from. */
import type { Blob } from '../blob.js'
import { RistrettoError } from '../errors.js'
import type { BuiltNet } from '../net/node.js'
import { firstNotFinite } from '../net/statistics.js'
import { gradientNorm } from './update.js'

/** Training has left the finite numbers; the message names the first layer and blob where it happened. */
export class NumericsError extends RistrettoError {
  override name = 'NumericsError'
}

/** When a run is looked at: see SolverOptions. */
export type NumericsChecks = 'auto' | 'display' | 'always' | 'never'

/** Iterations between two looks at all gradients, and at a loss that has to be fetched from a device. */
const INTERVAL = 100

/** Whether the loss of iteration `iter` is looked at: where it costs nothing every time. */
export function looksAtLoss(when: NumericsChecks, iter: number, displayed: boolean, isHost: boolean): boolean {
  if (when === 'auto') return isHost || displayed || iter % INTERVAL === 0
  return when === 'always' || (when === 'display' && displayed)
}

/** Whether all gradients are looked at: some losses stay finite whatever becomes of the scores. */
export function looksAtGradients(when: NumericsChecks, iter: number, displayed: boolean): boolean {
  if (when === 'auto') return displayed || iter % INTERVAL === 0
  return when === 'always' || (when === 'display' && displayed)
}

/** Whether Σ dw² over all params is a finite number. */
export const gradientsAreFinite = async (net: BuiltNet): Promise<boolean> => Number.isFinite(await gradientNorm(net))

/** The first param with a value that is no finite number, in words. */
export async function badParam(net: BuiltNet): Promise<string | undefined> {
  for (const node of net.nodes)
    for (const [i, blob] of node.layer.blobs.entries()) {
      await blob.memory.data.pull()
      const where = badValue(`layer '${node.key}' (${node.layer.type}), param ${i}`, blob, blob.dataArray)
      if (where) return where
    }
  return undefined
}

/**
 * Where the first NaN or infinite value stands, in forward order: params before the activations made with them, then
 * gradients in backward order.
 */
export async function findNotFinite(net: BuiltNet): Promise<string | undefined> {
  for (const blob of [...net.blobs, ...net.params.map(param => param.blob)]) await blob.pull()
  for (const node of net.nodes) {
    const where = `layer '${node.key}' (${node.layer.type})`
    for (const [i, blob] of node.layer.blobs.entries()) {
      const bad = badValue(`${where}, param ${i}`, blob, blob.dataArray)
      if (bad) return bad
    }
    for (const top of node.top) {
      const bad = badValue(`${where}, top '${top.name}'`, top, top.dataArray)
      if (bad) return bad
    }
  }
  for (const node of [...net.nodes].reverse())
    for (const [i, blob] of node.layer.blobs.entries()) {
      if (!blob.memory.diff.isAllocated) continue
      const bad = badValue(`layer '${node.key}' (${node.layer.type}), gradient of param ${i}`, blob, blob.diffArray)
      if (bad) return bad
    }
  return undefined
}

function badValue(where: string, blob: Blob, values: Float32Array): string | undefined {
  const at = firstNotFinite(values)
  return at < 0 ? undefined : `${where}: value ${at} of ${blob.count} is ${values[at]}`
}
