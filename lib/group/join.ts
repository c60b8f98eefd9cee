import { RistrettoError } from '../errors.js'
import { alone, type Communicator } from '../group.js'
import { aFunction, anything, checkOptions, type OptionRules } from '../system/check_options.js'
import { importNode, isNode } from '../system/nodejs.js'
import { launcherOf } from './launcher.js'
import { isNote, type MemberStart, type Note } from './notes.js'
import type { GroupOptions } from './patience.js'

/** How a thread that `startWorkers` started speaks with it. */
export interface MemberPort {
  post(message: unknown): void
  /** Called with every message of the supervisor's, until the returned function is. */
  listen(listener: (message: unknown) => void): () => void
  readonly isMember: boolean
  /** The start, where this thread is a member. */
  start(): Promise<MemberStart['ristrettoGroup'] | undefined>
}

let joined: Promise<Communicator> | undefined

const RULES: OptionRules<GroupOptions> = { timeout: anything, log: aFunction }

/**
 * The group that this program is a member of: of MPI, where a launcher (mpirun, srun) has started it; of the threads of
 * `startWorkers`; else a group of one. The same however often it is called; the options of the first call count. Throws a
 * RistrettoError that says what is missing where MPI cannot be called.
 */
export function joinGroup(options: GroupOptions = {}): Promise<Communicator> {
  checkOptions('joinGroup', options, RULES)
  joined ??= join(options).catch(error => {
    joined = undefined
    throw error
  })
  return joined
}

async function join(options: GroupOptions): Promise<Communicator> {
  const { timeout } = options
  if (timeout !== undefined && !(typeof timeout === 'number' && timeout > 0))
    throw new RistrettoError(`the option timeout is ${String(timeout)}; it must be a number of seconds above 0`)
  const port = await memberPort()
  const start = await port?.start()
  if (port && start) {
    const { ThreadGroup, exchangeSum } = await import('./threads.js')
    const say = (note: Note) => port.post(note)
    return new ThreadGroup(start.exchange, start.rank, await exchangeSum(start.exchange), options, say)
  }
  if (isNode && launcherOf(process.env)) {
    const { joinMpi } = await import('./mpi.js')
    return joinMpi(options)
  }
  return alone
}

/** The way to the supervisor; undefined where this is no worker. */
export async function memberPort(): Promise<MemberPort | undefined> {
  return isNode ? nodePort() : browserPort()
}

/** Whether this is a thread that `startWorkers` has started. */
export async function isMember(): Promise<boolean> {
  const port = await memberPort()
  return port?.isMember ?? false
}

async function nodePort(): Promise<MemberPort | undefined> {
  const { parentPort, workerData, isMainThread } = await importNode('node:worker_threads')
  if (isMainThread || !parentPort) return undefined
  const port = parentPort
  const start = (workerData as MemberStart | null)?.ristrettoGroup
  return {
    isMember: start !== undefined,
    post: message => port.postMessage(message),
    listen(listener) {
      port.on('message', listener)
      // whoever listens does not keep the thread alive
      port.unref()
      return () => port.off('message', listener)
    },
    start: async () => start,
  }
}

/** The part of a worker's global scope that is used. */
interface WorkerScope {
  readonly name: string
  postMessage(message: unknown): void
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void
  addEventListener(type: 'unhandledrejection', listener: (event: PromiseRejectionEvent) => void): void
  removeEventListener(type: 'message', listener: (event: MessageEvent) => void): void
}

async function browserPort(): Promise<MemberPort | undefined> {
  const scope = globalThis as unknown as WorkerScope
  if (typeof document !== 'undefined' || !/^ristretto-\d+$/.test(scope.name ?? '')) return undefined
  const listen = (listener: (message: unknown) => void) => {
    const heard = (event: MessageEvent) => listener(event.data)
    scope.addEventListener('message', heard)
    return () => scope.removeEventListener('message', heard)
  }
  return {
    isMember: true,
    post: message => scope.postMessage(message),
    listen,
    start: () =>
      new Promise(resolve => {
        const end = listen(message => {
          const start = (message as MemberStart | null)?.ristrettoGroup
          if (!start) return
          end()
          resolve(start)
        })
        // a page hears of errors, and of no promise that was rejected
        scope.addEventListener('unhandledrejection', ({ reason }) => {
          const why = reason instanceof Error ? reason.message : String(reason)
          scope.postMessage({ ristrettoNote: 'abort', reason: why } satisfies Note)
        })
        scope.postMessage({ ristrettoNote: 'join' } satisfies Note)
      }),
  }
}

/** What the supervisor asks of a member's training: to stop, or to save. */
export async function supervisorWishes(on: { stop(): void; snapshot(): void }): Promise<() => void> {
  const port = await memberPort()
  const end = port?.listen(message => {
    if (!isNote(message)) return
    if (message.ristrettoNote === 'stop') on.stop()
    if (message.ristrettoNote === 'snapshot') on.snapshot()
  })
  return () => end?.()
}
