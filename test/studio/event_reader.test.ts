/** The stream of events is asked for again when it breaks, and who listens is told why nobody answers. */
import { expect, test, vi } from 'vitest'
import type { StudioEvent } from '../../lib/studio/api/index.js'
import { followEvents } from '../../lib/studio/event_reader.js'

test('a stream that breaks goes on after the last event; a server that is gone is told, and that it is back', async () => {
  vi.useFakeTimers()
  const ended = new AbortController()
  try {
    const event: StudioEvent = { kind: 'removed', id: 7, job: '20261129-0131-toy1' }
    const gone = new Error('the server does not answer')
    const answers = [() => new Response(`id: 6\n\ndata: ${JSON.stringify(event)}\n\n`), () => Promise.reject(gone)]
    const asked: string[] = []
    const told: unknown[] = []
    const seen: StudioEvent[] = []
    followEvents(
      async path => {
        asked.push(path)
        return (answers.shift() ?? (() => new Response(new ReadableStream())))()
      },
      event => seen.push(event),
      { signal: ended.signal, onLink: error => told.push(error) },
    )
    await vi.advanceTimersByTimeAsync(100)
    expect([seen, told]).toEqual([[event], [undefined]])
    await vi.advanceTimersByTimeAsync(600)
    expect(told).toEqual([undefined, gone])
    await vi.advanceTimersByTimeAsync(5000)
    expect(told).toEqual([undefined, gone, undefined])
    expect(asked).toEqual(['/api/events', '/api/events?after=7', '/api/events?after=7'])
  } finally {
    ended.abort()
    vi.useRealTimers()
  }
})
