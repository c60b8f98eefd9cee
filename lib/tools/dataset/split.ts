import { RistrettoError } from '../../errors.js'
import { RandomStream } from '../../rng.js'
import { type Candidate, type SetName, setNames } from './candidates.js'

/** Parts of the whole that go to val and to test. */
export interface SplitOptions {
  readonly val: number
  readonly test: number
  readonly seed: number
}

export function checkParts({ val, test }: SplitOptions): void {
  for (const [name, part] of Object.entries({ val, test }))
    if (!(part >= 0 && part < 1))
      throw new RistrettoError(`makeDataset: ${name} is ${part}; it is the part of the pictures, from 0 up to below 1`)
  if (val + test >= 1)
    throw new RistrettoError(
      `makeDataset: val ${val} and test ${test} leave nothing to train on; together they are below 1`,
    )
}

/**
 * Indices of the candidates in each set, in random order. Each class gives the same part of its pictures to val and to
 * test, as far as they can be divided, and keeps one at least to train on; the sets have as many as the parts of the
 * whole say. A set that the source has itself stays as it is. The same candidates and seed give the same sets.
 */
export function splitCandidates(candidates: readonly Candidate[], options: SplitOptions): Record<SetName, number[]> {
  const sets: Record<SetName, number[]> = { train: [], val: [], test: [] }
  const classes = new Map<number, number[]>()
  candidates.forEach(({ set = 'train', label }, i) => {
    if (set !== 'train') sets[set].push(i)
    else if (classes.has(label)) classes.get(label)!.push(i)
    else classes.set(label, [i])
  })
  const random = new RandomStream(options.seed, 'split dataset')
  const labels = [...classes.keys()].sort((a, b) => a - b)
  const sizes = labels.map(label => classes.get(label)!.length)
  const has = { val: sets.val.length > 0, test: sets.test.length > 0 }
  const test = shares(
    sizes,
    has.test ? 0 : options.test,
    sizes.map(size => size - 1),
  )
  const room = sizes.map((size, i) => size - test[i] - 1)
  const val = shares(sizes, has.val ? 0 : options.val, room)
  labels.forEach((label, i) => {
    const members = classes.get(label)!
    random.iteration = label
    random.shuffle(members)
    sets.test.push(...members.slice(0, test[i]))
    sets.val.push(...members.slice(test[i], test[i] + val[i]))
    sets.train.push(...members.slice(test[i] + val[i]))
  })
  const order = new RandomStream(options.seed, 'order dataset')
  setNames.forEach((name, i) => {
    order.iteration = i
    order.shuffle(sets[name])
  })
  return sets
}

/** part · sizes[i] of each class in whole numbers, those with the largest remainders one more, so that the sum is right. */
function shares(sizes: readonly number[], part: number, room: readonly number[]): number[] {
  const wanted = Math.round(part * sizes.reduce((a, b) => a + b, 0))
  const taken = sizes.map((size, i) => Math.min(Math.floor(part * size), room[i]))
  let missing = wanted - taken.reduce((a, b) => a + b, 0)
  const byRemainder = sizes.map((size, i) => ({ i, rest: part * size - Math.floor(part * size) }))
  byRemainder.sort((a, b) => b.rest - a.rest || a.i - b.i)
  for (const { i, rest } of byRemainder)
    if (missing > 0 && rest > 0 && taken[i] < room[i]) {
      taken[i]++
      missing--
    }
  return taken
}
