/** One thing to time: what it is called, and a function that does it once. */
export interface Contestant {
  name: string
  run: () => unknown | Promise<unknown>
}

/** Milliseconds of one run, several runs a sample so that a sample takes at least `least` milliseconds. */
async function sample(run: Contestant['run'], times: number): Promise<number> {
  const started = performance.now()
  for (let i = 0; i < times; i++) {
    const pending = run()
    if (pending instanceof Promise) await pending
  }
  return (performance.now() - started) / times
}

/**
 * Median milliseconds of each contestant. Samples take turns, so that a busy moment of the machine falls on all of them
 * alike.
 * @param rounds samples of each
 * @param least milliseconds a sample should take
 */
export async function race(contestants: readonly Contestant[], rounds = 9, least = 4): Promise<number[]> {
  const times: number[] = []
  for (const { run } of contestants) {
    // compiled code arrives during the first runs
    await sample(run, 3)
    times.push(Math.max(1, Math.ceil(least / (await sample(run, 1)))))
  }
  const samples: number[][] = contestants.map(() => [])
  for (let round = 0; round < rounds; round++) {
    for (const [i, { run }] of contestants.entries()) {
      await sample(run, 1)
      samples[i].push(await sample(run, times[i]))
    }
  }
  return samples.map(values => values.sort((a, b) => a - b)[values.length >> 1])
}
