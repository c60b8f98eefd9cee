// What RNN and LSTM are made of, on arrays of one step. `width` is how many values the gates of a stream have.

/**
 * conted ← cont·h, 0 where cont is 0; gates ← gates + conted·Whᵀ.  cont: (N), Wh: (width, H), h, conted: (N, H), gates:
 * (N, width).
 */
export function addStates(
  batch: number,
  hidden: number,
  width: number,
  cont: Float32Array,
  Wh: Float32Array,
  h: Float32Array,
  gates: Float32Array,
  conted: Float32Array,
): void {
  for (let n = 0; n < batch; n++) {
    // a stream that starts afresh forgets even a state that is not finite
    for (let d = n * hidden; d < (n + 1) * hidden; d++) conted[d] = cont[n] === 0 ? 0 : cont[n] * h[d]
    for (let j = 0, w = 0; j < width; j++) {
      let sum = 0
      for (let d = n * hidden; d < (n + 1) * hidden; d++, w++) sum += conted[d] * Wh[w]
      gates[n * width + j] += sum
    }
  }
}

/**
 * sum ← dh + cont·(dgates·Wh), no summand where cont is 0; cont and dgates are those of the step after, null behind the
 * last one.
 */
export function stateGradients(
  batch: number,
  hidden: number,
  width: number,
  after: { readonly cont: Float32Array; readonly dgates: Float32Array } | null,
  Wh: Float32Array,
  dh: Float32Array,
  sum: Float32Array,
): void {
  const values = new Float64Array(hidden)
  for (let n = 0; n < batch; n++) {
    values.fill(0)
    const cont = after ? after.cont[n] : 0
    if (after && cont !== 0) {
      for (let j = 0, w = 0; j < width; j++) {
        const dgate = after.dgates[n * width + j]
        for (let d = 0; d < hidden; d++, w++) values[d] += dgate * Wh[w]
      }
    }
    for (let d = 0; d < hidden; d++) sum[n * hidden + d] = dh[n * hidden + d] + cont * values[d]
  }
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/** lstmUnit. */
export function unit(
  batch: number,
  hidden: number,
  previous: Float32Array,
  gates: Float32Array,
  cont: Float32Array,
  c: Float32Array,
  h: Float32Array,
): void {
  for (let n = 0, k = 0; n < batch; n++) {
    for (let d = 0; d < hidden; d++, k++) {
      const gate = 4 * n * hidden + d
      // a stream that starts afresh forgets even a state that is not finite
      const f = cont[n] === 0 ? 0 : cont[n] * sigmoid(gates[gate + hidden])
      const kept = f === 0 ? 0 : f * previous[k]
      const state = kept + sigmoid(gates[gate]) * Math.tanh(gates[gate + 3 * hidden])
      c[k] = state
      h[k] = sigmoid(gates[gate + 2 * hidden]) * Math.tanh(state)
    }
  }
}

/** lstmUnitGradient; dprevious may be dc. */
export function unitGradient(
  batch: number,
  hidden: number,
  previous: Float32Array,
  gates: Float32Array,
  cont: Float32Array,
  c: Float32Array,
  dc: Float32Array,
  dh: Float32Array,
  dprevious: Float32Array,
  dgates: Float32Array,
): void {
  for (let n = 0, k = 0; n < batch; n++) {
    for (let d = 0; d < hidden; d++, k++) {
      const gate = 4 * n * hidden + d
      const i = sigmoid(gates[gate])
      const f = cont[n] === 0 ? 0 : cont[n] * sigmoid(gates[gate + hidden])
      const o = sigmoid(gates[gate + 2 * hidden])
      const g = Math.tanh(gates[gate + 3 * hidden])
      const squashed = Math.tanh(c[k])
      const dhidden = dh[k]
      const dstate = dc[k] + dhidden * o * (1 - squashed * squashed)
      dprevious[k] = dstate * f
      dgates[gate] = dstate * g * i * (1 - i)
      dgates[gate + hidden] = f === 0 ? 0 : dstate * previous[k] * f * (1 - f)
      dgates[gate + 2 * hidden] = dhidden * squashed * o * (1 - o)
      dgates[gate + 3 * hidden] = dstate * i * (1 - g * g)
    }
  }
}
