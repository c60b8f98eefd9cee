import type { CommonKernels, Engine, Kernels } from '../engine.js'
import { EngineError } from '../errors.js'

/** What comes later: plain loops, what WebAssembly has of them, and the bounds before each. */
export type Late = typeof import('./late.js')

/** Tables that lack the late kernels, and what makes them whole. */
const open = new WeakMap<object, (late: Late) => void>()

/**
 * A table that gets the late kernels when they are fetched, by `take`. It is given out as the whole one: whoever makes
 * layers of an engine fetches them first.
 */
export function openTable(kernels: CommonKernels, take: (table: CommonKernels, late: Late) => void): Kernels {
  open.set(kernels, late => take(kernels, late))
  return kernels as Kernels
}

/**
 * Have the kernels of these names here, on the engine and on its host; all of them if no names are given. Engines that
 * share a table share what is fetched. An EngineError where an engine of somebody else lacks one of them.
 */
export async function fetchKernels(engine: Engine, names?: readonly (keyof Kernels)[]): Promise<void> {
  const { name, kernels } = engine.isHost ? engine : engine.host
  const missing = names?.find(name => !(name in kernels))
  if (!open.has(kernels)) {
    if (missing === undefined) return
    throw new EngineError(
      `engine ${name} has no kernel '${missing}': an engine that begins with await createEngine('js') has them all`,
    )
  }
  if (names && missing === undefined) return
  const late = await import('./late.js')
  const take = open.get(kernels)
  open.delete(kernels)
  take?.(late)
}
