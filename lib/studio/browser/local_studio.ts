import { type Studio, StudioError, type StudioEvent } from '../api/index.js'
import type { DatasetPreview } from '../core/looking.js'
import { Caller } from './calls.js'
import type { HubConfig, Programs } from './hub_config.js'
import { serveFrames } from './sandbox.js'

/** A Studio in this browser. */
export interface LocalStudio {
  readonly studio: Studio
  /** End everything at once: what jobs have written stays, and they go on when the project is opened again. */
  close(): void
}

/** Milliseconds that the address of a file is good for. */
const GOOD = 60_000

/** Methods that are asked as they are; the compiler sees that none is missing. */
const PLAIN: Readonly<
  Record<
    Exclude<
      keyof Studio,
      'listen' | 'upload' | 'picture' | 'meanPicture' | 'previewDataset' | 'address' | 'archive' | 'project' | 'create'
    >,
    true
  >
> = {
  ...{ info: true, jobs: true, job: true, change: true, remove: true, restore: true, stop: true, resume: true },
  ...{ snapshot: true, star: true, clone: true, order: true, pause: true, trust: true, metrics: true, log: true },
  ...{ files: true, text: true, paths: true, items: true, standardNet: true, inspect: true, previewSolver: true },
  ...{ checkLayers: true, testOne: true, evaluated: true, importProject: true, compare: true },
}

/** Start the workers of the project, which this page alone may have: see `tryLock`. */
export async function openLocalStudio(programs: Programs, version: string): Promise<LocalStudio> {
  const worker = new Worker(programs.hub, { type: 'module', name: 'hub' })
  const caller = new Caller(worker)
  const close = (): void => {
    worker.terminate()
    caller.end(new StudioError('the project is closed in this tab', 503))
  }
  worker.addEventListener('error', event => {
    caller.end(new StudioError(`the hub ended: ${event.message || 'its program cannot be loaded'}`, 500))
  })
  const frames = new MessageChannel()
  serveFrames(frames.port1, programs)
  const config: HubConfig = { programs, version, frames: frames.port2 }
  try {
    await caller.call('open', [config], { transfer: [frames.port2] })
  } catch (error) {
    close()
    throw error
  }
  return { studio: studioOf(caller), close }
}

/** The contract over calls. */
export function studioOf(caller: Caller): Studio {
  const ask = (method: string, given: readonly unknown[]): Promise<unknown> => {
    const signal = given.find((arg): arg is AbortSignal => arg instanceof AbortSignal)
    return caller.call(
      method,
      given.filter(arg => !(arg instanceof AbortSignal)),
      { signal },
    )
  }
  const plain = Object.fromEntries(
    Object.keys(PLAIN).map(method => [method, (...given: readonly unknown[]) => ask(method, given)]),
  ) as unknown as Pick<Studio, keyof typeof PLAIN>
  const image = async (method: string, given: readonly unknown[]) => png((await ask(method, given)) as Uint8Array)
  const address = async (method: string, given: readonly unknown[]): Promise<string> => {
    const ticket = await ask(method, given)
    const url = URL.createObjectURL((await caller.call('file', [ticket])) as Blob)
    setTimeout(() => URL.revokeObjectURL(url), GOOD)
    return url
  }
  return {
    ...plain,
    async create(kind, form) {
      keep()
      return (await ask('create', [kind, form])) as Awaited<ReturnType<Studio['create']>>
    },
    picture: (...given) => image('picture', given),
    meanPicture: (...given) => image('meanPicture', given),
    address: (...given) => address('address', given),
    archive: (...given) => address('archive', given),
    project: (...given) => address('project', given),
    async previewDataset(form) {
      const { examples, ...rest } = (await ask('previewDataset', [form])) as DatasetPreview
      const shown = examples.map(({ name, before, after }) => ({ name, before: png(before), after: png(after) }))
      return { ...rest, examples: shown }
    },
    listen(listener, { signal, after }) {
      const told = (event: StudioEvent) => listener(event)
      caller.call('listen', [after], { signal, told }).catch(error => {
        if (!signal.aborted && !(error instanceof StudioError)) throw error
      })
    },
    async upload(files, { onProgress, signal } = {}) {
      keep()
      const told = ([bytes, total]: [number, number]) => onProgress?.(bytes, total)
      return (await caller.call('upload', [files], { signal, told })) as string
    },
  }
}

const png = (bytes: Uint8Array): Blob => new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'image/png' })

let asked = false

/** Ask the browser not to clear what is here when it runs out of room; it may ask the person, and may refuse. */
function keep(): void {
  if (asked) return
  asked = true
  navigator.storage?.persist?.().catch(() => {})
}
