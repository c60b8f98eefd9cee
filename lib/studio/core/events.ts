import type { JobEvent } from '../api/index.js'
import { isEvent } from './checks.js'
import type { JobEventBody } from './job_context.js'
import type { Appender, Store } from './store.js'

const NEWLINE = 10
/** Bytes that are read at once, whatever a job has written. */
const AT_ONCE = 2 ** 24

/** The events of whole lines, and how many bytes these take. Half a line at the end is not there yet. */
export function parseEvents(bytes: Uint8Array): { events: JobEvent[]; used: number } {
  const used = bytes.lastIndexOf(NEWLINE) + 1
  const events: JobEvent[] = []
  for (const line of new TextDecoder().decode(bytes.subarray(0, used)).split('\n')) {
    if (line === '') continue
    try {
      const event: unknown = JSON.parse(line)
      // code of a person's own can write here, too
      if (isEvent(event)) events.push(event)
    } catch {
      // what a power cut left in the middle of the file
    }
  }
  return { events, used }
}

/** Reads a growing file of events. */
export class EventTail {
  /** @param read bytes that are known already */
  constructor(
    private readonly store: Store,
    private readonly path: string,
    private read = 0,
  ) {}

  /** Bytes that were given out so far. */
  get position(): number {
    return this.read
  }

  /** What has come since the last time. */
  async next(): Promise<JobEvent[]> {
    const all: JobEvent[] = []
    for (;;) {
      const size = await this.store.size(this.path)
      if (size === undefined || size <= this.read) return all
      const bytes = await this.store.read(this.path, this.read, AT_ONCE)
      if (!bytes) return all
      const { events, used } = parseEvents(bytes)
      for (const event of events) all.push(event)
      // so long a line is no event: it is left out
      this.read += used || (bytes.length >= AT_ONCE ? bytes.length : 0)
      if (bytes.length < AT_ONCE) return all
    }
  }
}

/** Writes events one after the other, numbered without a gap over all attempts. */
export class EventWriter {
  private constructor(
    private readonly appender: Appender,
    private seq: number,
    /** What earlier attempts wrote. */
    readonly earlier: readonly JobEvent[],
    private readonly now: () => number,
  ) {}

  /** Goes on after the last whole line: half a line is cut off. */
  static async open(store: Store, path: string, now: () => number = Date.now): Promise<EventWriter> {
    const bytes = (await store.read(path)) ?? new Uint8Array(0)
    const { events, used } = parseEvents(bytes)
    if (used < bytes.length) await store.write(path, bytes.subarray(0, used))
    return new EventWriter(await store.appender(path), events.at(-1)?.seq ?? 0, events, now)
  }

  emit(event: JobEventBody): void {
    const numbered = { seq: ++this.seq, t: this.now(), ...event }
    this.appender.append(`${JSON.stringify(numbered)}\n`)
  }

  close(): void {
    this.appender.close()
  }
}
