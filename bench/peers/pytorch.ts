import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { type Graph, graphOf } from '../graph.js'
import { type Job, type Peer, Refusal, type Task, type Times } from '../protocol.js'
import { compare, inferenceReference, trainReference } from '../reference.js'

/** PyTorch as its tutorials use it: eager functions, autograd, optim.SGD; in the python3 that BENCH_TORCH names. */
export const pytorch: Peer = {
  create: (job, threads) => (job.mode === 'train' ? train(job, threads) : inference(job, threads)),
}

async function inference(job: Job, threads: number): Promise<Task> {
  const { graph, inputs, prob, scores } = await inferenceReference(job)
  const python = await Python.start(job, graph, inputs, threads)
  const pairs = [
    [await python.values(0), prob],
    [await python.values(1), scores],
  ] as const
  return python.task(python.compared(pairs, 'inference'))
}

async function train(job: Job, threads: number): Promise<Task> {
  const { net, inputs, loss, gradients } = await trainReference(job)
  const graph = graphOf(net)
  const python = await Python.start(job, graph, inputs, threads)
  // two programs drop different values
  const isSame = Object.keys(graph.dropped).length === 0
  const pairs: [Float32Array, Float32Array][] = isSame ? [[await python.values(0), Float32Array.of(loss)]] : []
  let next = 1
  const learning = isSame ? net.layers.filter(({ type }) => type === 'Convolution' || type === 'InnerProduct') : []
  // through many layers, which BatchNorm scales up again, the last digit opens or closes a rectifier here and there
  const isDeep = graph.ops.some(({ op }) => op === 'batchnorm')
  for (const layer of learning)
    for (const i of layer.blobs.keys()) {
      const theirs = await python.values(next++)
      if (!isDeep || layer === learning.at(-1)) pairs.push([theirs, gradients[layer.name][i]])
    }
  net.dispose()
  return python.task(isSame ? python.compared(pairs, 'train') : undefined)
}

/** A process of Python with one job. */
class Python {
  private readonly lines: AsyncIterator<string>

  private constructor(
    private readonly child: ChildProcessByStdio<Writable, Readable, null>,
    private readonly folder: string,
    private readonly threads: number,
    private version = '',
  ) {
    this.lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  }

  static async start(job: Job, graph: Graph, inputs: Record<string, Float32Array>, threads: number): Promise<Python> {
    const python = process.env.BENCH_TORCH
    if (!python || job.mode === 'gemm') throw new Refusal('BENCH_TORCH names no python3 that has torch')
    const folder = await mkdtemp(join(tmpdir(), 'bench-torch-'))
    const pieces: Float32Array[] = []
    let at = 0
    const put = (values: Float32Array) => {
      pieces.push(values)
      at += values.length
      return { at: at - values.length, length: values.length }
    }
    const text = JSON.stringify(
      { ...graph, mode: job.mode, threads, folder, values: Object.fromEntries(Object.entries(inputs)) },
      (_, value) => (value instanceof Float32Array ? put(value) : value),
    )
    await writeFile(join(folder, 'values.f32'), Buffer.concat(pieces.map(piece => new Uint8Array(piece.buffer))))
    const env = { ...process.env, OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads) }
    const child = spawn(python, [new URL('pytorch_process.py', import.meta.url).pathname], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env,
    })
    const started = new Python(child, folder, threads)
    started.version = ((await started.ask(text)) as { version: string }).version
    return started
  }

  /** What the first pass computed: result number `i`. */
  async values(i: number): Promise<Float32Array> {
    const bytes = await readFile(join(this.folder, `${i}.f32`))
    return new Float32Array(new Uint8Array(bytes).buffer)
  }

  /** The largest deviation; ends the process if it is too large. */
  compared(pairs: Parameters<typeof compare>[0], mode: 'inference' | 'train'): number {
    try {
      return compare(pairs, mode)
    } catch (error) {
      this.child.kill()
      throw error
    }
  }

  task(deviation: number | undefined): Task {
    return {
      detail: `${this.version}, ${this.threads} thread${this.threads === 1 ? '' : 's'}`,
      deviation,
      run: async () => (await this.ask('pass')) as Times,
      dispose: async () => {
        this.child.kill()
        await rm(this.folder, { recursive: true, force: true })
      },
    }
  }

  private async ask(line: string): Promise<unknown> {
    this.child.stdin.write(`${line}\n`)
    const { value, done } = await this.lines.next()
    if (done) throw new Refusal(`its process ended: does ${process.env.BENCH_TORCH} have torch?`)
    return JSON.parse(value as string)
  }
}
