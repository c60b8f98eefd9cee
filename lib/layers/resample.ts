import { type Blob, shapeText } from '../blob.js'
import { Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'

/** The places along an axis that one output takes, and how much of each. */
type Taps = readonly { readonly from: number; readonly weight: number }[]

/** x (N, C, H, W) → (N, C, h, w), of the size of the second bottom or of the fields, as FlowNet 2 resizes. */
export class ResampleLayer extends Layer {
  static override readonly param = ['resample_param'] as const
  override readonly bottomCount = { atLeast: 1, atMost: 2 }
  override readonly topCount = { exactly: 1 }
  private fields = withDefaults('ResampleParameter', this.param.resample_param)
  private rows: Taps[] = []
  private columns: Taps[] = []

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
    top[0].reshape([n, c, height, width])
    const [down, across] = [h / height, w / width].map(Math.fround)
    const antialias = this.fields.antialias && (down > 1 || across > 1)
    // the fork moves each axis by the other's half step
    this.rows = tapsOf(h, height, down, across / 2 - 0.5, this.fields.type, antialias)
    this.columns = tapsOf(w, width, across, down / 2 - 0.5, this.fields.type, antialias)
  }

  override allowsForceBackward(bottomIndex: number): boolean {
    return bottomIndex === 0
  }

  override forward([x]: Blob[], [top]: Blob[]): void {
    const [xs, ys] = [x.dataArray, top.dataArray]
    this.each(
      x,
      (from, to, weight) => {
        ys[to] += weight * xs[from]
      },
      ys,
    )
  }

  override backward([top]: Blob[], propagateDown: boolean[], [x, like]: Blob[]): void {
    if (like && propagateDown[1])
      throw this.error(`bottom 1, '${like.name}', has no gradient: give this layer propagate_down: false for it`)
    if (!propagateDown[0]) return
    const [dxs, dys] = [x.diffArray, top.diffArray]
    this.each(
      x,
      (from, to, weight) => {
        dxs[from] += weight * dys[to]
      },
      dxs,
    )
  }

  private each(x: Blob, visit: (from: number, to: number, weight: number) => void, sums: Float32Array): void {
    const planes = x.size(0, 2)
    const [height, width] = x.shape.slice(2)
    sums.fill(0)
    for (let plane = 0, to = 0; plane < planes; plane++)
      for (const row of this.rows)
        for (const column of this.columns) {
          for (const v of row)
            for (const u of column) visit((plane * height + v.from) * width + u.from, to, v.weight * u.weight)
          to++
        }
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

function tapsOf(size: number, out: number, step: number, shift: number, type: string, antialias: boolean): Taps[] {
  const [weigh, reach] = type === 'CUBIC' ? [cubic, 4] : [triangle, 2]
  const narrow = antialias ? 1 / step : 1
  const radius = step < 1 ? 2 : Math.ceil(Math.fround(reach / narrow))
  return Array.from({ length: out }, (_, i) => {
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
  })
}
