import { sharingRefused } from '../engines/wasm/pool.js'
import { RistrettoError } from '../errors.js'
import { mustTake } from '../system/arguments.js'
import {
  aFunction,
  anObject,
  anything,
  aSignal,
  checkOptions,
  names,
  type OptionRules,
} from '../system/check_options.js'
import { importNode, isNode } from '../system/nodejs.js'
import { startLimit } from '../system/start_limit.js'
import { tsxApi } from '../system/typescript.js'
import { createExchange, WORD, wordsOf } from './exchange.js'
import { isNote, type MemberStart, type Note } from './notes.js'

/** What members are started with. */
export interface StartOptions {
  /** Handed to each member: `group.data`, or what `structuredClone` makes of it. */
  data?: unknown
  /** Words of each member's `process.argv`, in Node. */
  argv?: readonly string[]
  /** Told what members post: their words, and their rank. */
  onMessage?: (message: unknown, rank: number) => void
  /** Once it is aborted every member's `signal` is. */
  signal?: AbortSignal
  /** Limits of each member's JavaScript heap, in Node. */
  resourceLimits?: { maxOldGenerationSizeMb?: number }
}

const RULES: OptionRules<StartOptions> = {
  data: anything,
  argv: names,
  onMessage: aFunction,
  signal: aSignal,
  resourceLimits: anObject,
}

/** Members that run. */
export interface Workers {
  /** Send a message to every member. */
  post(message: unknown): void
  /** Resolves when all members have ended well; the first that fails ends the others, and is the RistrettoError. */
  readonly finished: Promise<void>
}

/** Members that do not end by themselves once one has failed are ended, after so many ms. */
const GRACE = 2000
/** Most members of one process: each has a memory of its own. */
const MOST = 64

/** A thread of either world. */
interface Thread {
  post(message: unknown): void
  end(): void
}

interface Listener {
  message(message: unknown): void
  failed(why: string, cause?: unknown): void
  ended(): void
}

/**
 * Start `workers` threads that run the module at `url`, each with a memory of its own; there `joinGroup()` resolves to
 * the group of all of them. In a browser they are module workers, of an isolated page.
 */
export async function startWorkers(url: string | URL, workers: number, options: StartOptions = {}): Promise<Workers> {
  mustTake(typeof url === 'string' || url instanceof URL, 'startWorkers', 'the URL or path of a module', url)
  checkOptions('startWorkers', options, RULES)
  if (!Number.isSafeInteger(workers) || workers < 1 || workers > MOST)
    throw new RistrettoError(`workers must be a whole number from 1 to ${MOST}, not ${String(workers)}`)
  if (typeof SharedArrayBuffer === 'undefined' || sharingRefused() !== undefined)
    throw new RistrettoError(
      'several workers share memory, which this page may not: it needs the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp',
    )
  const exchange = createExchange(workers)
  const words = wordsOf(exchange)
  const threads: Thread[] = []
  const start = isNode ? await nodeStarter(url, options) : browserStarter(url)
  const finished = new Promise<void>((resolve, reject) => {
    let running = workers
    let failure: RistrettoError | undefined
    let grace: ReturnType<typeof setTimeout> | undefined
    const fail = (rank: number, why: string, cause?: unknown) => {
      if (failure) return
      failure = new RistrettoError(`worker ${rank} of ${workers}: ${why}`, { cause })
      Atomics.store(words, WORD.failed, rank + 1)
      Atomics.notify(words, WORD.meetings)
      grace = setTimeout(() => threads.forEach(thread => thread.end()), GRACE)
    }
    const over = () => {
      if (--running > 0) return
      clearTimeout(grace)
      if (failure) reject(failure)
      else resolve()
    }
    for (let rank = 0; rank < workers; rank++) {
      let ended = false
      threads.push(
        start({ ristrettoGroup: { exchange, rank, data: options.data } }, rank, {
          message(message) {
            if (!isNote(message)) options.onMessage?.(message, rank)
            else if (message.ristrettoNote === 'abort') fail(rank, message.reason)
          },
          failed: (why, cause) => fail(rank, why, cause),
          ended() {
            if (ended) return
            ended = true
            // a member that ends without a word leaves the others waiting
            if (workers > 1 && Atomics.load(words, WORD.members + rank) >= 0) fail(rank, 'it ended before the others')
            over()
          },
        }),
      )
    }
  })
  // whoever waits for it is told
  finished.catch(() => {})
  const post = (message: unknown) => threads.forEach(thread => thread.post(message))
  const stop = () => post({ ristrettoNote: 'stop' } satisfies Note)
  options.signal?.addEventListener('abort', stop, { once: true })
  if (options.signal?.aborted) stop()
  const unlisten = () => options.signal?.removeEventListener('abort', stop)
  finished.then(unlisten, unlisten)
  return { post, finished }
}

type Start = (data: MemberStart, rank: number, listener: Listener) => Thread

async function nodeStarter(url: string | URL, { argv, resourceLimits }: StartOptions): Promise<Start> {
  const { Worker } = await importNode('node:worker_threads')
  const { pathToFileURL } = await importNode('node:url')
  const module = url instanceof URL || /^(file|data):/.test(url) ? new URL(url) : pathToFileURL(url)
  const api = /\.[mc]?ts$/.test(module.pathname) ? await tsxApi() : undefined
  const entry = api && `import('${api}').then(tsx => (tsx.register(), import('${module.href}')))`
  return (workerData, rank, listener) => {
    const worker = new Worker(entry ?? module, {
      workerData,
      eval: entry !== undefined,
      name: `ristretto-${rank}`,
      ...(argv && { argv: [...argv] }),
      ...(resourceLimits && { resourceLimits }),
    })
    const started = startLimit(why => {
      listener.failed(why)
      worker.terminate()
    })
    worker.once('online', started)
    worker.on('message', message => listener.message(message))
    worker.on('error', (error: Error & { code?: string }) => {
      started()
      const hint =
        error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? '; raise it: NODE_OPTIONS=--max-old-space-size=8192 (MiB)' : ''
      listener.failed(`${messageOf(error)}${hint}`, error)
    })
    worker.on('exit', code => {
      started()
      if (code !== 0) listener.failed(`it ended with code ${code}`)
      listener.ended()
    })
    return { post: message => worker.postMessage(message), end: () => void worker.terminate() }
  }
}

function browserStarter(url: string | URL): Start {
  return (data, rank, listener) => {
    const worker = new Worker(typeof url === 'string' && /^file:/.test(url) ? new URL(url) : url, {
      type: 'module',
      name: `ristretto-${rank}`,
    })
    const end = () => {
      worker.terminate()
      listener.ended()
    }
    worker.onmessage = ({ data: message }) => {
      if (isNote(message) && message.ristrettoNote === 'join') worker.postMessage(data)
      else if (isNote(message) && message.ristrettoNote === 'closed') end()
      else listener.message(message)
    }
    worker.onerror = event => {
      listener.failed(event.message || 'its module cannot be loaded')
      end()
    }
    return { post: message => worker.postMessage(message), end }
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
