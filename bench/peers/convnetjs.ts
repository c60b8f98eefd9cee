import { RandomStream } from '../../lib/rng.js'
import { SEED } from '../nets/index.js'
import type { Peer } from '../protocol.js'
import { load, timed } from './load.js'

interface Volume {
  readonly w: Float64Array
}
interface ConvNet {
  readonly default: {
    readonly Vol: new (width: number, height: number, depth: number, value?: number) => Volume
    readonly Net: new () => {
      makeLayers(layers: readonly object[]): void
      forward(x: Volume, training: boolean): Volume
      backward(label: number): number
    }
  }
}

/**
 * ConvNetJS: plain JavaScript in double precision, one image after the other. Weights are its own, so only the
 * architecture is the same.
 */
export const convnetjs: Peer = {
  async create(job) {
    const { Net, Vol } = (await load<ConvNet>('convnetjs')).default
    const net = new Net()
    net.makeLayers([
      { type: 'input', out_sx: 28, out_sy: 28, out_depth: 1 },
      { type: 'conv', sx: 5, filters: 20, stride: 1, pad: 0 },
      { type: 'pool', sx: 2, stride: 2 },
      { type: 'conv', sx: 5, filters: 50, stride: 1, pad: 0 },
      { type: 'pool', sx: 2, stride: 2 },
      { type: 'fc', num_neurons: 500, activation: 'relu' },
      { type: 'softmax', num_classes: 10 },
    ])
    const random = new RandomStream(SEED, 'bench convnetjs')
    const images = Array.from({ length: job.batch }, () => {
      const image = new Vol(28, 28, 1, 0)
      for (let i = 0; i < image.w.length; i++) image.w[i] = 2 * random.uniform() - 1
      return image
    })
    if (job.mode === 'inference')
      return {
        detail: 'plain JavaScript',
        run: async () => ({ inference: await timed(() => images.forEach(image => net.forward(image, false))) }),
      }
    let loss = 0
    const pass = () =>
      images.forEach((image, i) => {
        net.forward(image, true)
        loss += net.backward(i % 10)
      })
    return {
      detail: 'plain JavaScript',
      run: async () => ({ train: await timed(pass) }),
      dispose() {
        if (!Number.isFinite(loss)) throw new Error('its loss is no finite number')
      },
    }
  },
}
