import { keyBytes } from '../../data/lmdb.js'
import { MAX_KEY } from '../../data/lmdb_format.js'

/** '%08d_<file>', as convert-imageset's; of a name that is too long its end. */
export function recordKey(number: number, file: string): Uint8Array {
  const key = keyBytes(`${String(number).padStart(8, '0')}_${file}`)
  if (key.length <= MAX_KEY) return key
  let from = key.length - (MAX_KEY - 9)
  // not within a character of UTF-8
  while ((key[from] & 0xc0) === 0x80) from++
  key.copyWithin(9, from)
  return key.subarray(0, 9 + key.length - from)
}
