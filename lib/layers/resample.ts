import { type Blob, shapeText } from '../blob.js'
import { Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { AxisMix, checkPlaces, type MixedAxis, type Taps } from './parts/axis_mix.js'

/** x (N, C, H, W) → (N, C, h, w), of the size of the second bottom or of the fields, as FlowNet 2 resizes. */
export class ResampleLayer extends Layer {
  static override readonly param = ['resample_param'] as const
  static override readonly uses = AxisMix.uses
  static override readonly onlyKernels = true
  override readonly bottomCount = { atLeast: 1, atMost: 2 }
  override readonly topCount = { exactly: 1 }
  private fields = withDefaults('ResampleParameter', this.param.resample_param)
  private readonly mix = new AxisMix(this, 0)

  override setup(): void {
    if (this.fields.type === 'AREA') throw this.error('type: AREA is none of NEAREST, LINEAR and CUBIC')
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const [x, like] = bottom
    const wrong = bottom.find(blob => blob.numAxes !== 4)
    if (wrong) throw this.error(`'${wrong.name}' (${shapeText(wrong.shape)}) must be N × C × H × W`)
    const [n, c, h, w] = x.shape
    const [height, width] = like ? like.shape.slice(2) : [this.fields.height ?? 0, this.fields.width ?? 0]
    if (height < 1 || width < 1)
      throw this.error(`height: ${height} and width: ${width} must be at least 1, or a second bottom have the size`)
    checkPlaces(this, 2, height)
    checkPlaces(this, 3, width)
    top[0].reshape([n, c, height, width])
    const [down, across] = [h / height, w / width].map(Math.fround)
    const antialias = this.fields.antialias && (down > 1 || across > 1)
    // the fork moves each axis by the other's half step
    const { type } = this.fields
    const rows = resampledAxis(2, h, height, down, across / 2 - 0.5, type, antialias)
    const columns = resampledAxis(3, w, width, across, down / 2 - 0.5, type, antialias)
    this.mix.plan(x.shape, [rows, columns])
  }

  override allowsForceBackward(bottomIndex: number): boolean {
    return bottomIndex === 0
  }

  override forward([x]: Blob[], [top]: Blob[]): void {
    this.mix.forward(this.kernels, x.memory.data, top.memory.data)
  }

  override backward([top]: Blob[], propagateDown: boolean[], [x, like]: Blob[]): void {
    if (like && propagateDown[1])
      throw this.error(`bottom 1, '${like.name}', has no gradient: give this layer propagate_down: false for it`)
    if (propagateDown[0]) this.mix.backward(this.kernels, top.memory.diff, x.memory.diff)
  }

  override dispose(): void {
    this.mix.dispose()
  }
}

const triangle = (x: number): number => Math.max(0, 1 - Math.abs(x))
function cubic(x: number): number {
  const d = Math.abs(x)
  if (d <= 1) return d * d * (1.5 * d - 2.5) + 1
  return d < 2 ? d * (d * (-0.5 * d + 2.5) - 4) + 2 : 0
}

/** Half away from zero, as C rounds. */
const rounded = (x: number): number => Math.sign(x) * Math.floor(Math.abs(x) + 0.5)

/** What each of `out` places takes of `size` places, worked out anew for each that is asked for: there may be millions. */
function resampledAxis(
  axis: number,
  size: number,
  out: number,
  step: number,
  shift: number,
  type: string,
  antialias: boolean,
): MixedAxis {
  const [weigh, reach] = type === 'CUBIC' ? [cubic, 4] : [triangle, 2]
  const narrow = antialias ? 1 / step : 1
  const radius = step < 1 ? 2 : Math.ceil(Math.fround(reach / narrow))
  const taps = (i: number): Taps => {
    const at = Math.fround(i * step + shift)
    const middle = rounded(at)
    if (type === 'NEAREST') return [{ from: Math.max(0, Math.min(size - 1, middle)), weight: 1 }]
    const taps: { from: number; weight: number }[] = []
    for (let from = Math.max(0, middle - radius); from <= Math.min(size - 1, middle + radius); from++) {
      const weight = weigh(narrow * (at - from))
      if (weight !== 0) taps.push({ from, weight })
    }
    const sum = taps.reduce((total, { weight }) => total + weight, 0)
    return sum === 0 ? [] : taps.map(({ from, weight }) => ({ from, weight: weight / sum }))
  }
  return { axis, out, most: type === 'NEAREST' ? 1 : Math.min(size, 2 * radius + 1), taps }
}
