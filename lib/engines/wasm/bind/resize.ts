import type { InterpShape, ResizeKernels } from '../../../engine.js'
import type { Memory } from '../../../memory.js'
import { type Bounds, count, need, refuse, within } from '../../bounds.js'
import { isSize } from '../../kernel_limits.js'
import { bindDirect, type DirectExports } from './kit.js'

const direct = ['enlarge', 'enlargeGradient'] as const

/** What the module exports for them. */
export interface ResizeExports extends DirectExports<typeof direct> {
  /** Sizes of the next interp or its gradient, as in InterpShape. */
  interpShape(
    planes: number,
    H: number,
    W: number,
    top: number,
    left: number,
    h: number,
    w: number,
    OH: number,
    OW: number,
  ): void
  interp(x: number, y: number): void
  interpGradient(dy: number, dx: number): void
  mixAxis(
    outer: number,
    size: number,
    out: number,
    inner: number,
    taps: number,
    nothing: number,
    from: number,
    weight: number,
    x: number,
    y: number,
  ): void
  unpool(planes: number, places: number, size: number, x: number, mask: number, y: number): void
  unpoolGradient(planes: number, places: number, size: number, dy: number, mask: number, dx: number): void
}

/** These kernels of the contract as calls of the module. */
export function bindResize(wasm: ResizeExports) {
  const shape = ({ planes, input, offset, size, output }: InterpShape) =>
    wasm.interpShape(planes, input[0], input[1], offset[0], offset[1], size[0], size[1], output[0], output[1])
  return {
    ...bindDirect(wasm, direct),
    interp(s, x, y) {
      shape(s)
      wasm.interp(x.pointer, y.pointer)
    },
    interpGradient(s, dy, dx) {
      shape(s)
      wasm.interpGradient(dy.pointer, dx.pointer)
    },
    mixAxis({ outer, size, out, inner, taps, nothing }, from, weight, x, y) {
      const [pf, pw, px, py] = [from.pointer, weight.pointer, x.pointer, y.pointer]
      wasm.mixAxis(outer, size, out, inner, taps, nothing, pf, pw, px, py)
    },
    unpool({ planes, places, size }, x, mask, y) {
      wasm.unpool(planes, places, size, x.pointer, mask.pointer, y.pointer)
    },
    unpoolGradient({ planes, places, size }, dy, mask, dx) {
      wasm.unpoolGradient(planes, places, size, dy.pointer, mask.pointer, dx.pointer)
    },
  } satisfies ResizeKernels
}

function interpolated({ planes, input, offset, size, output }: InterpShape, inside: Memory, outside: Memory): void {
  for (const i of [0, 1] as const) {
    if (!(isSize(offset[i]) && isSize(size[i]) && size[i] > 0 && offset[i] + size[i] <= input[i]))
      refuse(`${size[i]} values from ${offset[i]} on are not within the ${input[i]} of spatial axis ${i}`)
  }
  need(inside, count(planes, input[0], input[1]))
  need(outside, count(planes, output[0], output[1]))
}

/** What stands before these kernels. */
export const resizeBounds = {
  interp: interpolated,
  interpGradient: (s, dy, dx) => interpolated(s, dx, dy),
  mixAxis({ outer, size, out, inner, taps }, from, weight, x, y) {
    need(from, count(out, taps))
    need(weight, count(out, taps))
    within(4 * count(out, taps), 'places')
    need(x, count(outer, size, inner))
    need(y, count(outer, out, inner))
  },
  unpool({ planes, places, size }, x, mask, y) {
    need(x, count(planes, places))
    need(mask, count(planes, places))
    need(y, count(planes, size))
  },
  unpoolGradient({ planes, places, size }, dy, mask, dx) {
    need(dx, count(planes, places))
    need(mask, count(planes, places))
    need(dy, count(planes, size))
  },
  enlarge(planes, height, width, factor, x, y) {
    need(x, count(planes, height, width))
    need(y, count(planes, count(height, factor), count(width, factor)))
  },
  enlargeGradient(planes, height, width, factor, dy, dx) {
    need(dx, count(planes, height, width))
    need(dy, count(planes, count(height, factor), count(width, factor)))
  },
} satisfies Partial<Bounds>
