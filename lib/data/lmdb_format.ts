/**
 * LMDB's file format, data version 1, as 64-bit little-endian machines write it.
 *
 * A file is a row of pages. Pages 0 and 1 are meta pages; the one with the higher transaction number counts.
 *   page    u64 number · u16 pad · u16 flags · u16 lower, u16 upper (or u32 pages of an overflow run) · content
 * meta    u32 magic · u32 version · u64 address · u64 map size · free-list database · main database · u64 last page ·
 * u64 transaction
 * database  u32 pad (page size, in the first) · u16 flags · u16 depth · u64 branch, leaf, overflow pages · u64 entries
 * · u64 root
 *   branch and leaf pages hold u16 offsets of nodes from byte 16 up to `lower`, and the nodes from `upper` to the end
 *   node    u16 low, u16 high · u16 flags · u16 key size · key · data
 *           in a leaf low and high are the data's size; in a branch low, high and flags are the child's page number
 */
export const MAGIC = 0xbeefc0de
export const DATA_VERSION = 1

export const PAGE_HEADER = 16
export const NODE_HEADER = 8
export const META_SIZE = PAGE_HEADER + 136

export const PAGE = { branch: 0x01, leaf: 0x02, overflow: 0x04, meta: 0x08, leaf2: 0x20, sub: 0x40 } as const
export const NODE = { big: 0x01, sub: 0x02, dup: 0x04 } as const

/** Root of an empty tree: all bits set. */
export const NO_PAGE = 2n ** 64n - 1n
/** LMDB's own limits. */
export const MAX_DEPTH = 32
export const MAX_KEY = 511

/** Byte offsets within a meta page. */
export const META = {
  magic: 16,
  version: 20,
  mapSize: 32,
  freeDb: 40,
  mainDb: 88,
  lastPage: 136,
  transaction: 144,
} as const

/** Byte offsets within a database record. */
export const DB = {
  pad: 0,
  flags: 4,
  depth: 6,
  branchPages: 8,
  leafPages: 16,
  overflowPages: 24,
  entries: 32,
  root: 40,
} as const

/** Pages of an overflow run that holds `size` bytes. */
export const overflowPages = (size: number, pageSize: number): number => Math.ceil((PAGE_HEADER + size) / pageSize)

/** The largest node (header, key, data) that stays in a leaf: two must fit on a page, each with its offset. */
export const largestNode = (pageSize: number): number => (((pageSize - PAGE_HEADER) / 2) & -2) - 2

/** memcmp order, a prefix before what it starts. */
export function compareKeys(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length)
  for (let i = 0; i < n; i++) if (a[i] !== b[i]) return a[i] - b[i]
  return a.length - b.length
}
