/** ONNX's own backend tests: a model, its inputs and outputs as files of tensors (Debian's package libonnx-testdata). */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { FormatError, NetError } from '../../lib/errors.js'
import { Net } from '../../lib/net.js'
import type { Tensor } from '../../lib/onnx/graph.js'
import { importGraph } from '../../lib/onnx/import.js'
import { readGraph, schema } from '../../lib/onnx/read.js'
import { tensorOf } from '../../lib/onnx/tensor.js'
import { MessageReader } from '../../lib/proto/message_reader.js'

/** Where the cases are: an environment variable may name another folder. */
export const CASES = process.env.RISTRETTO_ONNX_CASES ?? '/usr/share/libonnx-testdata/data'
export const hasCases = existsSync(`${CASES}/node`)

function readTensor(path: string): Tensor & { name: string } {
  const steps = new MessageReader(new Uint8Array(readFileSync(path))).read(schema.message('TensorProto'), path)
  let step = steps.next()
  while (!step.done) step = steps.next()
  const proto = step.value as Parameters<typeof tensorOf>[0]
  return { ...tensorOf(proto, path), name: proto.name ?? '' }
}

/** What became of a case: '' passed; a reason where the model is refused; wrong values throw. */
export async function runCase(name: string, engine: 'js' | 'wasm' = 'js'): Promise<string> {
  const folder = `${CASES}/${name}`
  try {
    const graph = await readGraph(new Uint8Array(readFileSync(`${folder}/model.onnx`)), { file: name })
    const sets = readdirSync(folder).filter(entry => entry.startsWith('test_data_set_'))
    for (const set of sets) await runSet(name, graph, `${folder}/${set}`, engine)
    return ''
  } catch (error) {
    if (error instanceof FormatError || error instanceof NetError) return error.message
    throw error
  }
}

async function runSet(
  name: string,
  graph: Awaited<ReturnType<typeof readGraph>>,
  folder: string,
  engine: string,
): Promise<void> {
  const files = (kind: string) =>
    readdirSync(folder)
      .filter(file => file.startsWith(kind))
      .sort((a, b) => Number.parseInt(a.split('_')[1], 10) - Number.parseInt(b.split('_')[1], 10))
      .map(file => readTensor(`${folder}/${file}`))
  const given = files('input_')
  const expected = files('output_')
  const shapes: Record<string, readonly number[]> = {}
  const real = graph.inputs.map((input, i) => given[i] !== undefined && /float|double/.test(input.type ?? ''))
  const build = async (blobs: readonly boolean[]) => {
    const constants: Record<string, ArrayLike<number>> = {}
    graph.inputs.forEach(({ name: input }, i) => {
      shapes[input] = given[i].shape
      if (!blobs[i]) constants[input] = given[i].data
    })
    const open = Object.fromEntries(graph.inputs.filter((_, i) => blobs[i]).map(({ name: n }) => [n, shapes[n]]))
    const fixed = Object.fromEntries(Object.keys(constants).map(n => [n, shapes[n]]))
    const { net } = importGraph(graph, { shapes: { ...open, ...fixed }, constants })
    return Net.create(net, { engine: engine as 'js', phase: 'TEST', threads: 1 })
  }
  // real inputs as blobs; where that cannot be, all but the first as constants
  let blobs = real
  const net = await build(blobs).catch(error => {
    blobs = real.map((is, i) => is && i === 0)
    if (blobs.join() === real.join() || !(error instanceof FormatError || error instanceof NetError)) throw error
    return build(blobs)
  })
  const inputs = Object.fromEntries(
    graph.inputs.flatMap(({ name: n }, i) => (blobs[i] ? [[n, given[i].data as Float32Array]] : [])),
  )
  await net.forward(inputs)
  graph.outputs.forEach(({ name: output }, i) => {
    if (!expected[i]) return
    const blob = net.blobs[output]
    if (blob.shape.join() !== expected[i].shape.join())
      throw new Error(`${name}: '${output}' is [${blob.shape}], not [${expected[i].shape}]`)
    blob.dataArray.forEach((value, k) => {
      const right = expected[i].data[k]
      const isNear =
        Object.is(value, right) || value === right || Math.abs(value - right) <= 1e-5 + 1e-3 * Math.abs(right)
      if (!isNear && !(Number.isNaN(value) && Number.isNaN(right)))
        throw new Error(`${name}: '${output}'[${k}] is ${value}, not ${right}`)
    })
  })
  net.dispose()
}
