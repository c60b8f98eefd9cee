import type { RandomStream } from '../../rng.js'

/** `count` of the items, drawn without putting back, in the order in which they stood; all of them if there are no more. */
export function sample(items: readonly number[], count: number, random: RandomStream): number[] {
  if (count >= items.length) return [...items]
  const drawn = [...items]
  for (let i = 0; i < count; i++) {
    const j = i + random.integer(drawn.length - i)
    const kept = drawn[i]
    drawn[i] = drawn[j]
    drawn[j] = kept
  }
  return drawn.slice(0, Math.max(0, count)).sort((a, b) => a - b)
}
