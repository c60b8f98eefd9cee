import type { PoolingShape } from '../../lib/engine.js'

/**
 * One pooling window: rows top … bottom − 1 and columns left … right − 1 of a plane, and its area clipped to size +
 * pad.
 */
export interface Window {
  /** Index of the plane. */
  plane: number
  /** Index of the output value. */
  output: number
  top: number
  bottom: number
  left: number
  right: number
  area: number
}

/** Calls visit for every window, plane by plane, in row-major order. The object is the same each time. */
export function eachWindow(s: PoolingShape, visit: (window: Window) => void): void {
  const [H, W] = s.input
  const window: Window = { plane: 0, output: 0, top: 0, bottom: 0, left: 0, right: 0, area: 0 }
  for (let plane = 0; plane < s.planes; plane++) {
    window.plane = plane
    for (let row = 0; row < s.output[0]; row++) {
      const top = row * s.stride[0] - s.pad[0]
      const bottom = Math.min(top + s.kernel[0], H + s.pad[0])
      window.top = Math.max(top, 0)
      window.bottom = Math.min(bottom, H)
      for (let column = 0; column < s.output[1]; column++) {
        const left = column * s.stride[1] - s.pad[1]
        const right = Math.min(left + s.kernel[1], W + s.pad[1])
        window.left = Math.max(left, 0)
        window.right = Math.min(right, W)
        window.area = Math.max(bottom - top, 0) * Math.max(right - left, 0)
        visit(window)
        window.output++
      }
    }
  }
}
