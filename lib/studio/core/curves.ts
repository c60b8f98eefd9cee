import type { JobId } from '../api/index.js'
import { EventTail } from './events.js'
import { pathsOf } from './job_files.js'
import { SeriesOf } from './series.js'
import type { Store } from './store.js'

/** Models whose curves are in memory. */
const KEPT = 16

interface Known {
  readonly series: SeriesOf
  readonly tail: EventTail
  reading: Promise<void>
}

/** Curves of models, read when somebody looks and kept while somebody does. */
export class Curves {
  private readonly known = new Map<JobId, Known>()

  constructor(private readonly store: Store) {}

  /** The curves as far as the events are written. */
  async of(id: JobId): Promise<SeriesOf> {
    const known = this.known.get(id) ?? {
      series: new SeriesOf(),
      tail: new EventTail(this.store, pathsOf(id).events),
      reading: Promise.resolve(),
    }
    // the one that was looked at last is forgotten last
    this.known.delete(id)
    this.known.set(id, known)
    for (const oldest of this.known.keys()) {
      if (this.known.size <= KEPT) break
      this.known.delete(oldest)
    }
    // what could not be read once may be readable now
    known.reading = known.reading
      .catch(() => {})
      .then(async () => {
        for (const event of await known.tail.next()) known.series.add(event)
      })
    await known.reading
    return known.series
  }

  forget(id: JobId): void {
    this.known.delete(id)
  }
}
