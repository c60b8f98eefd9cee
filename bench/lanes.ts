import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { type Job, type Pace, Refusal, type Reply, type Request, type Times } from './protocol.js'

interface Engine {
  /** It computes on one thread, whatever it is told. */
  readonly oneThread?: boolean
  /** It takes seconds for a training pass of LeNet: left out with --quick. */
  readonly slow?: boolean
  /** Why it does not run a job, known without trying. */
  readonly refuses?: (job: Job) => string | undefined
}

const noGemm = 'its matrices are not timed'
const onlyLenet = (job: Job) =>
  job.mode === 'gemm'
    ? noGemm
    : job.net === 'lenet'
      ? undefined
      : 'it is tried on LeNet: larger nets take it minutes a pass'

/** Engines in the order of the tables, ours first. */
export const engines: Record<string, Engine> = {
  wasm: {},
  native: {},
  'onnxruntime-web': { refuses: job => (job.mode === 'train' ? 'it has no training in this package' : undefined) },
  'onnxruntime-node': { refuses: job => (job.mode === 'train' ? 'it has no training in this package' : undefined) },
  'tfjs-wasm': {
    oneThread: true,
    refuses: job =>
      job.mode === 'gemm'
        ? noGemm
        : job.mode === 'train' && job.net !== 'lenet'
          ? 'its wasm backend has no gradient of convolutions'
          : undefined,
  },
  'tfjs-cpu': { oneThread: true, slow: true, refuses: onlyLenet },
  'jax-js': {
    oneThread: true,
    slow: true,
    refuses: job => (job.mode === 'inference' ? 'only the training of LeNet is written for it' : onlyLenet(job)),
  },
  convnetjs: { oneThread: true, slow: true, refuses: onlyLenet },
  'brain.js': {
    oneThread: true,
    refuses: job => (job.net === 'mlp' ? undefined : 'it has no convolutions: it runs the MLP'),
  },
  pytorch: {
    refuses: job =>
      process.env.BENCH_TORCH
        ? job.mode === 'gemm'
          ? noGemm
          : undefined
        : 'BENCH_TORCH names no python3 that has torch',
  },
  caffe: {
    refuses: job =>
      process.env.BENCH_CAFFE ? (job.mode === 'gemm' ? noGemm : undefined) : 'BENCH_CAFFE names no caffe binary',
  },
}

/**
 * A process that measures one engine with one number of threads: what an engine sets up or leaves behind touches no
 * other.
 */
export class Lane {
  private child: ChildProcess | undefined
  private stderr = ''

  constructor(
    readonly engine: string,
    readonly threads: number,
    private readonly environment: Readonly<Record<string, string>> = {},
  ) {}

  /** Why the engine does not run a job, if that is known without trying. */
  refuses(job: Job): string | undefined {
    return engines[this.engine].refuses?.(job)
  }

  /** Rejects with a Refusal if the engine cannot do it. */
  async prepare(job: Job, pace: Pace): Promise<Extract<Reply, { kind: 'ready' }>> {
    const reason = this.refuses(job)
    if (reason) throw new Refusal(reason)
    return this.ask({ kind: 'prepare', job, pace }, 'ready')
  }

  /** The mean of the passes of a sample, and the shortest. */
  async sample(): Promise<{ readonly times: Times; readonly least: Times }> {
    return this.ask({ kind: 'sample' }, 'times')
  }

  async release(): Promise<void> {
    await this.ask({ kind: 'release' }, 'released')
  }

  async stop(): Promise<void> {
    const { child } = this
    this.child = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  private async ask<K extends Reply['kind']>(request: Request, kind: K): Promise<Extract<Reply, { kind: K }>> {
    this.child ??= this.start()
    const { child } = this
    const reply = await new Promise<Reply>((resolve, reject) => {
      const answered = (message: unknown) => settle(() => resolve(message as Reply))
      const ended = (code: number | null, signal: string | null) =>
        settle(() => {
          this.child = undefined
          reject(new Refusal(`its process ended (${signal ?? code}): ${lastLine(this.stderr)}`))
        })
      const settle = (then: () => void) => {
        child.off('message', answered).off('exit', ended)
        then()
      }
      child.once('message', answered).once('exit', ended)
      child.send(request)
    })
    if (reply.kind === 'refused') throw new Refusal(reply.reason)
    if (reply.kind !== kind) throw new Error(`lane ${this.engine}: '${reply.kind}' came where '${kind}' was due`)
    return reply as Extract<Reply, { kind: K }>
  }

  private start(): ChildProcess {
    this.stderr = ''
    const child = fork(new URL('lane.ts', import.meta.url), [this.engine, String(this.threads)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, ...this.environment },
    })
    child.stderr!.on('data', chunk => {
      this.stderr = (this.stderr + chunk).slice(-4000)
    })
    return child
  }
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) || 'it said nothing'
