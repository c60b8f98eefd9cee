/** SHA-256 (FIPS 180-4) in plain JavaScript, for places that have no `crypto.subtle`: frames without an origin. */

/** The first 32 bits behind the point of a root of a prime. */
const fraction = (prime: number, root: number): number => {
  const value = prime ** (1 / root)
  return ((value - Math.floor(value)) * 2 ** 32) | 0
}

const primes: number[] = []
for (let n = 2; primes.length < 64; n++) if (primes.every(prime => n % prime)) primes.push(n)
const START = primes.slice(0, 8).map(prime => fraction(prime, 2))
const K = primes.map(prime => fraction(prime, 3))

const turn = (x: number, by: number): number => (x >>> by) | (x << (32 - by))

export function sha256Of(bytes: Uint8Array): Uint8Array {
  // the message, a bit, zeros, and its length in bits
  const blocks = Math.ceil((bytes.length + 9) / 64)
  const padded = new Uint8Array(64 * blocks)
  padded.set(bytes)
  padded[bytes.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 2 ** 29))
  view.setUint32(padded.length - 4, bytes.length << 3)
  const hash = Int32Array.from(START)
  const w = new Int32Array(64)
  for (let at = 0; at < padded.length; at += 64) {
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + 4 * i)
    for (let i = 16; i < 64; i++) {
      const [x, y] = [w[i - 15], w[i - 2]]
      w[i] = w[i - 16] + w[i - 7] + (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10))
    }
    let [a, b, c, d, e, f, g, h] = hash
    for (let i = 0; i < 64; i++) {
      const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0
      ;[h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0]
    }
    for (const [i, value] of [a, b, c, d, e, f, g, h].entries()) hash[i] += value
  }
  const digest = new Uint8Array(32)
  const out = new DataView(digest.buffer)
  for (const [i, value] of hash.entries()) out.setInt32(4 * i, value)
  return digest
}
