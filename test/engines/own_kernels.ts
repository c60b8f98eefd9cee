import { createGpuEngine, type GpuMode } from '../../lib/engines/gpu.js'
import { gpuKernel, type Tensor, view } from '../../lib/gpu_kernel.js'
import { Memory } from '../../lib/memory.js'

// What users write in kernels: a minifier makes of it what gpu.js does not take as it is.

const square = (v: number): number => v * v
const halved = (v: number, by: number): number => (v > by ? v / 2 : v)
function clamped(v: number, low: number, high: number): number {
  if (v < low) return low
  if (v > high) return high
  return v
}

interface Own {
  readonly kernel: ReturnType<typeof gpuKernel>
  readonly args: readonly number[]
  readonly constants?: Readonly<Record<string, number>>
  /** What it computes for x[i], where all of x is given. */
  readonly expected: (x: readonly number[], i: number) => number
}

const own: Own[] = [
  {
    kernel: gpuKernel('comparison', function (x: Tensor, limit: number) {
      return x[0][0][this.thread.x] > limit ? 1 : 0
    }),
    args: [0.25],
    expected: (x, i) => (x[i] > 0.25 ? 1 : 0),
  },
  {
    kernel: gpuKernel('comparison, turned', function (x: Tensor, limit: number) {
      const v = x[0][0][this.thread.x]
      if (v >= limit && v < 1) return 0
      return 1
    }),
    args: [-0.5],
    expected: (x, i) => (x[i] >= -0.5 && x[i] < 1 ? 0 : 1),
  },
  {
    kernel: gpuKernel('counts what is larger', function (x: Tensor) {
      let larger = 0
      const mine = x[0][0][this.thread.x]
      for (let i = 0; i < this.constants.n; i++) {
        if (x[0][0][i] > mine || (x[0][0][i] === mine && i < this.thread.x)) larger++
      }
      return larger
    }),
    args: [],
    constants: { n: 7 },
    expected: (x, i) => x.filter((v, k) => v > x[i] || (v === x[i] && k < i)).length,
  },
  {
    kernel: gpuKernel('flags and two counters', function (x: Tensor, limit: number) {
      let found = false
      let at = -1
      for (let i = 0, k = 1; i < this.constants.n; i++, k += 2) {
        const v = x[0][0][i]
        if (!found && v > limit) {
          found = true
          at = k
        }
      }
      if (!found) return -1
      return at + (found ? 0.5 : 0)
    }),
    args: [0.1],
    constants: { n: 7 },
    expected: x => {
      const at = x.findIndex(v => v > 0.1)
      return at < 0 ? -1 : 2 * at + 1.5
    },
  },
  {
    kernel: gpuKernel(
      'helpers of all kinds',
      function (x: Tensor, by: number) {
        const v = x[0][0][this.thread.x]
        const w = clamped(square(v), 0.1, 0.8)
        return halved(w, by) - square(by)
      },
      [square, halved, clamped],
    ),
    args: [0.5],
    expected: (x, i) => {
      const w = Math.min(Math.max(x[i] * x[i], 0.1), 0.8)
      return (w > 0.5 ? w / 2 : w) - 0.25
    },
  },
  {
    kernel: gpuKernel('a bound that is an argument', function (x: Tensor, from: number, to: number) {
      let sum = 0
      for (let i = from; i < to; i += 1) {
        if (i % 3 === 0) continue
        sum++
      }
      return sum * x[0][0][this.thread.x]
    }),
    args: [1, 4000],
    expected: (x, i) => 2666 * x[i],
  },
  {
    kernel: gpuKernel('switch', function (x: Tensor) {
      let v = x[0][0][this.thread.x]
      switch (this.thread.x) {
        case 0:
        case 1:
          v += 10
          break
        case 2: {
          v *= 2
          break
        }
        case 3:
          return -1
        default:
          v -= 1
      }
      return v
    }),
    args: [],
    expected: (x, i) => (i < 2 ? x[i] + 10 : i === 2 ? 2 * x[i] : i === 3 ? -1 : x[i] - 1),
  },
  {
    kernel: gpuKernel('while and do', function (x: Tensor, steps: number) {
      const { x: column } = this.thread
      let left = steps
      let v = x[0][0][column]
      while (left > 0) {
        v = v > 0 ? v - 0.25 : v + 0.5
        left--
      }
      do {
        v += 1
      } while (v < 2)
      return v
    }),
    args: [5],
    expected: (x, i) => {
      let v = x[i]
      for (let k = 0; k < 5; k++) v = v > 0 ? v - 0.25 : v + 0.5
      do v += 1
      while (v < 2)
      return v
    },
  },
  {
    kernel: gpuKernel('assignments inside', function (x: Tensor, scale: number) {
      let a = 0
      let b = 0
      const c = (a = x[0][0][this.thread.x]) > 0 ? (b = a * scale) : (b = -a)
      let i = 2
      const before = i++ * 10 + i
      return c + 1000 * b + before + Math.max(a, b, -0.125)
    }),
    args: [3],
    expected: (x, i) => {
      const b = x[i] > 0 ? x[i] * 3 : -x[i]
      return 1001 * b + 23 + Math.max(x[i], b, -0.125)
    },
  },
  {
    kernel: gpuKernel('numbers in all forms', function (x: Tensor) {
      return x[0][0][this.thread.x] * 1e3 + 0.5 + 0x10 + 1_000 + 3 ** 2 + Math.PI
    }),
    args: [],
    expected: (x, i) => x[i] * 1000 + 0.5 + 16 + 1000 + 9 + Math.PI,
  },
]

/** Every kernel on a mode: the names of those that are wrong, and why. */
export async function wrongOwnKernels(mode: GpuMode): Promise<string[]> {
  const engine = await createGpuEngine(mode)
  const values = [0.5, -0.75, 0.1, 0.9, -0.3, 1.5, 0.2].map(Math.fround)
  const wrong: string[] = []
  for (const { kernel, args, constants, expected } of own) {
    const [x, y] = [new Memory(7, engine.heap), new Memory(7, engine.heap)]
    x.array.set(values)
    try {
      engine.run!(kernel, [view(x, 7), ...args], y, constants)
      await engine.finish!()
      await y.pull()
      for (let i = 0; i < 7; i++) {
        const right = expected(values, i)
        if (!(Math.abs(y.array[i] - right) <= 1e-5 * (1 + Math.abs(right))))
          wrong.push(`${kernel.name}: value ${i} is ${y.array[i]}, right is ${right}`)
      }
    } catch (error) {
      wrong.push(`${kernel.name}: ${(error as Error).message}`)
    }
    x.dispose()
    y.dispose()
  }
  return wrong
}
