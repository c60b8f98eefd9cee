import { EngineError, FormatError, RistrettoError, systemError } from '../errors.js'
import { importNode } from '../system/nodejs.js'
import { mustBeFile } from '../system/read_file.js'
import { checkLevelDb, type LevelCheck } from './leveldb_check.js'
import type { RecordCursor } from './records.js'

/** The part of npm classic-level that is used here. */
interface LevelModule {
  ClassicLevel: new (location: string, options: object) => Level
}
interface Level {
  open(options: object): Promise<void>
  close(): Promise<void>
  iterator(options: object): LevelIterator
}
interface LevelIterator {
  nextv(size: number): Promise<[key: Uint8Array, value: Uint8Array][]>
  seek(key: Uint8Array): void
}

/** Records and bytes that are fetched at a time. */
const CHUNK = 256
const CHUNK_BYTES = 4 << 20

const PACKAGE = 'classic-level'
const NOTHING = new Uint8Array(0)

/** Databases on their way to be closed: LevelDB locks a directory, and lets go of it only then. */
const closing = new Map<string, Promise<void>>()

/**
 * The records of a LevelDB database, through the optional package classic-level. Records arrive in chunks, hence
 * `wait`.
 */
export async function openLevelRecords(
  path: string,
  load: () => Promise<LevelModule> = () =>
    import(/* webpackIgnore: true */ /* @vite-ignore */ PACKAGE) as Promise<LevelModule>,
): Promise<RecordCursor> {
  await refuseLmdb(path)
  let module: LevelModule
  try {
    module = await load()
  } catch (error) {
    throw new EngineError(
      `the LevelDB database '${path}' needs the package classic-level: npm install classic-level; or convert it to LMDB and write \`backend: LMDB\` (left out, the backend is LEVELDB)`,
      { cause: error },
    )
  }
  await mustHoldFiles(path)
  await closing.get(path)
  const check = await checkLevelDb(path)
  const db = new module.ClassicLevel(path, { keyEncoding: 'view', valueEncoding: 'view' })
  try {
    await db.open({ createIfMissing: false })
  } catch (error) {
    const { message, cause } = error as Error
    throw new RistrettoError(
      `cannot open the LevelDB database '${path}': ${cause instanceof Error ? cause.message : message}`,
      {
        cause: error,
      },
    )
  }
  return new LevelCursor(db, path, check)
}

/** The usual mistake: `backend` left out for an LMDB. Opening it would also leave LevelDB's own files in its folder. */
async function refuseLmdb(path: string): Promise<void> {
  const { access } = await importNode('node:fs/promises')
  const isLmdb = await access(`${path}/data.mdb`).then(
    () => true,
    () => false,
  )
  if (isLmdb) throw new FormatError(`'${path}' is an LMDB: write \`backend: LMDB\` (left out, the backend is LEVELDB)`)
}

/** LevelDB opens whatever bears the names of its files: one that never ends would hold its thread for ever. */
async function mustHoldFiles(path: string): Promise<void> {
  const { readdir, stat } = await importNode('node:fs/promises')
  const failed = (error: unknown): never => {
    throw systemError(`cannot open the LevelDB database '${path}'`, error)
  }
  for (const name of await readdir(path).catch(failed)) {
    const file = `${path}/${name}`
    const found = await stat(file).catch(failed)
    if (!found.isDirectory()) mustBeFile(file, found)
  }
}

class LevelCursor implements RecordCursor {
  readonly count = undefined
  private readonly iterator: LevelIterator
  private rows: [key: Uint8Array, value: Uint8Array][] = []
  /** Of `rows`; all from here on are still to come. */
  private at = 0
  private ended = false
  private holdsAny = false
  /** Records still to be passed over. */
  private toSkip = 0

  constructor(
    private readonly db: Level,
    private readonly path: string,
    private readonly check: LevelCheck,
  ) {
    this.iterator = db.iterator({ highWaterMarkBytes: CHUNK_BYTES })
  }

  get key(): Uint8Array {
    return this.rows[this.at][0]
  }
  get value(): Uint8Array {
    return this.rows[this.at][1]
  }

  /** Resolves when this record is here and it is known whether another follows. */
  wait(): Promise<void> | undefined {
    return this.isReady ? undefined : this.fetch()
  }

  first(): boolean {
    this.rows = []
    this.at = 0
    this.ended = false
    this.toSkip = 0
    this.iterator.seek(NOTHING)
    return true
  }

  next(): boolean {
    if (this.ended && this.at + 1 >= this.rows.length) return false
    this.at++
    return true
  }

  /** Passing the end goes on from the first record. */
  skip(n: number): boolean {
    this.toSkip += n
    return true
  }

  close(): void {
    const done = this.db.close().then(() => {
      if (closing.get(this.path) === done) closing.delete(this.path)
    })
    closing.set(this.path, done)
  }

  private async fetch(): Promise<void> {
    for (;;) {
      const passed = Math.min(this.toSkip, this.rows.length - this.at)
      this.at += passed
      this.toSkip -= passed
      if (this.isReady) return
      if (this.ended) {
        // the end came before the record that was asked for
        const left = this.toSkip
        if (!this.holdsAny) throw new FormatError(`the LevelDB database '${this.path}' holds no records`)
        this.first()
        this.toSkip = left
      }
      const more = await this.iterator.nextv(CHUNK).catch((error: Error) => {
        throw new FormatError(`the LevelDB database '${this.path}' cannot be read: ${error.message}`, { cause: error })
      })
      if (more.length) await this.check.upTo(more[more.length - 1][0])
      this.rows = this.rows.slice(this.at).concat(more)
      this.at = 0
      this.ended = more.length === 0
      this.holdsAny ||= more.length > 0
    }
  }

  private get isReady(): boolean {
    return this.toSkip === 0 && this.at < this.rows.length && (this.ended || this.at + 1 < this.rows.length)
  }
}
