/**
 * What stands between a call and a kernel that computes with addresses: every size is a 32-bit count, every memory as
 * long as the sizes say, every window within what kernels can count. Layers of anybody call kernels through it. The
 * bounds of each kernel stand beside the call that they guard, in wasm/bind: the compiler misses one that is forgotten.
 */
import type { Kernels } from '../engine.js'
import { EngineError } from '../errors.js'
import { Memory } from '../memory.js'
import { isSize, MOST_KEPT } from './kernel_limits.js'

/** The kernel whose arguments are looked at. */
let kernel = ''

/** Say which kernel the next refusal names. */
export const checking = (name: string): void => {
  kernel = name
}

/** Throw an EngineError about the arguments that are looked at. */
export const refuse = (why: string): never => {
  throw new EngineError(`kernel ${kernel}: ${why}`)
}

/** The product of sizes, each of which is one. */
export function count(a: number, b = 1, c = 1, d = 1): number {
  if (!(isSize(a) && isSize(b) && isSize(c) && isSize(d)))
    refuse(`sizes ${a}, ${b}, ${c}, ${d} must be whole numbers from 0 to 2147483647`)
  return a * b * c * d
}

/** The memory must hold so many values. */
export function need(memory: Memory | null | undefined, values: number): void {
  if (memory && !(memory.length >= values))
    refuse(
      `its sizes ask for ${values} values of a memory${memory.label ? ` (${memory.label})` : ''} that holds ${memory.length}`,
    )
}

/** What a kernel keeps while it runs must not be more than it can. */
export const within = (values: number, what: string): void => {
  if (values > MOST_KEPT) refuse(`${what} would take ${values} values, kernels keep ${MOST_KEPT} at most`)
}

/** Looks at the arguments of each of these kernels, and refuses what it cannot count. */
export type BoundsOf<Table extends Partial<Kernels>> = {
  [K in keyof Table & keyof Kernels]: (...args: Parameters<Kernels[K]>) => void
}
/** The same for every kernel. */
export type Bounds = BoundsOf<Kernels>

/** (n, …): all memories hold n values. */
export const each = (n: number, ...rest: unknown[]): void => {
  const values = count(n)
  for (const argument of rest) if (argument instanceof Memory) need(argument, values)
}

/** (outer, channels, inner, …): memories hold a value for each place, those named for each channel. */
export const channelwise =
  (...perChannel: number[]) =>
  (outer: number, channels: number, inner: number, ...rest: unknown[]): void => {
    const all = count(outer, channels, inner)
    // a sum in double precision for each part of a row
    if (inner > 1) within(2 * outer * channels * Math.ceil(inner / 16384), 'sums')
    for (let i = 0; i < rest.length; i++) {
      const argument = rest[i]
      if (argument instanceof Memory) need(argument, perChannel.includes(i) ? channels : all)
    }
  }

/** The product of sizes: 1 of none. */
export const product = (sizes: readonly number[]): number => {
  let n = 1
  for (const size of sizes) n *= size
  return n
}

/** No kernel of the contract takes more arguments. A rest array would be garbage in every call. */
type Call = (
  a: unknown,
  b: unknown,
  c: unknown,
  d: unknown,
  e: unknown,
  f: unknown,
  g: unknown,
  h: unknown,
  i: unknown,
  j: unknown,
) => void

function guarded(name: string, check: Call, call: Call): Call {
  return (a, b, c, d, e, f, g, h, i, j) => {
    kernel = name
    check(a, b, c, d, e, f, g, h, i, j)
    call(a, b, c, d, e, f, g, h, i, j)
  }
}

/** The same kernels, each of which looks at its arguments first and throws an EngineError for what it cannot count. */
export function withBounds<Table extends Partial<Kernels>>(kernels: Table, bounds: BoundsOf<Table>): Table {
  const calls = kernels as unknown as Record<string, Call>
  return Object.fromEntries(
    Object.entries(bounds).map(([name, check]) => [name, guarded(name, check as Call, calls[name])]),
  ) as unknown as Table
}
