import type { Memory } from '../memory.js'

/** Steps in time. */
export interface RecurrenceKernels {
  /**
   * c ← cont[n]·σ(f)·cPrevious + σ(i)·tanh(g), h ← σ(o)·tanh c.  gates: (N, 4, H) = i, f, o, g; cPrevious, c, h: (N,
   * H); cont: (N).
   */
  lstmUnit(batch: number, hidden: number, cPrevious: Memory, gates: Memory, cont: Memory, c: Memory, h: Memory): void
  /**
   * With i, f, o, g after their σ and tanh, f times cont[n], and dstate = dc + dh·o·(1 − tanh² c): dcPrevious ←
   * dstate·f, dgates ← dstate·g·i(1 − i), dstate·cPrevious·f(1 − f), dh·tanh(c)·o(1 − o), dstate·i·(1 − g²). dcPrevious
   * may be dc.
   */
  lstmUnitGradient(
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
  ): void
  /**
   * For each step: conted[t] ← cont[t]·h[t−1], 0 where cont is 0; gates[t] ← gates[t] + conted[t]·Whᵀ; c[t+1] and h[t]
   * as lstmUnit has them from c[t].  cont: (T, N), Wh: (4H, H), h0: (N, H), gates: (T, N, 4, H), conted, h: (T, N, H),
   * c: (T+1, N, H), of which c[0] is given. In place of gates may stand whatever the engine's lstmGradient reads of them,
   * step by step.
   */
  lstm(
    steps: number,
    batch: number,
    hidden: number,
    cont: Memory,
    Wh: Memory,
    h0: Memory,
    gates: Memory,
    conted: Memory,
    c: Memory,
    h: Memory,
  ): void
  /**
   * From the last step to the first: dgates[t], dc ← as lstmUnitGradient has them from dh[t] +
   * cont[t+1]·(dgates[t+1]·Wh), no summand where that cont is 0.  gates, c: as lstm left them; dh: (T, N, H), dc: (N,
   * H), what comes into c behind the last step and, afterwards, what reaches c before the first, dgates: (T, N, 4, H).
   */
  lstmGradient(
    steps: number,
    batch: number,
    hidden: number,
    cont: Memory,
    Wh: Memory,
    gates: Memory,
    c: Memory,
    dh: Memory,
    dc: Memory,
    dgates: Memory,
  ): void
  /**
   * For each step: conted[t] ← cont[t]·h[t−1], 0 where cont is 0; gates[t] ← gates[t] + conted[t]·Whᵀ; h[t] ← tanh
   * gates[t].  Shapes as in lstm, one gate.
   */
  rnn(
    steps: number,
    batch: number,
    hidden: number,
    cont: Memory,
    Wh: Memory,
    h0: Memory,
    gates: Memory,
    conted: Memory,
    h: Memory,
  ): void
  /**
   * From the last step to the first: dgates[t] ← (dh[t] + cont[t+1]·(dgates[t+1]·Wh))·(1 − h[t]²), no summand where
   * that cont is 0.
   */
  rnnGradient(
    steps: number,
    batch: number,
    hidden: number,
    cont: Memory,
    Wh: Memory,
    h: Memory,
    dh: Memory,
    dgates: Memory,
  ): void
}
