import type { Net } from '../lib/index.js'
import { type Graph, graphOf } from './graph.js'
import { createNet, inputsOf } from './nets/index.js'
import { type Job, Refusal } from './protocol.js'

/** Deviation beyond which another engine is held to compute something else. */
const TOLERANCE = { inference: 1e-4, train: 1e-3 }

/** The net of a job, what goes in, and what our own engine makes of it. */
export interface Reference {
  readonly graph: Graph
  readonly inputs: Record<string, Float32Array>
  readonly prob: Float32Array
  readonly scores: Float32Array
}

export async function inferenceReference({ net: name, batch }: Job): Promise<Reference> {
  const net = await createNet(name, 'inference', batch, 'wasm', 1)
  const inputs = inputsOf(net)
  const graph = graphOf(net)
  await net.forward(inputs)
  const last = net.built.nodes.at(-1)!
  const [scores, prob] = [last.bottom[0], last.top[0]].map(blob => new Float32Array(blob.dataArray))
  net.dispose()
  // a sigmoid in place would have overwritten its scores: no net here has one last
  return { graph, inputs, prob, scores }
}

export interface TrainReference {
  readonly net: Net
  readonly inputs: Record<string, Float32Array>
  readonly loss: number
  readonly gradients: Record<string, Float32Array[]>
}

export async function trainReference({ net: name, batch }: Job): Promise<TrainReference> {
  const net = await createNet(name, 'train', batch, 'wasm', 1)
  const inputs = inputsOf(net)
  await net.forward(inputs)
  await net.backward()
  const gradients = Object.fromEntries(
    Object.entries(net.params).map(([layer, blobs]) => [layer, blobs.map(blob => new Float32Array(blob.diffArray))]),
  )
  return { net, inputs, loss: await net.loss(), gradients }
}

/**
 * Largest deviation of any pair, relative to the largest expected value of that pair. Throws a Refusal if it is too
 * large.
 */
export function compare(
  pairs: readonly (readonly [actual: ArrayLike<number>, expected: Float32Array])[],
  mode: 'inference' | 'train',
): number {
  let worst = 0
  for (const [actual, expected] of pairs) {
    if (actual.length !== expected.length)
      throw new Refusal(`its output has ${actual.length} values, ours ${expected.length}`)
    let largest = 0
    let deviation = 0
    for (let i = 0; i < expected.length; i++) {
      largest = Math.max(largest, Math.abs(expected[i]))
      const difference = Math.abs(actual[i] - expected[i])
      deviation = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(deviation, difference)
    }
    worst = Math.max(worst, deviation / (largest || 1))
  }
  if (worst > TOLERANCE[mode])
    throw new Refusal(
      `its values differ from ours: ${worst.toExponential(1)} of the largest, more than ${TOLERANCE[mode]}`,
    )
  return worst
}
