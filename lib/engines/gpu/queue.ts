import { EngineError } from '../../errors.js'
import type { DeviceQueue } from '../../memory.js'
import type { Backend, Native } from './backend.js'

/** `length` values on the device, from the moment when a task that computes them was queued. */
export class Handle {
  /** The device's object, once the task has run. */
  native: Native | undefined
  /** All values are this one and no storage exists yet. */
  constant: number | undefined
  /** Why there will never be values. */
  error: Error | undefined
  /** How many memories hold it; kernels never write to a value that exists, so a copy is another holder. */
  holders = 1

  constructor(readonly length: number) {}
}

/** What happened on a device so far. */
export interface Traffic {
  uploads: number
  uploadedBytes: number
  downloads: number
  downloadedBytes: number
  dispatches: number
  /** Handles with storage that somebody holds. */
  alive: number
}

/** Longest that a queue keeps the event loop from its timers, in ms. */
const YIELD_AFTER = 50

/**
 * The one queue of a device: uploads, kernels and releases run in the order in which they were asked for. A task that
 * can run at once does; the rest follow in turn. The first failure is kept for `finish`, or for the download that meets
 * it; what depends on it fails alike.
 */
export class Queue implements DeviceQueue {
  readonly traffic: Traffic = {
    uploads: 0,
    uploadedBytes: 0,
    downloads: 0,
    downloadedBytes: 0,
    dispatches: 0,
    alive: 0,
  }
  private readonly tasks: (() => void | Promise<void>)[] = []
  private running = false
  private idle: Promise<void> = Promise.resolve()
  private becomeIdle = () => {}
  private failure: Error | undefined
  /** Set for good when the device is gone. */
  private lost: Error | undefined

  constructor(
    readonly name: string,
    readonly backend: Backend,
  ) {}

  upload(values: Float32Array): Handle {
    const handle = new Handle(values.length)
    const copy = this.backend.uploadsAtOnce && !this.running ? values : values.slice()
    this.traffic.uploads++
    this.traffic.uploadedBytes += values.byteLength
    this.task(handle, [], () => this.backend.upload(copy), 'upload')
    return handle
  }

  /** n times the same value: stored only when a kernel reads it. */
  constant(length: number, value: number): Handle {
    const handle = new Handle(length)
    handle.constant = value
    return handle
  }

  /** Queue the computation of `out` from `args`; it is skipped if one of them failed. */
  compute(out: Handle, args: readonly Handle[], run: () => Native | Promise<Native>, what = 'kernel'): void {
    this.traffic.dispatches++
    this.task(out, args, run, what)
  }

  async download(handle: unknown, into: Float32Array): Promise<void> {
    const { length, constant } = handle as Handle
    if (constant !== undefined && (handle as Handle).native === undefined) {
      into.fill(constant)
      return
    }
    this.traffic.downloads++
    this.traffic.downloadedBytes += 4 * into.length
    return new Promise((resolve, reject) => {
      this.enqueue(async () => {
        try {
          if (this.lost) throw this.lost
          const { native, error } = handle as Handle
          if (error) {
            if (error === this.failure) this.failure = undefined
            throw error
          }
          const values = await this.backend.download(native!, length)
          this.checkLoss()
          into.set(values.length > into.length ? values.subarray(0, into.length) : values)
          resolve()
        } catch (error) {
          reject(this.described(error, 'download'))
        }
      })
    })
  }

  /** Another holder of the same values. */
  share(handle: Handle): Handle {
    handle.holders++
    return handle
  }

  release(handle: unknown): void {
    const held = handle as Handle
    if (--held.holders > 0) return
    if (held.constant !== undefined && held.native === undefined) return
    this.enqueue(() => {
      if (held.native === undefined) return
      this.traffic.alive--
      this.backend.delete(held.native)
      held.native = undefined
    })
  }

  /**
   * Resolves when everything queued so far has run, rejects with the first failure that nobody has heard of. Reads
   * nothing back.
   */
  async finish(): Promise<void> {
    await this.idle
    try {
      await this.backend.settle()
      this.checkLoss()
    } catch (error) {
      this.failure ??= this.described(error, 'finish')
    }
    const { failure } = this
    this.failure = undefined
    if (failure) throw failure
  }

  /** Store `value` behind a handle that has been a constant so far. */
  materialize(handle: Handle, run: () => Native | Promise<Native>): void {
    handle.constant = undefined
    this.compute(handle, [], run)
  }

  /** Queue a check of the device, whose failure counts as a kernel's. */
  trial(check: () => Promise<void>): void {
    this.enqueue(async () => {
      if (this.lost) return
      try {
        await check()
      } catch (error) {
        this.failure ??= this.described(error, 'trial')
      }
    })
  }

  private task(out: Handle, args: readonly Handle[], run: () => Native | Promise<Native>, what: string): void {
    const done = (native: Native) => {
      out.native = native
      this.traffic.alive++
    }
    const failed = (error: unknown) => {
      out.error = this.described(error, what)
      this.failure ??= out.error
    }
    this.enqueue(() => {
      const broken = this.lost ?? args.find(arg => arg.error)?.error
      if (broken) {
        out.error = broken
        if (broken === this.lost) this.failure ??= broken
        return
      }
      try {
        const result = run()
        if (!(result instanceof Promise)) return done(result)
        return result.then(done).catch(failed)
      } catch (error) {
        failed(error)
      }
    })
  }

  private enqueue(task: () => void | Promise<void>): void {
    this.tasks.push(task)
    if (!this.running) this.run()
  }

  /** Runs tasks until there are none or one has to be waited for. */
  private run(): void {
    this.running = true
    for (let task = this.tasks.shift(); task !== undefined; task = this.tasks.shift()) {
      const wait = task()
      if (wait === undefined) continue
      this.idle = new Promise(resolve => {
        this.becomeIdle = resolve
      })
      void this.follow(wait)
      return
    }
    this.running = false
  }

  private async follow(wait: Promise<void>): Promise<void> {
    await wait
    let since = performance.now()
    for (let task = this.tasks.shift(); task !== undefined; task = this.tasks.shift()) {
      const next = task()
      if (next !== undefined) await next
      if (performance.now() - since > YIELD_AFTER) {
        await new Promise(resolve => setTimeout(resolve, 0))
        since = performance.now()
      }
    }
    this.running = false
    this.becomeIdle()
  }

  private checkLoss(): void {
    const reason = this.backend.lossReason()
    if (reason === undefined) return
    this.lost ??= new EngineError(
      `engine ${this.name}: the device was lost (${reason}). What was on it is gone; create the net again and restore the last snapshot`,
    )
    throw this.lost
  }

  private described(error: unknown, what: string): Error {
    // the front end names the kernel, and whoever runs it is named here
    if (error instanceof EngineError) {
      const by = /^(layer .*: )kernel /s.exec(what)?.[1]
      return by && !error.message.startsWith(by) ? new EngineError(by + error.message, { cause: error }) : error
    }
    const reason = this.backend.lossReason()
    if (reason !== undefined) {
      try {
        this.checkLoss()
      } catch (lost) {
        return lost as Error
      }
    }
    return new EngineError(`engine ${this.name}: ${what}: ${(error as Error).message ?? error}`, { cause: error })
  }
}
