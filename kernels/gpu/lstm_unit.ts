import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import { tangent } from './tanh.js'

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x))
}

// Tensors are (N, H), gates (N, 4, H) = i, f, o, g, cont (N).

const state = gpuKernel(
  'lstmUnit, c',
  function (previous: Tensor, gates: Tensor, cont: Tensor) {
    const x = this.thread.x
    const n = this.thread.y
    let kept = 0
    if (cont[0][0][n] !== 0) kept = cont[0][0][n] * logistic(gates[n][1][x]) * previous[0][n][x]
    return kept + logistic(gates[n][0][x]) * tangent(gates[n][3][x])
  },
  [logistic, tangent],
)
const output = gpuKernel(
  'lstmUnit, h',
  function (gates: Tensor, c: Tensor) {
    return logistic(gates[this.thread.y][2][this.thread.x]) * tangent(c[0][this.thread.y][this.thread.x])
  },
  [logistic, tangent],
)
/** dc + dh·o·(1 − tanh² c). */
const stateSlope = gpuKernel(
  'lstmUnitGradient, state',
  function (gates: Tensor, c: Tensor, dc: Tensor, dh: Tensor) {
    const squashed = tangent(c[0][this.thread.y][this.thread.x])
    const o = logistic(gates[this.thread.y][2][this.thread.x])
    return dc[0][this.thread.y][this.thread.x] + dh[0][this.thread.y][this.thread.x] * o * (1 - squashed * squashed)
  },
  [logistic, tangent],
)
const previousSlope = gpuKernel(
  'lstmUnitGradient, previous',
  function (gates: Tensor, cont: Tensor, dstate: Tensor) {
    if (cont[0][0][this.thread.y] === 0) return 0
    return (
      dstate[0][this.thread.y][this.thread.x] *
      cont[0][0][this.thread.y] *
      logistic(gates[this.thread.y][1][this.thread.x])
    )
  },
  [logistic],
)
/** thread.y is the gate, thread.z the item. */
const gateSlope = gpuKernel(
  'lstmUnitGradient, gates',
  function (previous: Tensor, gates: Tensor, cont: Tensor, c: Tensor, dstate: Tensor, dh: Tensor) {
    const x = this.thread.x
    const n = this.thread.z
    const d = dstate[0][n][x]
    const i = logistic(gates[n][0][x])
    const g = tangent(gates[n][3][x])
    if (this.thread.y === 0) return d * g * i * (1 - i)
    if (this.thread.y === 1) {
      if (cont[0][0][n] === 0) return 0
      const f = cont[0][0][n] * logistic(gates[n][1][x])
      return d * previous[0][n][x] * f * (1 - f)
    }
    if (this.thread.y === 2) {
      const o = logistic(gates[n][2][x])
      return dh[0][n][x] * tangent(c[0][n][x]) * o * (1 - o)
    }
    return d * i * (1 - g * g)
  },
  [logistic, tangent],
)

export const lstmUnit = (gpu: Gpu): Partial<Kernels> => ({
  lstmUnit(batch, hidden, cPrevious, gates, cont, c, h) {
    const dims = [hidden, batch, 1] as const
    const gate = { memory: gates, dims: [hidden, 4, batch] as const }
    gpu.run(state, [{ memory: cPrevious, dims }, gate, cont], { memory: c, dims })
    gpu.run(output, [gate, { memory: c, dims }], { memory: h, dims })
  },
  lstmUnitGradient(batch, hidden, cPrevious, gates, cont, c, dc, dh, dcPrevious, dgates) {
    const dims = [hidden, batch, 1] as const
    const gate = { memory: gates, dims: [hidden, 4, batch] as const }
    const [previous, states, dcs, dhs] = [cPrevious, c, dc, dh].map(memory => ({ memory, dims }))
    const dstate = { handle: gpu.compute(stateSlope, [gate, states, dcs, dhs], dims), dims }
    const slopes = gpu.compute(gateSlope, [previous, gate, cont, states, dstate, dhs], gate.dims)
    gpu.run(previousSlope, [gate, cont, dstate], { memory: dcPrevious, dims })
    gpu.set(dgates, slopes)
    gpu.release(dstate.handle)
  },
})
