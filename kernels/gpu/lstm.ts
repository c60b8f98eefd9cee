import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import type { Memory } from '../../lib/memory.js'
import { Sequence } from './recurrence.js'

export const lstm = (gpu: Gpu): Partial<Kernels> => ({
  lstm(steps, batch, hidden, cont, Wh, h0, gates, conted, c, h) {
    const { kernels } = gpu
    const run = new Sequence(gpu, steps, batch, cont)
    const [inputs, carried, states, outputs]: Memory[][] = [[], [], [run.take(c, 0, hidden)], []]
    for (let t = 0; t < steps; t++) {
      const gate = run.take(gates, t, 4 * hidden)
      const state = run.carry(t === 0 ? h0 : outputs[t - 1], t, hidden)
      kernels.gemm(false, true, batch, 4 * hidden, hidden, 1, state, Wh, 1, gate)
      const [after, output] = [run.step(hidden), run.step(hidden)]
      kernels.lstmUnit(batch, hidden, states[t], gate, run.take(cont, t, 1), after, output)
      inputs.push(gate)
      carried.push(state)
      states.push(after)
      outputs.push(output)
    }
    run.join(inputs, 4 * hidden, gates)
    run.join(carried, hidden, conted)
    run.join(states, hidden, c)
    run.join(outputs, hidden, h)
    run.dispose()
  },
  lstmGradient(steps, batch, hidden, cont, Wh, gates, c, dh, dc, dgates) {
    const { kernels } = gpu
    const run = new Sequence(gpu, steps, batch, cont)
    const slopes: Memory[] = []
    const back = run.step(hidden)
    for (let t = steps - 1; t >= 0; t--) {
      const [dy, slope] = [run.take(dh, t, hidden), run.step(4 * hidden)]
      if (t < steps - 1) {
        kernels.gemm(false, false, batch, hidden, 4 * hidden, 1, slopes[0], Wh, 0, back)
        kernels.axpby(batch * hidden, 1, run.carry(back, t + 1, hidden), 1, dy)
      }
      const [before, gate, go, after] = [
        run.take(c, t, hidden),
        run.take(gates, t, 4 * hidden),
        run.take(cont, t, 1),
        run.take(c, t + 1, hidden),
      ]
      kernels.lstmUnitGradient(batch, hidden, before, gate, go, after, dc, dy, dc, slope)
      slopes.unshift(slope)
    }
    run.join(slopes, 4 * hidden, dgates)
    run.dispose()
  },
})
