import type { Kernels } from '../../../engine.js'
import type { Memory } from '../../../memory.js'

/** The module's powers go through e^x, which has no room for larger ones. */
export const isSmallPower = (exponent: number): boolean => exponent !== 0 && Math.abs(exponent) <= 127

type Pointers<Args extends unknown[]> = { [I in keyof Args]: Args[I] extends Memory | null ? number : Args[I] }

/** What the module exports for kernels that it has with the contract's own arguments, pointers in place of memories. */
export type DirectExports<Names extends readonly (keyof Kernels)[]> = {
  [K in Names[number]]: (...args: Pointers<Parameters<Kernels[K]>>) => void
}

type Argument = number | boolean | Memory | null | undefined
type Plain = number | boolean | undefined

const pointed = (argument: Argument): Plain =>
  typeof argument === 'object' ? (argument === null ? 0 : argument.pointer) : argument

/** Arguments that are not given are undefined, and WebAssembly leaves them out. A rest array would be garbage. */
function direct(call: (...args: Plain[]) => void) {
  return (
    a: Argument,
    b: Argument,
    c: Argument,
    d: Argument,
    e: Argument,
    f: Argument,
    g: Argument,
    h: Argument,
    i: Argument,
    j: Argument,
  ): void =>
    call(
      pointed(a),
      pointed(b),
      pointed(c),
      pointed(d),
      pointed(e),
      pointed(f),
      pointed(g),
      pointed(h),
      pointed(i),
      pointed(j),
    )
}

/** The kernels of these names, each a call of the export of the same name (0 stands for a memory that is not given). */

export function bindDirect<const Names extends readonly (keyof Kernels)[]>(
  wasm: DirectExports<Names>,
  names: Names,
): Pick<Kernels, Names[number]> {
  const calls = wasm as Record<string, (...args: Plain[]) => void>
  return Object.fromEntries(names.map(name => [name, direct(calls[name])])) as Pick<Kernels, Names[number]>
}
