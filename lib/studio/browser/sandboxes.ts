import type { JobId } from '../api/index.js'
import { folderOf, isOwnFile } from '../core/job_files.js'
import type { Store } from '../core/store.js'
import { type Caller, channelOf } from './calls.js'
import type { ForeignCode } from './foreign_code.js'
import type { FromJob, ToJob } from './job_program.js'
import { shareStore } from './remote_store.js'
import type { Looker } from './worker_inspector.js'
import type { JobWorker } from './worker_runner.js'

export interface SandboxOptions {
  /** Where a page answers that can make frames. */
  readonly frames: Caller
  readonly store: Store
  readonly file: (path: string) => Promise<Blob>
  readonly foreign: ForeignCode
}

/** Code from elsewhere, shut in: the hub's side. It sees the jobs that it needs, and writes into its own at most. */
export class Sandboxes {
  private next = 0
  constructor(private readonly options: SandboxOptions) {}

  async job(id: JobId): Promise<JobWorker> {
    const family = new Set((await this.options.foreign.family(id)).map(job => job.id))
    const frame = await this.open('job', family, id)
    const { port } = frame
    return {
      postMessage: message => port.postMessage(message satisfies ToJob),
      listen({ message, error }) {
        channelOf(port).addEventListener('message', ({ data }) => message(data as FromJob))
        frame.onBroken(error)
      },
      terminate: frame.terminate,
    }
  }

  /** May be asked about these jobs. */
  async looker(jobs: readonly JobId[]): Promise<Looker> {
    const families = await Promise.all(jobs.map(id => this.options.foreign.family(id)))
    const frame = await this.open('inspector', new Set(families.flat().map(({ id }) => id)))
    return { channel: channelOf(frame.port), onBroken: frame.onBroken, terminate: frame.terminate }
  }

  private async open(role: Role, readable: ReadonlySet<JobId>, own?: JobId) {
    const { frames, store, file } = this.options
    const id = ++this.next
    const [files, talk] = [new MessageChannel(), new MessageChannel()]
    const within = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`)
    const release = shareStore(channelOf(files.port1), {
      store,
      file,
      // what may run is asked before it runs; it names nothing but hashes
      mayRead: path => path === 'trust.json' || [...readable].some(job => within(path, folderOf(job))),
      // what says which code it is, and whose, it may not change
      mayWrite: path => own !== undefined && isOwnFile(own, path),
    })
    const broken: ((reason: string) => void)[] = []
    const terminate = (): void => {
      release()
      files.port1.close()
      talk.port1.close()
      frames.call('remove', [id]).catch(() => {})
    }
    const ports = [files.port2, talk.port2]
    const told = (reason: never): void => {
      for (const listener of broken) listener(reason)
    }
    // answered when the frame breaks or is removed
    frames.call('open', [id, role, ...ports], { transfer: ports, told }).catch(error => told(error.message as never))
    return {
      port: talk.port1,
      onBroken: (listener: (reason: string) => void) => void broken.push(listener),
      terminate,
    }
  }
}

/** What a shut in worker does. */
export type Role = 'job' | 'inspector'
