import type { JobId } from '../api/index.js'

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** An id that is not taken: the minute, by the clock on the wall, and four letters. */
export function newId(taken: (id: JobId) => boolean, now = new Date()): JobId {
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`
  const time = `${two(now.getHours())}${two(now.getMinutes())}`
  for (;;) {
    const letters = [...crypto.getRandomValues(new Uint8Array(4))].map(byte => LETTERS[byte % LETTERS.length])
    const id = `${day}-${time}-${letters.join('')}`
    if (!taken(id)) return id
  }
}
