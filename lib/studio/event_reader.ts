import type { ListenOptions, StudioEvent } from './api/index.js'
import type { Ask } from './asking.js'

/** Milliseconds before a stream that broke is opened again, growing while the server does not answer. */
const AGAIN = 500
const LATEST = 10_000

/**
 * The server's stream of events, read by fetch so that the token travels in a header. A stream that breaks is opened again
 * after the last event that was seen.
 */
export function followEvents(
  ask: Ask,
  listener: (event: StudioEvent) => void,
  { signal, after, onLink }: ListenOptions,
): void {
  let last = after
  let wait = AGAIN
  const read = async (): Promise<void> => {
    const response = await ask(last === undefined ? '/api/events' : `/api/events?after=${last}`, {
      method: 'GET',
      signal,
    }).catch(error => {
      if (!signal.aborted) onLink?.(error)
      throw error
    })
    onLink?.(undefined)
    const decoder = new TextDecoder()
    let rest = ''
    for await (const piece of pieces(response.body!)) {
      wait = AGAIN
      rest += decoder.decode(piece, { stream: true })
      const blocks = rest.split('\n\n')
      rest = blocks.pop()!
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1]
        if (data === undefined) {
          // the first block says where the stream begins
          last ??= Number(/^id: (\d+)$/m.exec(block)?.[1] ?? Number.NaN) || undefined
          continue
        }
        const event = JSON.parse(data) as StudioEvent
        last = event.id
        listener(event)
      }
    }
  }
  const follow = async (): Promise<void> => {
    while (!signal.aborted) {
      await read().catch(() => {})
      if (signal.aborted) return
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, wait)
        signal.addEventListener(
          'abort',
          () => {
            clearTimeout(timer)
            resolve()
          },
          { once: true },
        )
      })
      wait = Math.min(LATEST, 2 * wait)
    }
  }
  follow()
}

/** Not every browser iterates over a stream. */
async function* pieces(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}
