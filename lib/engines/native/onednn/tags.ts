/**
 * Numbers of layouts. Versions of the library number those in blocks differently, so they are found by what they do to
 * values.
 */
import type { Handle, Library, Tags } from './library.js'

/** The library's choice. */
export const ANY = 1
/** Values one after the other, by the number of axes: the same in all versions up to four axes. */
export const plainTag = (axes: number, isV3: boolean): number => (axes < 5 ? axes + 1 : isV3 ? 6 : 7)

/** What processors compute with at once, the widest first. */
const BLOCKS = [16, 8] as const
/** Layouts have lower numbers. */
const MOST = 1200
/** Where versions that were looked at have them: these are tried first. */
const LIKELY: Record<number, readonly number[]> = { 16: [69, 78], 8: [93, 102] }

/** Looks once for the widest layout in blocks that is accepted; `library.tags` are those that are looked at. */
export function findTags(library: Library, accepts: () => boolean): Tags {
  if (library.tags) return library.tags
  for (const block of BLOCKS) {
    const tag = findTag(library, block)
    if (tag === undefined) continue
    library.tags = { block, tag }
    if (accepts()) return library.tags
  }
  library.tags = { block: 0, tag: 0 }
  return library.tags
}

/** The number of the layout N, C in blocks, H, W of that block; undefined if the library has none. */
function findTag(library: Library, block: number): number | undefined {
  // two blocks of channels, the second of one value, and no other axis that a block would fit
  const sizes = [2, block + 1, 3, 5]
  const plain = library.describe(sizes, plainTag(4, library.isV3))
  try {
    for (const tag of [...(LIKELY[block] ?? []), ...Array.from({ length: MOST }, (_, i) => i + 2)]) {
      let description: Handle
      try {
        description = library.describe(sizes, tag)
      } catch {
        continue
      }
      const isIt =
        library.bytesOf(description) === 4 * 2 * 2 * block * 15 && isBlocked(library, plain, description, block)
      library.forget(description)
      if (isIt) return tag
    }
  } finally {
    library.forget(plain)
  }
  return undefined
}

/** Whether values that are moved to this layout lie where they should. */
function isBlocked(library: Library, plain: Handle, blocked: Handle, block: number): boolean {
  const [N, C, H, W] = [2, block + 1, 3, 5]
  const from = Float32Array.from({ length: Math.max(1024, N * C * H * W) }, (_, i) => i + 1)
  const to = new Float32Array(Math.max(1024, N * 2 * block * H * W))
  move(library, plain, library.address(from.buffer), blocked, library.address(to.buffer))
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++)
      for (let i = 0; i < H * W; i++) {
        const at = ((n * 2 + Math.floor(c / block)) * H * W + i) * block + (c % block)
        if (to[at] !== from[(n * C + c) * H * W + i]) return false
      }
  return true
}

function move(library: Library, from: Handle, fromAddress: number, to: Handle, toAddress: number): void {
  const pd = library.made(
    'dnnl_reorder_primitive_desc_create',
    'uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t',
    from,
    library.engine,
    to,
    library.engine,
    0,
  )
  const primitive = library.made('dnnl_primitive_create', 'uintptr_t', pd)
  const memories = [library.memory(from, fromAddress), library.memory(to, toAddress)]
  const args = new BigUint64Array(new ArrayBuffer(4096))
  args.set([1n, BigInt(memories[0]), 17n, BigInt(memories[1])])
  library.execute(primitive, 2, library.address(args.buffer))
  for (const memory of memories) library.destroy('memory', memory)
  library.destroy('primitive', primitive)
  library.destroy('primitive_desc', pd)
}
