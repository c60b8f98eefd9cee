/** Far more than 64 threads need on a busy core, in ms. */
export const START_LIMIT = 30_000

/**
 * Calls `late` unless the function that is returned is called within `limit` ms: a thread that does not start is an
 * error then, where it would be a wait without end. The time is counted in ten parts, so that a process which was
 * stopped meanwhile does not blame its threads.
 */
export function startLimit(late: (why: string) => void, limit = START_LIMIT): () => void {
  let parts = 10
  const timer = setInterval(() => {
    if (--parts > 0) return
    clearInterval(timer)
    late(`it did not start within ${limit / 1000} s`)
  }, limit / parts)
  return () => clearInterval(timer)
}
