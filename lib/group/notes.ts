/** What members that are threads and their supervisor say to each other, beside messages of the program. */
import type { Exchange } from './exchange.js'

/** What a member is told when it starts. */
export interface MemberStart {
  readonly ristrettoGroup: { readonly exchange: Exchange; readonly rank: number; readonly data: unknown }
}

export type Note =
  /** To members: end training after an iteration that all agree on; save then. */
  | { readonly ristrettoNote: 'stop' | 'snapshot' }
  /** Of a member in a browser: it waits for its start; it is done. */
  | { readonly ristrettoNote: 'join' | 'closed' }
  | { readonly ristrettoNote: 'abort'; readonly reason: string }

export const isNote = (message: unknown): message is Note =>
  typeof message === 'object' && message !== null && 'ristrettoNote' in message
