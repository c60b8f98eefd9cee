/** Those who look now: members of a group may live in one thread. */
const watches = new Set<RandomWatch>()
let original: typeof Math.random

/** Math.random meanwhile. */
const watched = () => {
  // its caller: 'Noise.forward (file:///…/layers.js:12:20)'
  const place = new Error().stack?.split('\n')[2]?.trim().replace(/^at /, '') ?? 'an unknown place'
  for (const watch of watches) watch.called(place)
  return original()
}

/** Tells once where Math.random is called while its tasks run. */
export class RandomWatch {
  private told = false

  /** @param tell is told the place of the first call */
  constructor(private readonly tell: (place: string) => void) {}

  /** Run this, and look who draws. */
  async during<T>(task: () => Promise<T>): Promise<T> {
    if (this.told) return task()
    if (watches.size === 0) original = Math.random
    watches.add(this)
    // where a program has frozen Math, nothing is seen
    Reflect.set(Math, 'random', watched)
    try {
      return await task()
    } finally {
      watches.delete(this)
      if (watches.size === 0 && Math.random === watched) Reflect.set(Math, 'random', original)
    }
  }

  called(place: string): void {
    if (this.told) return
    this.told = true
    this.tell(place)
  }
}
