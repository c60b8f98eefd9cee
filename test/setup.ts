/** Before every test file. */
import { expect } from 'vitest'

/**
 * Arrays of the same type and the same bytes are equal, said at once: value by value, vitest takes a second for a
 * million of them. Whatever differs in a bit is left to vitest, which knows NaN, −0 and how to show a difference.
 */
expect.addEqualityTesters([
  (a, b) =>
    ArrayBuffer.isView(a) && ArrayBuffer.isView(b) && a.constructor === b.constructor && sameBytes(a, b)
      ? true
      : undefined,
])

const bytesOf = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength)

const sameBytes = (a: ArrayBufferView, b: ArrayBufferView): boolean => Buffer.compare(bytesOf(a), bytesOf(b)) === 0
