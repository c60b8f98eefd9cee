/** Longest that passes keep the event loop from its timers and paints, in ms. */
const YIELD_AFTER = 50

let lastYield = 0

/** Whether the event loop has waited long enough. */
export const mustYield = (): boolean => performance.now() - lastYield > YIELD_AFTER

/** Let timers, input and paint have their turn. */
export function macrotask(): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      lastYield = performance.now()
      resolve()
    }
    if (typeof setImmediate === 'function') setImmediate(done)
    else {
      const channel = new MessageChannel()
      channel.port1.onmessage = () => {
        channel.port1.close()
        done()
      }
      channel.port2.postMessage(0)
    }
  })
}

/** Run what takes long in steps, and let others have their turn between them; resolves to its result. */
export async function inTurns<T>(steps: Generator<void, T>): Promise<T> {
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done) return step.value
    if (mustYield()) await macrotask()
  }
}
