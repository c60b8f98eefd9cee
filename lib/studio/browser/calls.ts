import type { StudioError } from '../api/index.js'
import { fromThrown, type ThrownError, toThrown } from '../core/thrown.js'

/** A worker, a port, or a worker's own scope: where messages go and come from. */
export interface Channel {
  postMessage(message: unknown, transfer?: Transferable[]): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
}

/** A port as a channel: it begins to speak. */
export function channelOf(port: MessagePort): Channel {
  port.start()
  return port
}

/** What goes to the side that answers. */
type Asked =
  | { readonly call: number; readonly method: string; readonly args: readonly unknown[] }
  /** Nobody waits for it any more. */
  | { readonly call: number; readonly abort: true }

type Said = { readonly call: number } & (
  | { readonly result: unknown }
  | { readonly error: ThrownError }
  /** Something on the way, such as how far it is. */
  | { readonly told: unknown }
)

export interface CallOptions {
  readonly signal?: AbortSignal
  /** What goes over and is not here any more: ports. */
  readonly transfer?: Transferable[]
  readonly told?: (value: never) => void
}

/** What the answering side gets beside the arguments. */
export interface Answering {
  readonly signal: AbortSignal
  /** Say something before the answer. */
  readonly tell: (value: unknown) => void
}

/** Asks over a channel. */
export class Caller {
  private next = 0
  private ended: StudioError | undefined
  private readonly pending = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: unknown) => void; told?: (value: never) => void }
  >()

  constructor(private readonly channel: Channel) {
    channel.addEventListener('message', ({ data }) => this.take(data as Said))
  }

  call(method: string, args: readonly unknown[], { signal, told, transfer }: CallOptions = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.ended) return reject(this.ended)
      if (signal?.aborted) return reject(signal.reason)
      const call = ++this.next
      this.pending.set(call, { resolve, reject, told })
      signal?.addEventListener(
        'abort',
        () => {
          if (!this.pending.delete(call)) return
          this.channel.postMessage({ call, abort: true } satisfies Asked)
          reject(signal.reason)
        },
        { once: true },
      )
      this.channel.postMessage({ call, method, args } satisfies Asked, transfer ?? [])
    })
  }

  /** Nobody answers any more: every call that waits, and every further one, fails. */
  end(error: StudioError): void {
    this.ended = error
    for (const { reject } of this.pending.values()) reject(error)
    this.pending.clear()
  }

  private take(said: Said | undefined): void {
    const found = said && this.pending.get(said.call)
    if (!said || !found) return
    if ('told' in said) {
      found.told?.(said.told as never)
      return
    }
    this.pending.delete(said.call)
    if ('error' in said) found.reject(fromThrown(said.error))
    else found.resolve(said.result)
  }
}

/** Answers what is asked over a channel. */
export function answerCalls(
  channel: Channel,
  answer: (method: string, args: readonly unknown[], answering: Answering) => Promise<unknown>,
): void {
  const running = new Map<number, AbortController>()
  const take = async (asked: Asked): Promise<void> => {
    const { call } = asked
    if ('abort' in asked) return running.get(call)?.abort()
    const stop = new AbortController()
    running.set(call, stop)
    const say = (said: Said): void => {
      if (!stop.signal.aborted) channel.postMessage(said)
    }
    try {
      const tell = (told: unknown): void => say({ call, told })
      say({ call, result: await answer(asked.method, asked.args, { signal: stop.signal, tell }) })
    } catch (error) {
      say({ call, error: toThrown(error) })
    } finally {
      running.delete(call)
    }
  }
  channel.addEventListener('message', ({ data }) => {
    if (typeof (data as Asked | undefined)?.call === 'number') void take(data as Asked)
  })
}
