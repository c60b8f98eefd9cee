import type { Worker } from 'node:worker_threads'
import { EngineError, FormatError, NetError, RistrettoError } from '../../errors.js'
import { importNode, resolvePackage } from '../../system/nodejs.js'
import type { DueCandidate, FileBytes } from './candidates.js'
import { inForm, type Picture, type PictureForm, type Tools } from './decode.js'
import type { DecodeBatch, DecodeData, DecodedBatch } from './decode_worker.js'
import { type PictureMakers, unreadable } from './makers.js'

/** Pictures that a thread gets at a time, and bytes of files from which it gets fewer. */
const BATCH = 32
const BATCH_BYTES = 2 ** 22
/** Batches that a thread has before it. */
const AHEAD = 2

type Result = Picture | Error

/** One thread, and what it still owes. */
interface Thread {
  readonly worker: Worker
  readonly owed: Map<number, { done(pictures: DecodedBatch['pictures']): void; fail(error: Error): void }>
  /** Why it is no more. */
  death?: Error
}

/** Decodes on worker threads, in batches, and hands the pictures out in order. */
export class WorkerThreads implements PictureMakers {
  private batches = 0

  private constructor(
    private readonly form: PictureForm,
    private readonly tools: Tools,
    private readonly threads: readonly Thread[],
  ) {}

  static async start(form: PictureForm, tools: Tools, count: number): Promise<WorkerThreads> {
    const { Worker } = await importNode('node:worker_threads')
    const { source } = await import('../../generated/decode_worker.js')
    const workerData: DecodeData = {
      form,
      pixelsUrl: resolvePackage('ndarray-pixels'),
      sharpUrl: resolvePackage('sharp'),
    }
    const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`)
    const threads = Array.from({ length: count }, () => threadOf(new Worker(url, { workerData })))
    return new WorkerThreads(form, tools, threads)
  }

  async run(candidates: readonly DueCandidate[], done: (i: number, picture: Result) => Promise<void>): Promise<void> {
    const pending: Promise<Result[]>[] = []
    let next = 0
    let i = 0
    const most = this.threads.length * AHEAD
    while (i < candidates.length) {
      while (next < candidates.length && pending.length < most) {
        const batch = await this.batchFrom(candidates, next)
        next += batch.length
        const pictures = this.make(batch)
        // whoever fails is heard when its turn comes
        pictures.catch(() => {})
        pending.push(pictures)
      }
      for (const picture of await pending.shift()!) await done(i++, picture)
    }
  }

  close(): void {
    for (const { worker } of this.threads) worker.terminate()
  }

  /** Files to decode, and results where there is nothing to decode. */
  private async batchFrom(
    candidates: readonly DueCandidate[],
    from: number,
  ): Promise<(string | FileBytes | Promise<Result>)[]> {
    const batch: (string | FileBytes | Promise<Result>)[] = []
    const end = Math.min(candidates.length, from + (this.form.size ? BATCH : BATCH / 4))
    let bytes = 0
    for (let i = from; i < end && bytes < BATCH_BYTES; i++) {
      const { source } = candidates[i]
      if (source.kind === 'path') batch.push(source.path)
      else if (source.kind === 'planes') batch.push(inForm(source.image, this.form, this.tools).catch(unreadable))
      else if (source.kind === 'made') batch.push(Promise.resolve({ image: source.read() }))
      else
        try {
          const file = await source.read()
          bytes += file.bytes.length
          batch.push(file)
        } catch (error) {
          batch.push(Promise.resolve(unreadable(error)))
        }
    }
    return batch
  }

  private async make(batch: readonly (string | FileBytes | Promise<Result>)[]): Promise<Result[]> {
    const files = batch.filter((item): item is string | FileBytes => !(item instanceof Promise))
    const decoded = files.length ? [...(await this.send(files))] : []
    decoded.reverse()
    return Promise.all(batch.map(item => (item instanceof Promise ? item : resultOf(decoded.pop()!))))
  }

  /** To the thread that has least to do. */
  private send(files: DecodeBatch['files']): Promise<DecodedBatch['pictures']> {
    const { worker, owed, death } = this.threads.reduce((least, thread) =>
      thread.owed.size < least.owed.size ? thread : least,
    )
    return new Promise((done, fail) => {
      if (death) throw death
      const id = this.batches++
      owed.set(id, { done, fail })
      worker.postMessage({ id, files } satisfies DecodeBatch)
    })
  }
}

function threadOf(worker: Worker): Thread {
  const owed: Thread['owed'] = new Map()
  const thread: Thread = { worker, owed }
  const died = (why: string) => {
    thread.death ??= new EngineError(`a thread that decodes pictures died: ${why}`)
    for (const { fail } of owed.values()) fail(thread.death)
    owed.clear()
  }
  worker.on('message', ({ id, pictures }: DecodedBatch) => {
    owed.get(id)?.done(pictures)
    owed.delete(id)
  })
  worker.on('error', (error: Error) => died(error.message))
  worker.on('exit', code => died(`it ended with code ${code}`))
  return thread
}

const ERRORS: Record<string, new (message: string) => Error> = { EngineError, FormatError, NetError, RistrettoError }

function resultOf(picture: DecodedBatch['pictures'][number]): Result {
  if ('image' in picture) return picture
  return unreadable(new (ERRORS[picture.name] ?? Error)(picture.message))
}
