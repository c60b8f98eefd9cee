import { matmulModel, onnxOf } from '../onnx.js'
import type { Job, Peer, Task } from '../protocol.js'
import { compare, inferenceReference } from '../reference.js'
import { load, timed } from './load.js'

interface Tensor {
  readonly data: Float32Array
}
interface Session {
  run(feeds: Record<string, Tensor>, fetches?: readonly string[]): Promise<Record<string, Tensor>>
  release(): Promise<void>
}
interface OnnxRuntime {
  readonly env: { readonly versions: Record<string, string | undefined>; readonly wasm: { numThreads?: number } }
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> }
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => Tensor
}

/** onnxruntime on the same graph: WebAssembly ('web') or native ('node'). */
export const onnxruntime = (kind: 'web' | 'node'): Peer => ({
  async create(job, threads) {
    const ort = await load<OnnxRuntime>(`onnxruntime-${kind}`)
    if (kind === 'web') ort.env.wasm.numThreads = threads
    const options =
      kind === 'web'
        ? { executionProviders: ['wasm'] }
        : { executionProviders: ['cpu'], intraOpNumThreads: threads, interOpNumThreads: 1 }
    const open = (model: Uint8Array) =>
      ort.InferenceSession.create(model, { ...options, graphOptimizationLevel: 'all', logSeverityLevel: 3 })
    const detail = `${ort.env.versions[kind] ?? ''}, ${threads} thread${threads === 1 ? '' : 's'}`
    return job.mode === 'gemm' ? gemm(ort, open, Number(job.net), detail) : inference(ort, open, job, detail)
  },
})

type Open = (model: Uint8Array) => Promise<Session>

async function inference(ort: OnnxRuntime, open: Open, job: Job, detail: string): Promise<Task> {
  const { graph, inputs, prob, scores } = await inferenceReference(job)
  const session = await open(onnxOf(graph))
  const feeds = Object.fromEntries(
    Object.entries(graph.inputs).map(([name, shape]) => [name, new ort.Tensor('float32', inputs[name], shape)]),
  )
  const first = await session.run(feeds)
  const deviation = compare(
    [
      [first[graph.prob].data, prob],
      [first[graph.scores].data, scores],
    ],
    'inference',
  )
  return {
    detail,
    deviation,
    run: async () => ({ inference: await timed(() => session.run(feeds, [graph.prob])) }),
    dispose: () => session.release(),
  }
}

async function gemm(ort: OnnxRuntime, open: Open, size: number, detail: string): Promise<Task> {
  const session = await open(matmulModel(size))
  const matrix = () =>
    new ort.Tensor(
      'float32',
      Float32Array.from({ length: size * size }, (_, i) => (i % 7) - 3),
      [size, size],
    )
  const feeds = { a: matrix(), b: matrix() }
  return {
    detail,
    run: async () => ({ gemm: await timed(() => session.run(feeds)) }),
    dispose: () => session.release(),
  }
}
