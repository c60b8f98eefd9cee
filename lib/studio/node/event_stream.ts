import type { StudioEvent } from '../api/index.js'
import { StudioError } from '../api/index.js'

/** Pages that listen at once. */
export const MOST_LISTENERS = 50
/** Milliseconds for which events are gathered. */
const BATCH = 100
/** Unsent bytes from which a reader is too slow: it is let go, and comes again after the last event that it saw. */
const BACKLOG = 2 ** 20
/** Milliseconds between signs of life. */
const BEAT = 15_000

type Listen = (listener: (event: StudioEvent) => void, options: { signal: AbortSignal; after?: number }) => void

/** Events for pages, as text/event-stream. */
export class EventStreams {
  private readonly open = new Set<() => void>()

  constructor(
    private readonly listen: Listen,
    /** Number of the newest event. */
    private readonly newest: () => number,
  ) {}

  stream(after: number | undefined): ReadableStream<Uint8Array> {
    if (this.open.size >= MOST_LISTENERS)
      throw new StudioError(`${MOST_LISTENERS} pages listen already: close some of them`, 503)
    const ended = new AbortController()
    const text = new TextEncoder()
    let waiting: StudioEvent[] = []
    let batch: ReturnType<typeof setTimeout> | undefined
    let beat: ReturnType<typeof setInterval> | undefined
    let end = () => {}
    return new ReadableStream<Uint8Array>(
      {
        start: controller => {
          end = () => {
            if (ended.signal.aborted) return
            ended.abort()
            clearTimeout(batch)
            clearInterval(beat)
            this.open.delete(end)
            try {
              controller.close()
            } catch {
              // the reader is gone
            }
          }
          this.open.add(end)
          const send = (block: string) => {
            if (ended.signal.aborted) return
            controller.enqueue(text.encode(block))
            if ((controller.desiredSize ?? 0) <= 0) end()
          }
          const flush = () => {
            batch = undefined
            const events = waiting
            waiting = []
            send(events.map(event => `id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`).join(''))
          }
          // a reader knows that it listens before it asks for anything else
          send(`id: ${after ?? this.newest()}\n\n`)
          beat = setInterval(() => send(': \n\n'), BEAT)
          const listener = (event: StudioEvent) => {
            waiting.push(event)
            batch ??= setTimeout(flush, BATCH)
          }
          this.listen(listener, { signal: ended.signal, after })
        },
        cancel: () => end(),
      },
      { highWaterMark: BACKLOG, size: chunk => chunk?.byteLength ?? 0 },
    )
  }

  close(): void {
    for (const end of [...this.open]) end()
  }
}
