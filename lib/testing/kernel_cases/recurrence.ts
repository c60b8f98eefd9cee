import type { Memory } from '../../memory.js'
import { dims, type KernelCase, type KernelCases, type Kit, onHosts } from './kit.js'

/** steps × streams × hidden. */
const sequences = (
  '1×1×1 1×3×40 4×1×5 5×2×67 7×3×5 5×3×130 3×4×16 6×17×33 3×130×20 9×16×64 3×32×256 ' +
  '1×1×3 4×2×37 5×3×5 3×17×67 6×16×128 2×130×20 6×1×5 7×2×67 9×1×50'
).split(' ')
const everywhere = '1×3×5 2×3×5 5×3×5'.split(' ')

/** 0 where a stream starts afresh, on a device in every other place, on a host in every fourth. */
const continues = (kit: Kit, n: number, below: number) => {
  const cont = kit.integers(n, below)
  for (let i = 0; i < n; i++) cont.array[i] = Math.min(1, cont.array[i])
  return cont
}

/** A state before, of which nothing may be seen where cont is 0: there it is not finite. */
const hiddenState = (kit: Kit, n: number, hidden: number, cont: Memory) => {
  const h0 = kit.random(n)
  for (let i = 0; i < n; i++)
    if (cont.array[Math.floor(i / hidden)] === 0 && i % 3 === 0) h0.array[i] = i % 2 ? Number.NaN : Infinity
  return h0
}

interface Sequence {
  readonly steps: number
  readonly batch: number
  readonly hidden: number
  /** Values of a state, and of one state a step. */
  readonly n: number
  readonly all: number
  readonly cont: (kit: Kit) => Memory
  readonly state: (kit: Kit, cont: Memory) => Memory
}
function sequence(size: string, odd: boolean): Sequence {
  const [steps, batch, hidden] = dims(size)
  const n = batch * hidden
  return {
    ...{ steps, batch, hidden, n, all: steps * n },
    cont: kit => continues(kit, steps * batch, odd ? 4 : 2),
    state: (kit, cont) => (odd ? hiddenState(kit, n, hidden, cont) : kit.random(n)),
  }
}
const cases = (make: (s: Sequence) => KernelCase['run']): KernelCase[] => [
  ...everywhere.map(size => ({ name: size, run: make(sequence(size, false)) })),
  ...onHosts(
    'not finite',
    sequences.map(size => ({ name: `${size}, states that do not count`, run: make(sequence(size, true)) })),
  ),
]
const weights = (kit: Kit, gates: number, hidden: number) => kit.random(gates * hidden * hidden, 1 / Math.sqrt(hidden))

/** One step: streams × hidden. */
const units = '1×1 3×7 32×256'.split(' ')
const unit = (kit: Kit, size: string, odd: boolean) => {
  const [batch, hidden] = dims(size)
  const n = batch * hidden
  const [before, gates, cont] = [kit.random(n), kit.random(4 * n, 4), kit.integers(batch, 2)]
  if (odd && cont.array[0] === 0) before.array[0] = Number.NaN
  return { batch, hidden, n, before, gates, cont }
}
const lstmUnit = (size: string, odd: boolean): KernelCase => ({
  name: size,
  run(k, kit) {
    const { batch, hidden, n, before, gates, cont } = unit(kit, size, odd)
    k.lstmUnit(batch, hidden, before, gates, cont, kit.out(n), kit.out(n))
  },
})
const lstmUnitGradient = (size: string, odd: boolean, inPlace = false): KernelCase => ({
  name: inPlace ? `${size}, dc in place` : size,
  run(k, kit) {
    const { batch, hidden, n, before, gates, cont } = unit(kit, size, odd)
    const [c, dc, dh] = [kit.random(n), kit.random(n), kit.random(n)]
    const dbefore = kit.out(inPlace ? dc : n)
    k.lstmUnitGradient(batch, hidden, before, gates, cont, c, dc, dh, dbefore, kit.out(4 * n))
  },
})

/** Recurrent layers, a step and whole sequences. */
export const recurrence: KernelCases = {
  lstmUnit: [
    lstmUnit('3×5', false),
    ...onHosts(
      'not finite',
      units.map(size => lstmUnit(size, true)),
    ),
  ],
  lstmUnitGradient: [
    lstmUnitGradient('3×5', false),
    ...onHosts(
      'not finite',
      units.flatMap(size => [lstmUnitGradient(size, true), lstmUnitGradient(size, true, true)]),
    ),
  ],
  lstm: cases(({ steps, batch, hidden, n, all, cont: begin, state }) => (k, kit) => {
    const cont = begin(kit)
    const [wh, h0, gates] = [weights(kit, 4, hidden), state(kit, cont), kit.random(4 * all, 2)]
    const c = kit.random(all + n)
    c.array.set(state(kit, cont).array)
    k.lstm(steps, batch, hidden, cont, wh, h0, gates, kit.out(all), kit.out(c), kit.out(all))
  }),
  lstmGradient: cases(({ steps, batch, hidden, n, all, cont: begin, state }) => (k, kit) => {
    const [cont, wh] = [begin(kit), weights(kit, 4, hidden)]
    const [gates, c, dh, dc] = [kit.random(4 * all, 2), kit.random(all + n), kit.random(all), kit.random(n)]
    k.lstm(steps, batch, hidden, cont, wh, state(kit, cont), gates, kit.random(all), c, kit.random(all))
    k.lstmGradient(steps, batch, hidden, cont, wh, gates, c, dh, kit.out(dc), kit.out(4 * all))
  }),
  rnn: cases(({ steps, batch, hidden, all, cont: begin, state }) => (k, kit) => {
    const cont = begin(kit)
    const [wh, h0, gates] = [weights(kit, 1, hidden), state(kit, cont), kit.out(kit.random(all))]
    k.rnn(steps, batch, hidden, cont, wh, h0, gates, kit.out(all), kit.out(all))
  }),
  rnnGradient: cases(({ steps, batch, hidden, all, cont: begin }) => (k, kit) => {
    const [cont, wh, h, dh] = [begin(kit), weights(kit, 1, hidden), kit.random(all), kit.random(all)]
    k.rnnGradient(steps, batch, hidden, cont, wh, h, dh, kit.out(all))
  }),
}
