import { blobSource } from '../../data/byte_source.js'
import type { Sink } from '../../data/sink.js'
import { StudioError } from '../api/index.js'
import { type Appender, checkPath, type Store, type StoreEntry } from '../core/store.js'
import { answerCalls, type Caller, type Channel } from './calls.js'

export interface RemoteStore extends Store {
  /** Settles when all that was written has arrived; rejects with what was refused. */
  settled(): Promise<void>
}

/** Somebody else's store, asked for over a channel: for a worker that has no files of its own. */
export function remoteStore(caller: Caller): RemoteStore {
  const told: Promise<unknown>[] = []
  const call = <T>(method: string, ...args: unknown[]) => caller.call(method, args) as Promise<T>
  /** Told in order and not waited for; what goes wrong is thrown by the next call. */
  const teller = () => {
    let failure: unknown
    const check = (): void => {
      if (failure !== undefined) throw failure
    }
    const tell = (method: string, ...args: unknown[]): void => {
      check()
      const sent = call(method, ...args).catch(error => {
        failure = error
        throw error
      })
      told.push(sent)
      const forget = () => void told.splice(told.indexOf(sent), 1)
      sent.then(forget, () => {})
    }
    return { tell, check }
  }
  return {
    async settled() {
      await Promise.all(told)
    },
    location: () => undefined,
    read: (path, from, most) => call('read', path, from, most),
    size: path => call('size', path),
    write: (path, contents) => call('write', path, contents),
    list: path => call('list', path),
    remove: path => call('remove', path),
    open: async path => blobSource(await call<Blob>('open', path), path),
    async appender(path) {
      const id = await call<number>('appender', path)
      const { tell } = teller()
      return { append: text => tell('append', id, text), close: () => tell('close', id) }
    },
    async sink(path) {
      const id = await call<number>('sink', path)
      const { tell, check } = teller()
      return {
        write: (position, bytes) => tell('put', id, position, bytes.slice()),
        async finish() {
          check()
          await call('finish', id)
          check()
          return undefined
        },
        abort: () => tell('abort', id),
      }
    },
  }
}

/** What of a store somebody else may use. */
export interface Share {
  readonly store: Store
  /** A file as a page or worker reads it. */
  readonly file: (path: string) => Promise<Blob>
  readonly mayRead: (path: string) => boolean
  readonly mayWrite: (path: string) => boolean
}

/**
 * Answer for the store over a channel; paths elsewhere than agreed are refused. Returns what lets go of every file: the other
 * side may have been ended in the middle of one.
 */
export function shareStore(channel: Channel, { store, file, mayRead, mayWrite }: Share): () => void {
  const refuse = (path: string): never => {
    throw new StudioError(`'${path}' is not this job's`, 403)
  }
  const readable = (path: unknown): string => {
    const checked = checkPath(String(path))
    return mayRead(checked) || mayWrite(checked) ? checked : refuse(checked)
  }
  const writable = (path: unknown): string => {
    const checked = checkPath(String(path))
    return mayWrite(checked) ? checked : refuse(checked)
  }
  let next = 0
  const appenders = new Map<unknown, Appender>()
  const sinks = new Map<unknown, Sink>()
  const named = <T>(map: Map<unknown, T>, id: unknown): T => {
    const found = map.get(id)
    if (!found) throw new StudioError('this file is not open', 400)
    return found
  }
  const methods: Readonly<Record<string, (...args: readonly unknown[]) => unknown>> = {
    read: (path, from, most) => store.read(readable(path), from as number | undefined, most as number | undefined),
    size: path => store.size(readable(path)),
    list: (path): Promise<StoreEntry[]> => store.list(readable(path)),
    open: path => file(readable(path)),
    write: (path, contents) => store.write(writable(path), contents as Uint8Array | string),
    remove: path => store.remove(writable(path)),
    async appender(path) {
      const id = ++next
      appenders.set(id, await store.appender(writable(path)))
      return id
    },
    append: (id, text) => named(appenders, id).append(String(text)),
    close(id) {
      named(appenders, id).close()
      appenders.delete(id)
    },
    async sink(path) {
      const id = ++next
      sinks.set(id, await store.sink(writable(path)))
      return id
    },
    put: (id, position, bytes) => named(sinks, id).write(position as number, bytes as Uint8Array),
    async finish(id) {
      await named(sinks, id).finish()
      sinks.delete(id)
    },
    abort(id) {
      named(sinks, id).abort()
      sinks.delete(id)
    },
  }
  answerCalls(channel, async (method, args) => {
    if (!Object.hasOwn(methods, method)) throw new StudioError(`a store has no '${method}'`, 400)
    return methods[method](...args)
  })
  return () => {
    for (const appender of appenders.values()) appender.close()
    for (const sink of sinks.values()) sink.abort()
    appenders.clear()
    sinks.clear()
  }
}
