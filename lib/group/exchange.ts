/** The one memory in which worker threads of a group meet: its words and slots. */

const PAGE = 65536
/** Values of a slot, at most: longer sums travel in pieces, so that the memory does not grow with the net. */
const SLOT = 2 ** 21

/** Words in which members and their supervisor leave notes. */
export const WORD = {
  /** Members that have come to this meeting. */
  arrivals: 0,
  /** Meetings that are over: what members wait on. */
  meetings: 1,
  /** 1 + the rank of a member that has failed. */
  failed: 2,
  /** From here on: meetings that each member has come to; −1 once it has closed. */
  members: 16,
} as const

/** What is handed to every member. */
export interface Exchange {
  readonly memory: WebAssembly.Memory
  readonly size: number
  /** Values of a slot. */
  readonly slot: number
}

/** An exchange for `size` members: address space, whose pages are taken when they are used. */
export function createExchange(size: number): Exchange {
  const slot = Math.min(SLOT, Math.floor((2 ** 31 - 2 * PAGE) / 8 / size / 16) * 16)
  const pages = 2 + Math.ceil((2 * size * slot * 4) / PAGE)
  return { memory: new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }), size, slot }
}

/** The notes: the first page is the kernels' own. */
export const wordsOf = ({ memory, size }: Exchange): Int32Array =>
  new Int32Array(memory.buffer, PAGE, WORD.members + size)

/** Byte offset of the first of the slots of one of two sets: who writes for the next meeting disturbs no reader of the last. */
export const slotsAt = ({ size, slot }: Exchange, set: number): number => 2 * PAGE + set * size * slot * 4
