/** What the tests do in a page: bundled, served beside Studio's workers, and called through `window.tests`. */
import type { Forms, Job, JobEvent, JobSummary, Studio, StudioError } from '../../../lib/studio/api/index.js'
import type { Programs } from '../../../lib/studio/browser/hub_config.js'
import { type LocalStudio, openLocalStudio } from '../../../lib/studio/browser/local_studio.js'
import { type ProjectLock, takeOver, tryLock } from '../../../lib/studio/browser/project_lock.js'

declare const PROGRAMS: Programs

let local: LocalStudio | undefined
let lock: ProjectLock | undefined
let lost = false
const seen: Record<string, JobEvent[]> = {}
let stream = new AbortController()

const studio = (): Studio => {
  if (!local) throw new Error('the studio is not open')
  return local.studio
}

/** Waits for what the stream tells, never for a time. */
async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await done())) await new Promise(resolve => setTimeout(resolve, 20))
}

async function reached(id: string, states: readonly string[]): Promise<Job> {
  for (;;) {
    const job = await studio().job(id)
    if (states.includes(job.state)) return job
    if (job.state === 'failed') throw new Error(`the job failed: ${job.error}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

async function bytesOf(address: Promise<string>): Promise<number[]> {
  return [...new Uint8Array(await (await fetch(await address)).arrayBuffer())]
}

export const tests = {
  /** A case of the contract of stores, over the private files of this origin. */
  contract(name: string): Promise<string> {
    const worker = new Worker('/store.js', { type: 'module' })
    return new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(String(data))
      worker.onerror = event => reject(new Error(event.message))
      worker.postMessage(name)
    }).finally(() => worker.terminate()) as Promise<string>
  },

  async open() {
    lock = await tryLock()
    if (!lock) return 'in use'
    await tests.start()
    return 'open'
  },

  async takeOver() {
    lock = await takeOver()
    await tests.start()
  },

  async start() {
    lost = false
    lock!.lost.then(() => {
      lost = true
      tests.close()
    })
    local = await openLocalStudio(PROGRAMS, '1.2.3')
    stream = new AbortController()
    local.studio.listen(
      event => {
        if (event.kind === 'event') (seen[event.job] ??= []).push(event.event)
      },
      { signal: stream.signal },
    )
  },

  /** As when the tab is closed: every worker ends at once. */
  close() {
    stream.abort()
    local?.close()
    local = undefined
    lock?.release()
  },

  isLost: () => lost,

  async upload(files: { path: string; bytes: number[] }[]) {
    const told: number[] = []
    const blobs = files.map(({ path, bytes }) => ({ path, file: new Blob([new Uint8Array(bytes)]) }))
    const upload = await studio().upload(blobs, { onProgress: bytes => told.push(bytes) })
    return { upload, told }
  },

  async create<K extends keyof Forms>(kind: K, form: Forms[K]): Promise<JobSummary[]> {
    return studio().create(kind, form)
  },

  reached,

  /** The job when it is over, well or badly. */
  async ended(id: string): Promise<Job> {
    for (;;) {
      const job = await studio().job(id)
      if (/^(done|failed|interrupted)$/.test(job.state)) return job
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  },

  /** Resolves when a training has gone so far. */
  trained: (id: string, iter: number) =>
    until(() => (seen[id] ?? []).some(event => event.kind === 'train' && event.iter >= iter)),

  /** A method of Studio whose answer travels as it is. */
  async ask(method: keyof Studio, ...args: unknown[]): Promise<unknown> {
    return (studio()[method] as (...args: unknown[]) => unknown)(...args)
  },

  refusal: (method: keyof Studio, ...args: unknown[]) =>
    tests.ask(method, ...args).then(
      () => undefined,
      ({ message, status, faults }: StudioError) => ({ message, status, faults }),
    ),

  async file(id: string, path: string) {
    return bytesOf(studio().address(id, path))
  },

  async importZip(bytes: number[]): Promise<JobSummary[]> {
    const { upload } = await tests.upload([{ path: 'project.zip', bytes }])
    return studio().importProject(upload)
  },

  /** Something of this site that code from elsewhere might want. */
  plant() {
    localStorage.setItem('secret', 'a token')
  },

  zip: () => bytesOf(studio().project()),
  archive: (id: string) => bytesOf(studio().archive(id)),

  async png(dataset: string, item: number) {
    const bitmap = await createImageBitmap(await studio().picture(dataset, 'val', item))
    return [bitmap.width, bitmap.height]
  },

  async info() {
    return { ...(await studio().info()), isolated: crossOriginIsolated }
  },
}

Object.assign(globalThis, { tests })
