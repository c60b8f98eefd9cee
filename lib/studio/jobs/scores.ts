import type { Blob } from '../../blob.js'
import type { NetNode } from '../../net/node.js'
import type { Net } from '../../net.js'
import { classOf } from '../../registry.js'
import { StudioError } from '../api/index.js'

/**
 * Of each item what a loss or accuracy compares, as probabilities; without one, of the last output. What is no number, as in
 * a net whose training ran away, is 0.
 */
export async function scoresOf(net: Net): Promise<Float32Array[]> {
  const how = (node: NetNode) => classOf(node.param)?.compares
  const { nodes } = net.built
  // an accuracy takes either; a loss says what its scores are
  const node = nodes.findLast(node => how(node) && how(node) !== 'either') ?? nodes.findLast(how)
  const blob = node?.bottom[0] ?? outputOf(net)
  await blob.memory.data.pull()
  const items = blob.numAxes > 1 ? blob.shape[0] : 1
  const size = blob.count / items
  return Array.from({ length: items }, (_, i) => {
    const scores = blob.dataArray.slice(i * size, (i + 1) * size)
    const shares = node && (how(node) === 'scores' || !areShares(scores)) ? softmax(scores) : scores
    return shares.map(share => (Number.isFinite(share) ? share : 0))
  })
}

const areShares = (scores: Float32Array): boolean =>
  scores.every(score => score >= 0) && Math.abs(scores.reduce((a, b) => a + b, 0) - 1) < 1e-3

function outputOf(net: Net): Blob {
  const blobs = net.outputs.map(name => net.blob(name))
  const found = blobs.findLast(({ numAxes, count }) => numAxes > 1 && count > 1) ?? blobs.at(-1)
  if (!found) throw new StudioError('the net has no output', 409)
  return found
}

function softmax(scores: Float32Array): Float32Array {
  const highest = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const powers = scores.map(score => Math.exp(score - highest))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map(power => power / sum)
}
