import { type ByteSource, fileSource } from '../../data/byte_source.js'
import type { PlanarImage } from '../../data/image.js'
import { compareKeys } from '../../data/lmdb_format.js'
import { type RecordPlace, unfinishedRecords } from '../../data/lmdb_unfinished.js'
import { EngineError } from '../../errors.js'
import { readDatum } from '../../proto/datum.js'
import { importNode } from '../../system/nodejs.js'
import { type Candidate, type DueCandidate, type SetName, setNames } from './candidates.js'
import { begunBy } from './plan.js'
import { recordKey } from './record_key.js'

/** Pictures that an earlier run of the same plan had stored when it was ended. */
export class EarlierRun {
  private readonly next: Record<SetName, number> = { train: 0, val: 0, test: 0 }

  private constructor(
    private readonly begun: number,
    private readonly changed: (path: string) => number,
    private readonly sets: Partial<Record<SetName, { source: ByteSource; records: RecordPlace[] }>>,
  ) {}

  /** Of several runs the one that got farthest. */
  static async open(folders: readonly string[], plan: string): Promise<EarlierRun | undefined> {
    let best: EarlierRun | undefined
    for (const folder of folders) {
      const begun = await begunBy(folder, plan)
      const run = begun === undefined ? undefined : await EarlierRun.of(folder, begun)
      if (!run) continue
      const isBetter = run.pictures > (best?.pictures ?? 0)
      const other = isBetter ? best : run
      if (isBetter) best = run
      other?.close()
    }
    return best
  }

  private static async of(folder: string, begun: number): Promise<EarlierRun> {
    const { statSync } = await importNode('node:fs')
    const { readdir } = await importNode('node:fs/promises')
    const { join } = await importNode('node:path')
    const sets: EarlierRun['sets'] = {}
    for (const name of setNames) {
      const path = join(folder, `${name}_db`)
      const [file] = (await readdir(path).catch(() => [])).filter(entry => entry.startsWith('data.mdb'))
      const source = file === undefined ? undefined : await fileSource(join(path, file)).catch(() => undefined)
      if (source) sets[name] = { source, records: unfinishedRecords(source) }
    }
    return new EarlierRun(begun, path => statSync(path, { throwIfNoEntry: false })?.ctimeMs ?? begun, sets)
  }

  /** How many there are. */
  get pictures(): number {
    return setNames.reduce((sum, name) => sum + (this.sets[name]?.records.length ?? 0), 0)
  }

  /**
   * The candidate with its picture, where the earlier run had it and its file has not changed since; the candidate as it
   * is, where not. To be asked in the order of the run.
   */
  take(set: SetName, candidate: Candidate): DueCandidate {
    const there = this.sets[set]
    const number = this.next[set]
    const place = there?.records[number]
    // what that run could not read is not there, and is tried again
    if (!there || !place || compareKeys(place.key, recordKey(number, candidate.file)) !== 0) return candidate
    this.next[set]++
    const { source } = candidate
    if (source.kind === 'path' && this.changed(source.path) >= this.begun) return candidate
    return { ...candidate, source: { kind: 'made', read: () => pictureAt(there.source, place) } }
  }

  close(): void {
    for (const set of Object.values(this.sets)) set.source.close()
  }
}

function pictureAt(source: ByteSource, { position, length }: RecordPlace): PlanarImage {
  try {
    const { channels, height, width, data } = readDatum(source.read(position, length))
    if (data.length === channels * height * width) return { channels, height, width, data: data.slice() }
  } catch {}
  throw new EngineError(`'${source.name}', which an earlier run left, is damaged: remove it and begin anew`)
}
