/** A process with onnxruntime-web on a fixed number of threads: loads and runs n×n matrix products on request. */
import * as ort from 'onnxruntime-web'

ort.env.wasm.numThreads = Number(process.argv[2])

// ---- just enough of ONNX's protobuf for one MatMul
// -----------------------------------------------------------------------------
const varint = n => (n < 128 ? [n] : [(n & 127) | 128, ...varint(n >>> 7)])
const number = (field, value) => [...varint(field << 3), ...varint(value)]
const message = (field, bytes) => [...varint((field << 3) | 2), ...varint(bytes.length), ...bytes]
const text = (field, value) => message(field, [...new TextEncoder().encode(value)])
const value = (field, name, n) => {
  const shape = [...message(1, number(1, n)), ...message(1, number(1, n))]
  return message(field, [...text(1, name), ...message(2, message(1, [...number(1, 1), ...message(2, shape)]))])
}
const matmul = n => {
  const node = [...text(1, 'A'), ...text(1, 'B'), ...text(2, 'C'), ...text(4, 'MatMul')]
  const graph = [
    ...message(1, node),
    ...text(2, 'product'),
    ...value(11, 'A', n),
    ...value(11, 'B', n),
    ...value(12, 'C', n),
  ]
  return new Uint8Array([...number(1, 8), ...message(7, graph), ...message(8, number(2, 13))])
}

const sessions = new Map()
process.on('message', async request => {
  try {
    if (request.load) {
      const n = request.load
      const tensor = () => new ort.Tensor('float32', new Float32Array(n * n).fill(0.5), [n, n])
      const session = await ort.InferenceSession.create(matmul(n), { executionProviders: ['wasm'] })
      sessions.set(n, { session, inputs: { A: tensor(), B: tensor() } })
    } else {
      const { session, inputs } = sessions.get(request.run)
      await session.run(inputs)
    }
    process.send('done')
  } catch (error) {
    process.send(String(error))
  }
})
