import type { After, AfterKind, Kernels } from '../../engine.js'
import type { Memory } from '../../memory.js'

/** What a case makes its memories from, so that every engine gets the same values on its own heap. */
export interface Kit {
  /** n values, uniform in ±scale; the scale is 1 unless given. */
  random(n: number, scale?: number): Memory
  /** n values, uniform in 0.1 … 1.1. */
  positive(n: number): Memory
  /** n whole numbers 0 … below − 1. */
  integers(n: number, below: number): Memory
  /** These values. */
  values(...values: number[]): Memory
  /** n values to be written, or a memory that is also written: what is compared afterwards. */
  out(memory: number | Memory): Memory
}

/**
 * Why a case is for host engines alone: it takes long on a device that is a program; it takes long even on them, and
 * meets what can only be met in that size; it has values that are not finite
 * (or too large, or too small), which shaders may treat as they like; its output is one of its inputs, which a device
 * may refuse; it leaves out an argument that a device needs; or it writes to places that its input names, which a device
 * cannot.
 */
export type HostOnly = 'large' | 'huge' | 'not finite' | 'in place' | 'without an argument' | 'scatters'

/** One call of a kernel, with what it needs. */
export interface KernelCase {
  /** Sizes and what is special: no two cases of a kernel have the same. */
  readonly name: string
  /** Makes the memories and calls the kernel, and others where those make its inputs. */
  readonly run: (kernels: Kernels, kit: Kit) => void
  readonly hostOnly?: HostOnly
  /** For engines that say in their `fuses` that the kernel takes this as its `after`. */
  readonly after?: AfterKind
  /** Allowed difference as a share of the largest value, where an engine may sum in another way. */
  readonly tolerance?: number
}

/** Cases by kernel. */
export type KernelCases = { readonly [K in keyof Kernels]?: readonly KernelCase[] }

/** The cases, on host engines only. */
export function onHosts(why: HostOnly, cases: readonly KernelCase[]): KernelCase[] {
  return cases.map(c => ({ ...c, hostOnly: why }))
}

/** A case for each thing that may follow in the same kernel. */
export function withAfter(make: (after: After) => readonly KernelCase[]): KernelCase[] {
  // a clip leaves one end open, so that the largest value stays what errors are measured by
  const afters: [string, After][] = [
    ['relu', { relu: 0.1 }],
    ['clip from below', { clip: [-0.2, 1e6] }],
    ['clip from above', { clip: [-1e6, 0.3] }],
    ['hard swish', { hardSwish: [0.8, 0.4] }],
  ]
  return afters.flatMap(([what, after]) =>
    make(after).map(c => ({ ...c, name: `${c.name}, then ${what}`, after: Object.keys(after)[0] as AfterKind })),
  )
}

/** '2×3×4' as [2, 3, 4]. */
export const dims = (text: string): number[] => text.split('×').map(Number)

/** The product of sizes: 1 of none. */
export const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1)
