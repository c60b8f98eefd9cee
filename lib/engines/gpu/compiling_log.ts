import type { DeviceCaller } from '../../engine.js'

/** Least time between two lines about kernels that are compiled, in ms. */
const EVERY = 1000

/**
 * Tells nets' logs that kernels are compiled, which may take seconds before the first values come: at the first one of a
 * row, then once a second.
 */
export class CompilingLog {
  private count = 0
  private last = Number.NEGATIVE_INFINITY

  /** Another one, for a layer of a net. */
  tell(engine: string, caller: DeviceCaller | undefined): void {
    this.count++
    const now = performance.now()
    if (!caller || now - this.last < EVERY) return
    this.last = now
    caller.context.log(
      `${engine}: compiling kernels for layer '${caller.name}' (${caller.type}), ${this.count} so far; each is compiled once for its sizes`,
    )
  }
}
