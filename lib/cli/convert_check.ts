import { RistrettoError } from '../errors.js'
import type { Net } from '../net.js'
import { RandomStream } from '../rng.js'
import { type Output, print, warn } from './output.js'

/** Of rounding, as a share of the largest value. */
const ALLOWED = 1e-3

/** Values for every input, from −1 to 1. */
export function drawnInputs(net: Net): Record<string, Float32Array> {
  const draw = new RandomStream(1, 'convert')
  const values: Record<string, Float32Array> = Object.create(null)
  for (const name of net.inputs)
    values[name] = Float32Array.from({ length: net.blobs[name].count }, () => 2 * draw.uniform() - 1)
  return values
}

/** The largest difference as a share of the largest value. */
export function difference(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [off, largest] = [0, 0]
  for (let i = 0; i < expected.length; i++) {
    const here = Object.is(got[i], expected[i]) ? 0 : Math.abs(got[i] - expected[i])
    // NaN on one side alone is as far as can be
    off = Math.max(off, Number.isNaN(here) ? Infinity : here)
    if (Number.isFinite(expected[i])) largest = Math.max(largest, Math.abs(expected[i]))
  }
  return off === 0 ? 0 : off / largest
}

/**
 * Say how far what was written is from what it was made of, when it is read again; a RistrettoError where it computes
 * something else. `compare` gives the share of `difference`, or why there is none.
 */
export async function checkWritten(
  file: string,
  other: string,
  output: Output,
  compare: () => Promise<number | string>,
): Promise<void> {
  const share = await compare().catch(error => {
    if (error instanceof RistrettoError) return error.message.split('\n')[0]
    throw error
  })
  if (typeof share === 'string') warn(output, `${file} is not compared with ${other}: ${share}`)
  else if (share <= ALLOWED)
    print(output, `Read again, it differs by ${share.toExponential(1)} of the largest value at most`)
  else throw new RistrettoError(`${file}: read again, it differs by ${share.toExponential(1)} of the largest value`)
}
