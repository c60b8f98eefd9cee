/** What of a sequence a CTC loss is about. */
export interface CtcSequence {
  /** How many steps count. */
  readonly steps: number
  readonly classes: number
  /** Log-probability of a class at a step. */
  readonly log: (step: number, c: number) => number
  /** Classes that are to be said, without blanks. */
  readonly labels: readonly number[]
  readonly blank: number
  /** Whether a class that is said twice in a row is one. */
  readonly mergeRepeated: boolean
}

/** Minus the log-probability of the labels, and how probable each class is at each step among what says them. */
export interface CtcResult {
  readonly loss: number
  /** (steps, classes). */
  readonly share: Float64Array
}

/**
 * Connectionist temporal classification (Graves 2006): over all ways to say the labels with blanks between them.
 * Undefined where the steps do not suffice. All in logarithms and double precision.
 */
export function ctc(sequence: CtcSequence): CtcResult | undefined {
  const { steps, classes, log, labels, blank } = sequence
  const states = 2 * labels.length + 1
  const classOf = (state: number): number => (state % 2 ? labels[(state - 1) / 2] : blank)
  const before = predecessors(sequence, states, classOf)
  const forward = new Float64Array(steps * states).fill(-Infinity)
  const backward = new Float64Array(steps * states).fill(-Infinity)
  for (let state = 0; state < Math.min(2, states); state++) forward[state] = log(0, classOf(state))
  for (let t = 1; t < steps; t++)
    for (let state = 0; state < states; state++) {
      const from = before[state].reduce((sum, s) => addLogs(sum, forward[(t - 1) * states + s]), -Infinity)
      forward[t * states + state] = from + log(t, classOf(state))
    }
  for (let state = Math.max(0, states - 2); state < states; state++) backward[(steps - 1) * states + state] = 0
  for (let t = steps - 1; t > 0; t--)
    for (let state = 0; state < states; state++) {
      const to = backward[t * states + state] + log(t, classOf(state))
      for (const s of before[state]) {
        const at = (t - 1) * states + s
        backward[at] = addLogs(backward[at], to)
      }
    }
  let all = -Infinity
  for (let state = 0; state < states; state++) all = addLogs(all, forward[state] + backward[state])
  if (all === -Infinity) return undefined
  const share = new Float64Array(steps * classes)
  for (let t = 0; t < steps; t++)
    for (let state = 0; state < states; state++)
      share[t * classes + classOf(state)] += Math.exp(forward[t * states + state] + backward[t * states + state] - all)
  return { loss: -all, share }
}

/** From which states one comes to each: itself, the one before it, and past a blank between two classes. */
function predecessors(
  { blank, mergeRepeated }: CtcSequence,
  states: number,
  classOf: (state: number) => number,
): number[][] {
  return Array.from({ length: states }, (_, state) => {
    const c = classOf(state)
    const from: number[] = []
    if (mergeRepeated || c === blank) from.push(state)
    if (state > 0) from.push(state - 1)
    if (state > 1 && c !== blank && !(mergeRepeated && c === classOf(state - 2))) from.push(state - 2)
    return from
  })
}

/** log(eᵃ + eᵇ). */
function addLogs(a: number, b: number): number {
  const [small, large] = a < b ? [a, b] : [b, a]
  return small === -Infinity ? large : large + Math.log1p(Math.exp(small - large))
}

/** Steps of item n: up to the first indicator of 0 after step 0. indicators: (T, N). */
export function stepsOf(indicators: ArrayLike<number>, n: number, steps: number, items: number): number {
  for (let t = 1; t < steps; t++) if (Math.round(indicators[t * items + n]) === 0) return t
  return steps
}

/** Labels of item n up to the first below 0. labels: (L, N). */
export function labelsOf(labels: ArrayLike<number>, n: number, items: number): number[] {
  const found: number[] = []
  for (let i = n; i < labels.length && !(labels[i] < 0); i += items) found.push(Math.round(labels[i]))
  return found
}
