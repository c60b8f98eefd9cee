import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import type { Memory } from '../../lib/memory.js'
import { Sequence } from './recurrence.js'

export const rnn = (gpu: Gpu): Partial<Kernels> => ({
  rnn(steps, batch, hidden, cont, Wh, h0, gates, conted, h) {
    const { kernels } = gpu
    const run = new Sequence(gpu, steps, batch, cont)
    const [inputs, carried, outputs]: Memory[][] = [[], [], []]
    for (let t = 0; t < steps; t++) {
      const [gate, output] = [run.take(gates, t, hidden), run.step(hidden)]
      const state = run.carry(t === 0 ? h0 : outputs[t - 1], t, hidden)
      kernels.gemm(false, true, batch, hidden, hidden, 1, state, Wh, 1, gate)
      kernels.tanh(batch * hidden, gate, output)
      inputs.push(gate)
      carried.push(state)
      outputs.push(output)
    }
    run.join(inputs, hidden, gates)
    run.join(carried, hidden, conted)
    run.join(outputs, hidden, h)
    run.dispose()
  },
  rnnGradient(steps, batch, hidden, cont, Wh, h, dh, dgates) {
    const { kernels } = gpu
    const run = new Sequence(gpu, steps, batch, cont)
    const slopes: Memory[] = []
    const back = run.step(hidden)
    for (let t = steps - 1; t >= 0; t--) {
      const [dy, slope] = [run.take(dh, t, hidden), run.step(hidden)]
      if (t < steps - 1) {
        kernels.gemm(false, false, batch, hidden, hidden, 1, slopes[0], Wh, 0, back)
        kernels.axpby(batch * hidden, 1, run.carry(back, t + 1, hidden), 1, dy)
      }
      kernels.tanhGradient(batch * hidden, run.take(h, t, hidden), dy, slope)
      slopes.unshift(slope)
    }
    run.join(slopes, hidden, dgates)
    run.dispose()
  },
})
