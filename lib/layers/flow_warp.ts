import { type Blob, shapeText } from '../blob.js'
import { Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'

/** Four neighbours of a point, and how much each counts. */
interface Corners {
  readonly places: readonly [number, number, number, number]
  readonly across: number
  readonly down: number
}

/** Pictures (N, C, H, W), flow (N, 2, H, W) → pictures: at (x, y) what is at (x + u, y + v), bilinear. */
export class FlowWarpLayer extends Layer {
  static override readonly param = ['flow_warp_param'] as const
  override readonly bottomCount = { exactly: 2 }
  override readonly topCount = { exactly: 1 }
  private fields = withDefaults('FlowWarpParameter', this.param.flow_warp_param)

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const [x, flow] = bottom
    const [n, , h, w] = x.shape
    if (x.numAxes !== 4 || shapeText(flow.shape) !== shapeText([n, 2, h, w]))
      throw this.error(
        `'${x.name}' (${shapeText(x.shape)}) must be N × C × H × W, and '${flow.name}' (${shapeText(flow.shape)}) N × 2 × H × W: steps across, then down`,
      )
    top[0].reshapeLike(x)
  }

  override forward([x, flow]: Blob[], [top]: Blob[]): void {
    const [, channels] = x.shape
    const plane = x.size(2)
    const [xs, ys] = [x.dataArray, top.dataArray]
    const outside = this.fields.fill_value === 'NOT_A_NUMBER' ? Number.NaN : 0
    this.eachPlace(x, flow, (n, place, corners) => {
      for (let c = 0; c < channels; c++) {
        const at = (n * channels + c) * plane
        if (!corners) ys[at + place] = outside
        else {
          const { places, across, down } = corners
          const [tl, tr, bl, br] = places.map(p => xs[at + p])
          ys[at + place] = (1 - down) * ((1 - across) * tl + across * tr) + down * ((1 - across) * bl + across * br)
        }
      }
    })
  }

  override backward([top]: Blob[], propagateDown: boolean[], [x, flow]: Blob[]): void {
    const [, channels] = x.shape
    const plane = x.size(2)
    const [xs, dys] = [x.dataArray, top.diffArray]
    const dxs = propagateDown[0] ? x.diffArray.fill(0) : undefined
    const dflow = propagateDown[1] ? flow.diffArray.fill(0) : undefined
    this.eachPlace(x, flow, (n, place, corners) => {
      if (!corners) return
      const { places, across, down } = corners
      const parts = [(1 - across) * (1 - down), across * (1 - down), (1 - across) * down, across * down]
      let [du, dv] = [0, 0]
      for (let c = 0; c < channels; c++) {
        const at = (n * channels + c) * plane
        const dy = dys[at + place]
        if (dxs) for (let i = 0; i < 4; i++) dxs[at + places[i]] += dy * parts[i]
        const [tl, tr, bl, br] = places.map(p => xs[at + p])
        du += dy * ((1 - down) * (tr - tl) + down * (br - bl))
        dv += dy * ((1 - across) * (bl - tl) + across * (br - tr))
      }
      if (!dflow) return
      dflow[2 * n * plane + place] = du
      dflow[(2 * n + 1) * plane + place] = dv
    })
  }

  /** Every place of every picture, with the corners that the flow leads to, if it stays within the picture. */
  private eachPlace(
    x: Blob,
    flow: Blob,
    visit: (n: number, place: number, corners: Corners | undefined) => void,
  ): void {
    const [items, , height, width] = x.shape
    const [plane, steps] = [height * width, flow.dataArray]
    for (let n = 0; n < items; n++)
      for (let place = 0; place < plane; place++) {
        const u = (place % width) + steps[2 * n * plane + place]
        const v = Math.trunc(place / width) + steps[(2 * n + 1) * plane + place]
        visit(n, place, u >= 0 && v >= 0 && u < width && v < height ? cornersOf(u, v, width, height) : undefined)
      }
  }
}

/** At the right and lower edge the pixel is its own neighbour. */
function cornersOf(u: number, v: number, width: number, height: number): Corners {
  const [left, top] = [Math.trunc(u), Math.trunc(v)]
  const [right, bottom] = [Math.min(left + 1, width - 1), Math.min(top + 1, height - 1)]
  const places = [top * width + left, top * width + right, bottom * width + left, bottom * width + right] as const
  return { places, across: u - left, down: v - top }
}
