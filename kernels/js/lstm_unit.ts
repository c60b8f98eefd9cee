import type { Memory } from '../../lib/memory.js'

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/**
 * One time step: c ← cont[n]·σ(f)·cPrevious + σ(i)·tanh(g), h ← σ(o)·tanh c.
 * gates: (N, 4, H) = i, f, o, g; cPrevious, c, h: (N, H); cont: (N).
 */
export function lstmUnit(batch: number, hidden: number, cPrevious: Memory, gates: Memory, cont: Memory, c: Memory, h: Memory): void {
  const previous = cPrevious.array
  const gateValues = gates.array
  const conts = cont.array
  const cs = c.array
  const hs = h.array
  for (let n = 0, k = 0; n < batch; n++) {
    for (let d = 0; d < hidden; d++, k++) {
      const gate = 4 * n * hidden + d
      // a stream that starts afresh forgets even a state that is not finite
      const f = conts[n] === 0 ? 0 : conts[n] * sigmoid(gateValues[gate + hidden])
      const kept = f === 0 ? 0 : f * previous[k]
      const state = kept + sigmoid(gateValues[gate]) * Math.tanh(gateValues[gate + 3 * hidden])
      cs[k] = state
      hs[k] = sigmoid(gateValues[gate + 2 * hidden]) * Math.tanh(state)
    }
  }
}

/**
 * With dstate = dc + dh·σ(o)·(1 − tanh² c) and f = cont[n]·σ(gates f): dcPrevious ← dstate·f,
 * dgates ← dstate·tanh(g)·i(1 − i), dstate·cPrevious·f(1 − f), dh·tanh(c)·o(1 − o), dstate·i·(1 − tanh² g).
 */
export function lstmUnitGradient(
  batch: number,
  hidden: number,
  cPrevious: Memory,
  gates: Memory,
  cont: Memory,
  c: Memory,
  dc: Memory,
  dh: Memory,
  dcPrevious: Memory,
  dgates: Memory,
): void {
  const previous = cPrevious.array
  const gateValues = gates.array
  const conts = cont.array
  const cs = c.array
  const dcs = dc.array
  const dhs = dh.array
  const dprevious = dcPrevious.array
  const dgateValues = dgates.array
  for (let n = 0, k = 0; n < batch; n++) {
    for (let d = 0; d < hidden; d++, k++) {
      const gate = 4 * n * hidden + d
      const i = sigmoid(gateValues[gate])
      const f = conts[n] === 0 ? 0 : conts[n] * sigmoid(gateValues[gate + hidden])
      const o = sigmoid(gateValues[gate + 2 * hidden])
      const g = Math.tanh(gateValues[gate + 3 * hidden])
      const squashed = Math.tanh(cs[k])
      const dhidden = dhs[k]
      const dstate = dcs[k] + dhidden * o * (1 - squashed * squashed)
      dprevious[k] = dstate * f
      dgateValues[gate] = dstate * g * i * (1 - i)
      dgateValues[gate + hidden] = f === 0 ? 0 : dstate * previous[k] * f * (1 - f)
      dgateValues[gate + 2 * hidden] = dhidden * squashed * o * (1 - o)
      dgateValues[gate + 3 * hidden] = dstate * i * (1 - g * g)
    }
  }
}
