/** What a key has room for, beside the 32 bits of a score. */
const KEY_ROOM = 2 ** 21

/** Scores are counted by the upper half of their bits. */
const BINS = 2 ** 16

const score = new Float32Array(1)
const scoreBits = new Uint32Array(score.buffer)

/** A whole number below 2³² that grows as a score falls. */
function falling(value: number): number {
  // + 0 makes one zero of the two
  score[0] = value + 0
  const bits = scoreBits[0]
  return bits & 0x80000000 ? bits : 0x7fffffff - bits
}

/** Put items[0 … count) in the order of falling scores[item·step + first]; equal ones stay as they are. */
export function sortByScore(items: Int32Array, count: number, scores: Float32Array, first = 0, step = 1): void {
  const given = items.slice(0, count)
  if (count > KEY_ROOM) {
    items.set(given.sort((a, b) => scores[b * step + first] - scores[a * step + first]))
    return
  }
  // a list of plain numbers is sorted without a call for every pair
  const keys = new Float64Array(count)
  for (let i = 0; i < count; i++) keys[i] = falling(scores[given[i] * step + first]) * KEY_ROOM + i
  keys.sort()
  for (let i = 0; i < count; i++) items[i] = given[keys[i] % KEY_ROOM]
}

/**
 * Numbered scores that come out best first, equal ones by rising number, a part at a time: what nobody asks for is
 * counted, and never sorted.
 */
export class Ranking {
  private readonly numbers: Int32Array
  private readonly keys: Uint32Array
  private readonly counts = new Uint32Array(BINS)
  private count = 0
  /** The first bin that has not come out. */
  private bin = 0

  /** @param size scores at most; numbers are below it */
  constructor(readonly size: number) {
    this.numbers = new Int32Array(size)
    this.keys = new Uint32Array(size)
  }

  clear(): void {
    this.counts.fill(0)
    this.count = this.bin = 0
  }

  add(number: number, value: number): void {
    const key = falling(value)
    const i = this.count++
    this.numbers[i] = number
    this.keys[i] = key
    this.counts[key >>> 16]++
  }

  /** The numbers of the next best scores, `wanted` or a few more; none when all have come out. */
  next(wanted: number): Int32Array {
    const { counts, keys, numbers, bin: first } = this
    let found = 0
    while (this.bin < BINS && found < wanted) found += counts[this.bin++]
    const part = new Int32Array(found)
    for (let i = 0, n = 0; n < found; i++) {
      const bin = keys[i] >>> 16
      if (bin >= first && bin < this.bin) part[n++] = i
    }
    if (this.size > KEY_ROOM)
      return part.sort((a, b) => keys[a] - keys[b] || numbers[a] - numbers[b]).map(i => numbers[i])
    const sorted = Float64Array.from(part, i => keys[i] * KEY_ROOM + numbers[i]).sort()
    for (let n = 0; n < found; n++) part[n] = sorted[n] % KEY_ROOM
    return part
  }
}
