import type { StudioEvent } from '../api/index.js'

type Body = StudioEvent extends infer E ? (E extends StudioEvent ? Omit<E, 'id'> : never) : never

/** Events that a page may have missed and can be told again. */
const KEPT = 5000

/** One stream of all that happens, for every page. Numbers go on where a Studio before this one cannot have been. */
export class EventStream {
  private readonly listeners = new Set<(event: StudioEvent) => void>()
  private readonly kept: StudioEvent[] = []
  private id = Date.now() * 1000
  private readonly first = this.id

  /** Number of the newest event. */
  get newest(): number {
    return this.id
  }

  emit(body: Body): void {
    const event = { id: ++this.id, ...body } as StudioEvent
    this.kept.push(event)
    if (this.kept.length > 2 * KEPT) this.kept.splice(0, KEPT)
    for (const listener of [...this.listeners]) listener(event)
  }

  /** From now on, or from the event after `after` on: what happened since is told first, at once. */
  listen(listener: (event: StudioEvent) => void, { signal, after }: { signal: AbortSignal; after?: number }): void {
    if (signal.aborted) return
    if (after !== undefined && after !== this.id) {
      const known = after >= this.first && after <= this.id && after >= (this.kept[0]?.id ?? this.id) - 1
      if (known) for (const event of this.kept.filter(({ id }) => id > after)) listener(event)
      else listener({ id: this.id, kind: 'reset' })
    }
    this.listeners.add(listener)
    signal.addEventListener('abort', () => this.listeners.delete(listener), { once: true })
  }
}
