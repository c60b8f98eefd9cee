import type { Engine, Kernels } from '../engine.js'
import { EngineError } from '../errors.js'

const tables = new WeakMap<Partial<Kernels>, Kernels>()

/** The engine's kernels for whoever knows that those he calls are there; a kernel that a device has not got throws. */
export function kernelsOf(engine: Engine): Kernels {
  if (engine.isHost) return engine.kernels
  let table = tables.get(engine.kernels)
  if (table === undefined) {
    table = completeKernels(engine.name, engine.kernels)
    tables.set(engine.kernels, table)
  }
  return table
}

/** The same kernels, and for each one that is missing a function that throws an EngineError. */
export function completeKernels(name: string, kernels: Partial<Kernels>): Kernels {
  return new Proxy(kernels, {
    get: (table, kernel) =>
      Reflect.get(table, kernel) ??
      (() => {
        throw new EngineError(
          `engine ${name} has no kernel '${String(kernel)}'; a layer that names it in its static uses runs on the host`,
        )
      }),
  }) as Kernels
}
