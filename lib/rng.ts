/**
 * Counter-based random numbers: Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 * A value is a pure function of (seed, stream, iteration, index), so it does not depend on the number of threads,
 * and resuming needs nothing but those integers.
 */
import { RistrettoError } from './errors.js'
import { mustTake } from './system/arguments.js'

const M0 = 0xd2511f53
const M1 = 0xcd9e8d57
const W0 = 0x9e3779b9
const W1 = 0xbb67ae85

/** High 32 bits of the unsigned product a·b. No sum here exceeds 32 bits, and integers are what a compiler is fast with. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const middle = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) | 0
  const middleLow = ((middle & 0xffff) + Math.imul(aLow, bHigh)) | 0
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (middleLow >>> 16)) | 0
}

/** out[0..3] ← Philox4x32-10 of the counter (c0, c1, c2, c3) under the key (k0, k1): four uint32. */
export function philox(
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  k0: number,
  k1: number,
  out: Uint32Array,
  at = 0,
): void {
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(M0, c0)
    const low0 = Math.imul(M0, c0)
    const high1 = mulHigh(M1, c2)
    const low1 = Math.imul(M1, c2)
    c0 = high1 ^ c1 ^ k0
    c1 = low1
    c2 = high0 ^ c3 ^ k1
    c3 = low0
    k0 = (k0 + W0) | 0
    k1 = (k1 + W1) | 0
  }
  out[at] = c0
  out[at + 1] = c1
  out[at + 2] = c2
  out[at + 3] = c3
}

/** 32-bit FNV-1a of a name, to give each layer or purpose a stream of its own. */
export function streamOf(name: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/**
 * One random stream. Reading advances `index`; setting `iteration` starts the numbers of that iteration from index 0.
 * `seed` is a non-negative integer below 2^53, `stream` a uint32.
 */
export class RandomStream {
  /** Position within the iteration, in uint32 values. */
  index = 0
  private current = 0
  private readonly buffer = new Uint32Array(4)
  private buffered = -1

  /** The stream of that number, or of a name that is hashed to one. A RistrettoError where a seed or stream is none. */
  constructor(
    public seed: number,
    readonly stream: number | string,
  ) {
    mustTake(Number.isSafeInteger(seed) && seed >= 0, 'new RandomStream', 'a seed, a whole number from 0 on', seed)
    const isStream = typeof stream === 'string' || Number.isSafeInteger(stream)
    mustTake(isStream, 'new RandomStream', 'the number or name of a stream behind its seed', stream)
    this.streamId = typeof stream === 'string' ? streamOf(stream) : stream >>> 0
  }
  /** The stream as a number. */
  readonly streamId: number

  /** Number of the forward pass that the numbers are for. */
  get iteration(): number {
    return this.current
  }
  /** Begin the numbers of another forward pass. */
  set iteration(value: number) {
    this.current = value
    this.index = 0
    this.buffered = -1
  }

  /** Counter words shared by every value of the current iteration: kernels that fill whole arrays start from these. */
  get key(): readonly [k0: number, k1: number, c1: number, c2: number, c3: number] {
    return [
      this.seed >>> 0,
      Math.floor(this.seed / 2 ** 32) >>> 0,
      this.streamId,
      this.current >>> 0,
      Math.floor(this.current / 2 ** 32) >>> 0,
    ]
  }

  /** The next uint32. */
  uint32(): number {
    const block = Math.floor(this.index / 4)
    if (block !== this.buffered) {
      const [k0, k1, c1, c2, c3] = this.key
      philox(block >>> 0, c1, c2, c3, k0, k1, this.buffer)
      this.buffered = block
    }
    return this.buffer[this.index++ & 3]
  }

  /** The next `out.length` of them: the same as one by one, and several times as fast. */
  uint32s(out: Uint32Array): void {
    let i = 0
    while (i < out.length && (this.index & 3) !== 0) out[i++] = this.uint32()
    const [k0, k1, c1, c2, c3] = this.key
    const blocks = (out.length - i) >>> 2
    const first = Math.floor(this.index / 4)
    for (let block = 0; block < blocks; block++, i += 4) philox((first + block) >>> 0, c1, c2, c3, k0, k1, out, i)
    this.index += 4 * blocks
    while (i < out.length) out[i++] = this.uint32()
  }

  /** The next number, uniform in [0, 1), with 24 random bits so that it is exact in float32. */
  uniform(): number {
    return (this.uint32() >>> 8) / 0x1000000
  }

  /** The next integer, uniform in 0 … n−1 (n up to 2^32), without bias. */
  integer(n: number): number {
    // anything else would be drawn for ever, or come out broken
    if (!(n >= 1 && n <= 0x100000000 && n % 1 === 0))
      throw new RistrettoError(`random.integer(n) takes a whole number from 1 to 2^32, not ${n}`)
    const limit = 0x100000000 - (0x100000000 % n)
    for (;;) {
      const value = this.uint32()
      if (value < limit) return value % n
    }
  }

  /** The next number from a normal distribution with mean 0 and standard deviation 1 (Box–Muller; uses two values). */
  gaussian(): number {
    const radius = Math.sqrt(-2 * Math.log((this.uint32() + 1) / 0x100000000))
    return radius * Math.cos((2 * Math.PI * this.uint32()) / 0x100000000)
  }

  /** Fisher–Yates shuffle, in place. */
  shuffle<T>(items: T[] | Uint32Array): void {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(i + 1)
      const kept = items[i]
      items[i] = items[j]
      items[j] = kept
    }
  }
}
