import type { Blob } from '../blob.js'
import { RistrettoError } from '../errors.js'

/** A layer failed a check. The message and the fields name the layer, the blob and the place in it. */
export class CheckError extends RistrettoError {
  override name = 'CheckError'

  /** Made by the checks. */
  constructor(
    readonly layer: string,
    /** 'bottom[0]', 'blobs[1]', 'top[0]' … */
    readonly blob: string,
    /** Position in the blob, one number an axis. */
    readonly index: readonly number[],
    message: string,
  ) {
    super(message)
  }
}

/** Flat position i in a blob as one number an axis. */
export function indexIn(blob: Blob, i: number): number[] {
  const index: number[] = []
  for (let axis = blob.numAxes - 1; axis >= 0; axis--) {
    const size = blob.dim(axis)
    index.unshift(i % size)
    i = Math.floor(i / size)
  }
  return index
}

/** "[1, 2]", or nothing for a single value. */
export function placeText(index: readonly number[]): string {
  return index.length ? `[${index.join(', ')}]` : ''
}
