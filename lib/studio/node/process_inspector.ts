import { type ChildProcess, fork } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type JobId, StudioError, type TestOneRequest } from '../api/index.js'
import { DOWNLOADS } from '../core/desk.js'
import { JOBS } from '../core/job_files.js'
import type { Inspector } from '../core/looking.js'
import type { Store } from '../core/store.js'
import { fromThrown } from '../core/thrown.js'
import { environment, permissions } from './confinement.js'
import type { Answer } from './inspector_messages.js'

export interface InspectorOptions {
  readonly root: string
  readonly store: Store
  readonly program: URL
  /** Folders outside the project that may be read. */
  readonly data: readonly string[]
  readonly confined: boolean
  /** Milliseconds after which a request is given up, and the process with it; default two minutes. */
  readonly limit?: number
}

interface Pending {
  readonly settle: (answer: Answer) => void
  readonly fail: (error: Error) => void
  readonly timer: ReturnType<typeof setTimeout>
}

/** A process that answers calls; it is started when somebody asks, and again when it has ended. */
class Answering {
  private child: ChildProcess | undefined
  private readonly pending = new Map<number, Pending>()
  private next = 0

  constructor(
    private readonly options: InspectorOptions,
    private readonly write: readonly string[],
    /** Whether it may load native libraries. */
    private readonly addons = false,
  ) {}

  call(method: string, args: readonly unknown[], signal?: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const child = this.running()
      const id = ++this.next
      const { limit = 120_000 } = this.options
      const timer = setTimeout(() => {
        this.end(`it took longer than ${limit / 1000} s`)
      }, limit)
      timer.unref()
      this.pending.set(id, {
        settle: answer => ('error' in answer ? reject(fromThrown(answer.error)) : resolve(answer.result)),
        fail: reject,
        timer,
      })
      // what is being computed goes on; nobody waits for it
      signal?.addEventListener('abort', () => this.forget(id)?.fail(signal.reason as Error), { once: true })
      child.send({ id, method, args }, error => {
        if (error) this.forget(id)?.fail(new StudioError(`the inspector cannot be asked: ${error.message}`, 503))
      })
    })
  }

  end(reason: string): void {
    const { child } = this
    this.child = undefined
    child?.kill('SIGKILL')
    for (const id of [...this.pending.keys()])
      this.forget(id)?.fail(new StudioError(`this could not be looked at: ${reason}`, 503))
  }

  private forget(id: number): Pending | undefined {
    const pending = this.pending.get(id)
    this.pending.delete(id)
    clearTimeout(pending?.timer)
    return pending
  }

  private running(): ChildProcess {
    if (this.child) return this.child
    const { root, program, data, confined } = this.options
    for (const folder of this.write) mkdirSync(folder, { recursive: true })
    const child = fork(fileURLToPath(program), [root], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
      env: environment(),
      execArgv: confined ? permissions({ read: [root, ...data], write: this.write, addons: this.addons }) : [],
    })
    this.child = child
    child.on('message', (answer: Answer) => this.forget(answer.id)?.settle(answer))
    const ended = (reason: string) => {
      if (this.child === child) this.end(reason)
    }
    child.once('error', error => ended(error.message))
    child.once('exit', (code, signal) => ended(`its process ended with ${signal ?? `code ${code}`}`))
    return child
  }
}

/** What writes zips and unpacks them: another process than the one that runs custom layers, which writes nothing. */
const PACKING = new Set(['archive', 'project', 'unpackProject'])
/** What reads pictures of all kinds, with a native library: another one, too, for such code is outside of what Node watches over. */
const SHOWING = new Set(['items', 'picture', 'meanPicture', 'previewDataset', 'evaluated', 'decoded'])

/** Looking, in processes that may be ended at any time. */
export function processInspector(options: InspectorOptions): { inspector: Inspector; close: () => void } {
  const { store } = options
  const looking = new Answering(options, [])
  const packing = new Answering(options, [store.location(DOWNLOADS)!, store.location(JOBS)!])
  const showing = new Answering(options, [], true)
  const one = async (model: JobId, request: TestOneRequest, signal?: AbortSignal) => {
    const { picture } = request
    const asked = options.confined && !('pixels' in picture)
    const plain = asked && (await showing.call('decoded', [picture], signal))
    return looking.call('testOne', [model, plain ? { ...request, picture: plain } : request], signal)
  }
  const inspector = new Proxy({} as Inspector, {
    get: (_, method: string) => {
      return (...given: unknown[]) => {
        const signal = given.find((arg): arg is AbortSignal => arg instanceof AbortSignal)
        const args = given.filter(arg => !(arg instanceof AbortSignal))
        if (method === 'testOne') return one(args[0] as JobId, args[1] as TestOneRequest, signal)
        const asked = PACKING.has(method) ? packing : SHOWING.has(method) ? showing : looking
        return asked.call(method, args, signal)
      }
    },
  })
  const close = () => {
    showing.end('the server ends')
    looking.end('the server ends')
    packing.end('the server ends')
  }
  return { inspector, close }
}
