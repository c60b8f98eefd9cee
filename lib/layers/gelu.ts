import type { Blob } from '../blob.js'
import { withDefaults } from '../proto/message.js'
import { erf, erfSlope } from './parts/erf.js'
import { NeuronLayer } from './parts/neuron.js'

const HALF_ROOT = Math.SQRT1_2
const RATE = Math.sqrt(2 / Math.PI)
const CUBE = 0.044715

/** top = bottom·Φ(bottom), Φ the normal distribution, or its neighbour by tanh. */
export class GeluLayer extends NeuronLayer {
  static override readonly param = ['gelu_param'] as const
  private readonly exact = withDefaults('GeluParameter', this.param.gelu_param).approximation === 'NONE'

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    super.reshape(bottom, top)
  }

  override forward([bottom]: Blob[], [top]: Blob[]): void {
    const [xs, ys] = [bottom.dataArray, top.dataArray]
    if (this.exact) for (let i = 0; i < xs.length; i++) ys[i] = 0.5 * xs[i] * (1 + erf(xs[i] * HALF_ROOT))
    else for (let i = 0; i < xs.length; i++) ys[i] = 0.5 * xs[i] * (1 + Math.tanh(inside(xs[i])))
  }

  override backward([top]: Blob[], propagateDown: boolean[], [bottom]: Blob[]): void {
    if (!propagateDown[0]) return
    const [xs, dys, dxs] = [bottom.dataArray, top.diffArray, bottom.diffArray]
    for (let i = 0; i < xs.length; i++) dxs[i] = dys[i] * (this.exact ? slope(xs[i]) : tanhSlope(xs[i]))
  }
}

const inside = (x: number): number => RATE * (x + CUBE * x * x * x)
const slope = (x: number): number => 0.5 * (1 + erf(x * HALF_ROOT) + x * HALF_ROOT * erfSlope(x * HALF_ROOT))
function tanhSlope(x: number): number {
  const t = Math.tanh(inside(x))
  return 0.5 * (1 + t + x * (1 - t * t) * RATE * (1 + 3 * CUBE * x * x))
}
