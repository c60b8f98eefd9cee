import type { InterpShape, Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { type Constants, type Dims, gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import type { Memory } from '../../lib/memory.js'
import { product } from './places.js'

// Tensors are (planes, H·W): thread.x is a place in the plane, thread.y the plane.

const between = gpuKernel('interp', function (x: Tensor) {
  const i = Math.floor((this.thread.x + 0.5) / this.constants.OW)
  const v = i * this.constants.SH
  const u = (this.thread.x - i * this.constants.OW) * this.constants.SW
  const above = Math.min(Math.floor(v), this.constants.h - 1)
  const left = Math.min(Math.floor(u), this.constants.w - 1)
  const first = (this.constants.top + above) * this.constants.W + this.constants.left + left
  let down = this.constants.W
  if (above === this.constants.h - 1) down = 0
  let right = 1
  if (left === this.constants.w - 1) right = 0
  const y = v - above
  const z = u - left
  const a = (1 - z) * x[0][this.thread.y][first] + z * x[0][this.thread.y][first + right]
  const b = (1 - z) * x[0][this.thread.y][first + down] + z * x[0][this.thread.y][first + down + right]
  return (1 - y) * a + y * b
})
/** Σ dy of the outputs that lie within a place of this one, by how near they are. */
const gathered = gpuKernel('interpGradient', function (dy: Tensor) {
  const h = Math.floor((this.thread.x + 0.5) / this.constants.W)
  const row = h - this.constants.top
  const column = this.thread.x - h * this.constants.W - this.constants.left
  if (row < 0 || row >= this.constants.h || column < 0 || column >= this.constants.w) return 0
  const firstRow = Math.max(0, Math.floor((row - 1) * this.constants.IH))
  const firstColumn = Math.max(0, Math.floor((column - 1) * this.constants.IW))
  let sum = 0
  for (let k = 0; k < this.constants.rows; k++) {
    const i = firstRow + k
    const v = i * this.constants.SH
    const above = Math.min(Math.floor(v), this.constants.h - 1)
    let share = 0
    if (above === row) share = 1 - (v - above)
    if (Math.min(above + 1, this.constants.h - 1) === row) share += v - above
    if (i < this.constants.OH && share !== 0) {
      let line = 0
      for (let l = 0; l < this.constants.columns; l++) {
        const j = firstColumn + l
        const u = j * this.constants.SW
        const left = Math.min(Math.floor(u), this.constants.w - 1)
        let part = 0
        if (left === column) part = 1 - (u - left)
        if (Math.min(left + 1, this.constants.w - 1) === column) part += u - left
        if (j < this.constants.OW && part !== 0) line += part * dy[0][this.thread.y][i * this.constants.OW + j]
      }
      sum += share * line
    }
  }
  return sum
})

function constantsOf({ input, offset, size, output }: InterpShape): Constants {
  const along = (i: 0 | 1) => {
    const step = output[i] > 1 ? (size[i] - 1) / (output[i] - 1) : 0
    // outputs that may lie within one place: all where they lie on one
    const near = step > 0 ? Math.min(output[i], Math.ceil(2 / step) + 3) : output[i]
    return { step, inverse: step > 0 ? 1 / step : 0, near }
  }
  const [rows, columns] = [along(0), along(1)]
  return {
    W: input[1],
    top: offset[0],
    left: offset[1],
    h: size[0],
    w: size[1],
    OH: output[0],
    OW: output[1],
    SH: rows.step,
    SW: columns.step,
    IH: rows.inverse,
    IW: columns.inverse,
    rows: rows.near,
    columns: columns.near,
  }
}

const repeated = gpuKernel('enlarge', function (x: Tensor) {
  const i = Math.floor((this.thread.x + 0.5) / this.constants.OW)
  const j = this.thread.x - i * this.constants.OW
  const row = Math.floor((i + 0.5) / this.constants.factor)
  return x[0][this.thread.y][row * this.constants.W + Math.floor((j + 0.5) / this.constants.factor)]
})
const summed = gpuKernel('enlargeGradient', function (dy: Tensor) {
  const h = Math.floor((this.thread.x + 0.5) / this.constants.W)
  const first =
    h * this.constants.factor * this.constants.OW + (this.thread.x - h * this.constants.W) * this.constants.factor
  let sum = 0
  for (let i = 0; i < this.constants.factor; i++) {
    for (let j = 0; j < this.constants.factor; j++) sum += dy[0][this.thread.y][first + i * this.constants.OW + j]
  }
  return sum
})

// (outer, places, inner): thread.y is the place along the axis; from and weight are (out, taps).
const mixed = gpuKernel('mixAxis', function (x: Tensor, from: Tensor, weight: Tensor, nothing: number) {
  let sum = 0
  let found = 0
  for (let k = 0; k < this.constants.taps; k++) {
    const place = from[0][this.thread.y][k]
    if (place >= 0 && place < this.constants.size) {
      sum += weight[0][this.thread.y][k] * x[this.thread.z][place][this.thread.x]
      found = 1
    }
  }
  if (found > 0) return sum
  return nothing
})

export const resize = (gpu: Gpu): Partial<Kernels> => {
  const inside = (s: InterpShape): Dims => [product(s.input), s.planes, 1]
  const outside = (s: InterpShape): Dims => [product(s.output), s.planes, 1]
  return {
    interp: (s, x, y) =>
      gpu.run(between, [{ memory: x, dims: inside(s) }], { memory: y, dims: outside(s) }, constantsOf(s)),
    interpGradient: (s, dy, dx) =>
      gpu.run(gathered, [{ memory: dy, dims: outside(s) }], { memory: dx, dims: inside(s) }, constantsOf(s)),
    mixAxis({ outer, size, out, inner, taps, nothing }, from, weight, x, y) {
      const source = { memory: x, dims: [inner, size, outer] as const }
      const table = (memory: Memory) => ({ memory, dims: [taps, out, 1] as const })
      const args = [source, table(from), table(weight), nothing]
      gpu.run(mixed, args, { memory: y, dims: [inner, out, outer] }, { taps, size })
    },
    enlarge(planes, height, width, factor, x, y) {
      const source = { memory: x, dims: [width * height, planes, 1] as const }
      const target = { memory: y, dims: [width * height * factor * factor, planes, 1] as const }
      gpu.run(repeated, [source], target, { W: width, OW: width * factor, factor })
    },
    enlargeGradient(planes, height, width, factor, dy, dx) {
      const source = { memory: dy, dims: [width * height * factor * factor, planes, 1] as const }
      const target = { memory: dx, dims: [width * height, planes, 1] as const }
      gpu.run(summed, [source], target, { W: width, OW: width * factor, factor })
    },
  }
}
