import { frameOf } from '../../../../kernels/js/cost_frame.js'
import type { CostVolumeShape, FlowKernels, FlowWarpShape } from '../../../engine.js'
import type { Memory } from '../../../memory.js'
import { type Bounds, count, need, refuse, within } from '../../bounds.js'
import { isSize } from '../../kernel_limits.js'

/** What the module exports for them. */
export interface FlowExports {
  /** Sizes of the next costVolume or its gradient, as in CostVolumeShape. */
  costVolumeShape(
    N: number,
    C: number,
    H: number,
    W: number,
    OH: number,
    OW: number,
    kernel: number,
    stride: number,
  ): void
  /** Its displacements, the first one down and across, how many there are and how far they are apart. */
  costVolumeShifts(down: number, across: number, rows: number, columns: number, step: number, subtract: boolean): void
  /** Zeros around the pictures, their size with these, and where in it the first patch begins. */
  costVolumeFrame(above: number, before: number, FH: number, FW: number, top: number, left: number): void
  costVolume(a: number, b: number, y: number): void
  costVolumeGradient(second: boolean, x: number, other: number, dy: number, dx: number): void
  flowWarp(N: number, C: number, H: number, W: number, outside: number, x: number, flow: number, y: number): void
  flowWarpGradient(N: number, C: number, H: number, W: number, flow: number, dy: number, dx: number): void
  flowWarpFlowGradient(
    N: number,
    C: number,
    H: number,
    W: number,
    x: number,
    flow: number,
    dy: number,
    dflow: number,
  ): void
}

/** These kernels of the contract as calls of the module. */
export function bindFlow(wasm: FlowExports) {
  const describe = (s: CostVolumeShape) => {
    const [[H, W], [OH, OW]] = [s.input, s.output]
    const { before, size } = frameOf(s)
    wasm.costVolumeShape(s.batch, s.channels, H, W, OH, OW, s.kernel, s.stride)
    wasm.costVolumeShifts(s.shift[0], s.shift[1], s.shifts[0], s.shifts[1], s.step, s.subtract)
    wasm.costVolumeFrame(before[0], before[1], size[0], size[1], before[0] + s.start[0], before[1] + s.start[1])
  }
  return {
    costVolume(s, a, b, y) {
      describe(s)
      wasm.costVolume(a.pointer, b.pointer, y.pointer)
    },
    costVolumeGradient(s, second, x, other, dy, dx) {
      describe(s)
      wasm.costVolumeGradient(second, x.pointer, other.pointer, dy.pointer, dx.pointer)
    },
    flowWarp({ batch: N, channels: C, height: H, width: W, outside }, x, flow, y) {
      wasm.flowWarp(N, C, H, W, outside, x.pointer, flow.pointer, y.pointer)
    },
    flowWarpGradient({ batch: N, channels: C, height: H, width: W }, flow, dy, dx) {
      wasm.flowWarpGradient(N, C, H, W, flow.pointer, dy.pointer, dx.pointer)
    },
    flowWarpFlowGradient({ batch: N, channels: C, height: H, width: W }, x, flow, dy, dflow) {
      wasm.flowWarpFlowGradient(N, C, H, W, x.pointer, flow.pointer, dy.pointer, dflow.pointer)
    },
  } satisfies FlowKernels
}

function compared(s: CostVolumeShape, pictures: readonly Memory[], y: Memory): void {
  for (const n of [...s.output, ...s.shifts, s.kernel, s.stride, s.step])
    if (!(isSize(n) && n > 0))
      refuse(
        `output ${s.output.join('×')}, shifts ${s.shifts.join('×')}, kernel ${s.kernel}, stride ${s.stride} and step ${s.step} must be whole numbers above 0`,
      )
  for (const n of [...s.start, ...s.shift])
    if (!isSize(Math.abs(n)))
      refuse(`start ${s.start.join(', ')} and shift ${s.shift.join(', ')} must be whole numbers`)
  for (const x of pictures) need(x, count(s.batch, s.channels, s.input[0], s.input[1]))
  need(y, count(s.batch, count(s.shifts[0], s.shifts[1]), s.output[0], s.output[1]))
  const { size } = frameOf(s)
  within(2 * s.batch * s.channels * size[0] * size[1], 'the pictures with zeros around them')
}

function warped(s: FlowWarpShape, flows: readonly Memory[], pictures: readonly Memory[]): void {
  for (const flow of flows) need(flow, count(s.batch, 2, s.height, s.width))
  for (const x of pictures) need(x, count(s.batch, s.channels, s.height, s.width))
}

/** What stands before these kernels. */
export const flowBounds = {
  costVolume: (s, a, b, y) => compared(s, [a, b], y),
  costVolumeGradient: (s, _second, x, other, dy, dx) => compared(s, [x, other, dx], dy),
  flowWarp: (s, x, flow, y) => warped(s, [flow], [x, y]),
  flowWarpGradient: (s, flow, dy, dx) => warped(s, [flow], [dy, dx]),
  flowWarpFlowGradient: (s, x, flow, dy, dflow) => warped(s, [flow, dflow], [x, dy]),
} satisfies Partial<Bounds>
