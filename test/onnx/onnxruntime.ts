import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

/** What of onnxruntime-node is used here: it is no dependency, and tests that need it skip where it is not installed. */
interface OnnxRuntime {
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> }
  readonly Tensor: new (type: string, data: Float32Array, dims: readonly number[]) => OrtTensor
}
interface OrtTensor {
  readonly data: Float32Array
  readonly dims: readonly number[]
}
interface Session {
  run(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>>
  release(): Promise<void>
}

export interface Arrays {
  readonly [name: string]: { readonly data: Float32Array; readonly shape: readonly number[] }
}

/** The folder of the package: of the environment, if it is there, or of the benchmarks' peers. */
function folder(): string | undefined {
  const own = process.env.RISTRETTO_ONNXRUNTIME
  if (own) return existsSync(`${own}/package.json`) ? own : undefined
  try {
    const require = createRequire(new URL('../../bench/', import.meta.url))
    return require.resolve('onnxruntime-node/package.json').replace(/\/package\.json$/, '')
  } catch {
    return undefined
  }
}

const found = folder()

/** Which version there is; undefined where there is none. */
export const ortVersion: string | undefined = found && JSON.parse(readFileSync(`${found}/package.json`, 'utf8')).version

let loaded: Promise<OnnxRuntime> | undefined

/** What onnxruntime computes from a model, every node as it stands in the file. */
export async function runOnnx(model: Uint8Array, inputs: Arrays): Promise<Arrays> {
  loaded ??= import(pathToFileURL(`${found}/dist/index.js`).href).then(module => module.default ?? module)
  const { InferenceSession, Tensor } = await loaded
  const session = await InferenceSession.create(model, {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  })
  try {
    const feeds = Object.entries(inputs).map(([name, { data, shape }]) => [
      name,
      // a copy, since views of shared memory are refused
      new Tensor('float32', Float32Array.from(data), shape),
    ])
    const outputs = await session.run(Object.fromEntries(feeds))
    return Object.fromEntries(
      Object.entries(outputs).map(([name, { data, dims }]) => [name, { data: Float32Array.from(data), shape: dims }]),
    )
  } finally {
    await session.release()
  }
}
