import { createGpuEngine, type GpuMode } from '../../lib/engines/gpu.js'
import { Memory } from '../../lib/memory.js'

/** A product with a matrix of 16.8 million weights, and an update of all of them; resolves to what came out wrong. */
export async function largeTensors(mode: GpuMode): Promise<string[]> {
  const { gpu, heap, finish } = await createGpuEngine(mode)
  const { kernels } = gpu
  const [N, K] = [4099, 4097]
  const [x, w, dw, h, y] = [K, N * K, N * K, N * K, N].map(n => new Memory(n, heap))
  x.array.forEach((_, k, xs) => {
    xs[k] = k % 3 === 0 ? 1 : 0
  })
  const weights = w.array
  for (let i = 0; i < weights.length; i++) weights[i] = (i % 127) / 127
  const first = weights.slice(0, 8)
  const expected = Float64Array.from({ length: N }, (_, n) => {
    let sum = 0
    for (let k = 0; k < K; k += 3) sum += weights[n * K + k]
    return sum
  })
  kernels.gemm(false, true, 1, N, K, 1, x, w, 0, y)
  kernels.axpby(N * K, 2, w, 0, dw)
  kernels.sgdUpdate(N * K, { rate: 0.5, scale: 1, decay: 0, regularization: 'L2' }, 0.9, w, dw, h)
  await finish!()
  await y.pull()
  await w.pull()
  const wrong: string[] = []
  y.array.forEach((value, n) => {
    if (!(Math.abs(value - expected[n]) < 1e-4 * expected[n])) wrong.push(`y[${n}] is ${value}, not ${expected[n]}`)
  })
  // w − 0.5·2w
  w.array.forEach((value, i) => {
    if (!(Math.abs(value) < 1e-6)) wrong.push(`w[${i}] is ${value}, not 0`)
  })
  if (first[1] === 0) wrong.push('the weights were not there')
  for (const memory of [x, w, dw, h, y]) memory.dispose()
  return wrong.slice(0, 5)
}
