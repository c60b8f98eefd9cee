/** Keeping a run among the finite numbers: where NaN and infinity are looked for, and where they came from. */
import type { Blob } from '../blob.js'
import { RistrettoError } from '../errors.js'
import type { BuiltNet } from '../net/node.js'
import { firstNotFinite } from '../net/statistics.js'
import { g6 } from '../system/format.js'
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
function looksAtLoss(when: NumericsChecks, iter: number, displayed: boolean, isHost: boolean): boolean {
  if (when === 'auto') return isHost || displayed || iter % INTERVAL === 0
  return when === 'always' || (when === 'display' && displayed)
}

/** Whether all gradients are looked at: some losses stay finite whatever becomes of the scores. */
function looksAtGradients(when: NumericsChecks, iter: number, displayed: boolean): boolean {
  if (when === 'auto') return displayed || iter % INTERVAL === 0
  return when === 'always' || (when === 'display' && displayed)
}

/** What is no finite number after the passes of iteration `iter`, in words, where it is looked for. */
export async function badPass(
  net: BuiltNet,
  iter: number,
  displayed: boolean,
  when: NumericsChecks,
  loss: () => Promise<number>,
): Promise<string | undefined> {
  if (looksAtLoss(when, iter, displayed, net.context.engine.isHost)) {
    const value = await loss()
    if (!Number.isFinite(value)) return `the loss is ${value}`
  }
  const looks = looksAtGradients(when, iter, displayed)
  return looks && !Number.isFinite(await gradientNorm(net)) ? 'gradients are no finite numbers' : undefined
}

/** Whether a run has spoiled its weights, in words: such a run has nothing to save and does not end well. */
export async function badParams(net: BuiltNet, when: NumericsChecks = 'auto'): Promise<string | undefined> {
  if (when === 'never') return undefined
  for (const { layer } of net.nodes)
    for (const blob of layer.blobs) {
      await blob.memory.data.pull()
      if (firstNotFinite(blob.memory.data.values) >= 0) return 'weights are no finite numbers'
    }
  return undefined
}

/**
 * Where the first NaN or infinite value stands, in forward order: params before the activations made with them, then
 * gradients in backward order.
 */
async function findNotFinite(net: BuiltNet): Promise<string | undefined> {
  for (const blob of [...net.blobs, ...net.params.map(param => param.blob)]) await blob.pull()
  for (const node of net.nodes) {
    const where = `layer '${node.key}' (${node.layer.type})`
    for (const [i, blob] of node.layer.blobs.entries()) {
      const bad = badValue(`${where}, param ${i}`, blob, blob.memory.data.values)
      if (bad) return bad
    }
    for (const top of node.top) {
      const bad = badValue(`${where}, top '${top.name}'`, top, top.memory.data.values)
      if (bad) return bad
    }
  }
  for (const node of [...net.nodes].reverse())
    for (const [i, blob] of node.layer.blobs.entries()) {
      if (!blob.memory.diff.isAllocated) continue
      const bad = badValue(
        `layer '${node.key}' (${node.layer.type}), gradient of param ${i}`,
        blob,
        blob.memory.diff.values,
      )
      if (bad) return bad
    }
  return undefined
}

/** What is thrown where `what` is no finite number after the backward pass of iteration `iter`. */
export async function notFinite(net: BuiltNet, iter: number, lr: number, what: string): Promise<NumericsError> {
  const where = (await findNotFinite(net)) ?? 'none found in the blobs'
  return new NumericsError(
    `iteration ${iter}: ${what}. First bad value: ${where}. Lower base_lr (now ${g6(lr)}), clip gradients, or check the data's scale`,
  )
}

function badValue(where: string, blob: Blob, values: Readonly<Float32Array>): string | undefined {
  const at = firstNotFinite(values)
  return at < 0 ? undefined : `${where}: value ${at} of ${blob.count} is ${values[at]}`
}
