import { RandomStream } from '../../lib/rng.js'
import { SEED } from '../nets/index.js'
import type { Peer } from '../protocol.js'
import { load, timed } from './load.js'

interface Example {
  readonly input: Float32Array
  readonly output: Float32Array
}
interface Brain {
  readonly NeuralNetwork: new (
    options: object,
  ) => {
    train(data: readonly Example[], options: object): { error: number }
    trainPattern(example: Example, logErrorRate?: boolean): number | null
    run(input: Float32Array): Float32Array
  }
}

/**
 * brain.js without a GPU: the same two layers, trained one example after the other, the update included. Weights are
 * its own.
 */
export const brain: Peer = {
  async create(job) {
    const { NeuralNetwork } = await load<Brain>('brain.js')
    const net = new NeuralNetwork({
      inputSize: 784,
      hiddenLayers: [100],
      outputSize: 10,
      activation: 'sigmoid',
      learningRate: 0.01,
      momentum: 0.9,
    })
    const random = new RandomStream(SEED, 'bench brain')
    const examples = Array.from({ length: job.batch }, (_, i) => ({
      input: Float32Array.from({ length: 784 }, () => 2 * random.uniform() - 1),
      output: Float32Array.from({ length: 10 }, (__, k) => (k === i % 10 ? 1 : 0)),
    }))
    // makes the layers
    const { error } = net.train(examples, { iterations: 1, errorThresh: 1e-9 })
    if (!Number.isFinite(error)) throw new Error('its error is no finite number')
    const detail = 'plain JavaScript, update included'
    if (job.mode === 'train')
      return {
        detail,
        run: async () => ({ train: await timed(() => examples.forEach(e => net.trainPattern(e, false))) }),
      }
    return {
      detail: 'plain JavaScript',
      run: async () => ({ inference: await timed(() => examples.forEach(e => net.run(e.input))) }),
    }
  },
}
