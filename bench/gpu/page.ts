/** What the benchmark runs inside the page: training steps of LeNet here and in two other libraries, and single kernels. */
import type { Kernels } from '../../lib/engine.js'
import { createGpuEngine, type GpuMode } from '../../lib/engines/gpu.js'
import { parseSolver, SGDSolver } from '../../lib/index.js'
import { Memory } from '../../lib/memory.js'
import { RandomStream } from '../../lib/rng.js'
import { lenet } from '../../test/engines/lenet.js'

export interface Result {
  readonly detail: string
  /** Median of the steps after the first, which compiles. */
  readonly ms: number
  readonly firstMs: number
  readonly losses: readonly number[]
}

const stream = new RandomStream(7, 'digits')

/** Pictures that a net can learn: class c is bright in its own stripe. */
function digits(batch: number): { images: Float32Array; labels: Float32Array } {
  const labels = Float32Array.from({ length: batch }, () => stream.integer(10))
  const images = new Float32Array(batch * 784)
  for (let i = 0; i < images.length; i++) {
    const row = Math.floor((i % 784) / 28)
    images[i] = (stream.uniform() < 0.2 ? 0.5 : 0) + (Math.floor(row / 2.8) === labels[Math.floor(i / 784)] ? 0.5 : 0)
  }
  return { images, labels }
}

/** A step computes the loss, its gradients and the new weights, and reads the loss. */
async function time(detail: string, steps: number, step: () => Promise<number>): Promise<Result> {
  const losses: number[] = []
  const times: number[] = []
  for (let i = 0; i <= steps; i++) {
    const start = performance.now()
    losses.push(await step())
    times.push(performance.now() - start)
  }
  const [firstMs, ...rest] = times
  return { detail, firstMs, ms: rest.sort((a, b) => a - b)[rest.length >> 1], losses }
}

async function ristretto(engine: string, batch: number, steps: number): Promise<Result> {
  const solver = await SGDSolver.create(parseSolver(lenet(batch)), { engine, seed: 1 })
  const { images, labels } = digits(batch)
  const { data, label } = solver.net.blobs
  const result = await time(`${solver.net.engine.name}: ${solver.net.engine.detail}`, steps, async () => {
    for (const [blob, values] of [[data, images] as const, [label, labels] as const]) {
      blob.memory.data.claim()
      blob.dataArray.set(values)
    }
    await solver.step(1)
    return solver.loss()
  })
  solver.dispose()
  return result
}

async function tfjs(backend: string, batch: number, steps: number): Promise<Result> {
  // biome-ignore lint/suspicious/noExplicitAny: the library is installed in bench, not here
  const tf = (await import('@tensorflow/tfjs' as string)) as any
  if (!(await tf.setBackend(backend))) throw new Error(`its ${backend} backend does not start`)
  const { images, labels } = digits(batch)
  const variable = (shape: number[], fan: number) =>
    tf.variable(tf.randomUniform(shape, -Math.sqrt(3 / fan), Math.sqrt(3 / fan), 'float32', 1))
  const zeros = (n: number) => tf.variable(tf.zeros([n]))
  const w = [variable([5, 5, 1, 20], 25), variable([5, 5, 20, 50], 500), variable([800, 500], 800), variable([500, 10], 500)]
  const b = [20, 50, 500, 10].map(zeros)
  const optimizer = tf.train.momentum(0.01, 0.9)
  // biome-ignore lint/suspicious/noExplicitAny: as above
  const layer = (x: any, i: number) => tf.maxPool(tf.add(tf.conv2d(x, w[i], 1, 'valid'), b[i]), 2, 2, 'valid')
  return time(tf.version['tfjs-core'], steps, async () => {
    const loss = tf.tidy(() => {
      const x = tf.tensor(images, [batch, 28, 28, 1])
      const y = tf.oneHot(tf.tensor(Array.from(labels), [batch], 'int32'), 10)
      return optimizer.minimize(() => {
        const flat = tf.reshape(layer(layer(x, 0), 1), [batch, 800])
        const hidden = tf.relu(tf.add(tf.matMul(flat, w[2]), b[2]))
        return tf.losses.softmaxCrossEntropy(y, tf.add(tf.matMul(hidden, w[3]), b[3]))
      }, true)
    })
    const [value] = await loss.data()
    loss.dispose()
    return value
  })
}

async function jax(device: string, batch: number, steps: number): Promise<Result> {
  // biome-ignore lint/suspicious/noExplicitAny: the library is installed in bench, not here
  const { init, defaultDevice, jit, valueAndGrad, numpy: np, lax, nn } = (await import('@jax-js/jax' as string)) as any
  if (!(await init(device)).includes(device)) throw new Error(`its ${device} backend does not start`)
  defaultDevice(device)
  const { images, labels } = digits(batch)
  const shapes = [[20, 1, 5, 5], [20], [50, 20, 5, 5], [50], [500, 800], [500], [10, 500], [10]]
  const fans = [25, 0, 500, 0, 800, 0, 500, 0]
  const random = new RandomStream(3, 'weights')
  const array = (values: Float32Array, shape: number[]) => np.array(values).reshape(shape)
  const filled = (shape: number[], scale: number) =>
    array(
      Float32Array.from({ length: shape.reduce((p, n) => p * n, 1) }, () => scale * (2 * random.uniform() - 1)),
      shape,
    )
  let params = shapes.map((shape, i) => filled(shape, fans[i] ? Math.sqrt(3 / fans[i]) : 0))
  let velocity = shapes.map(shape => filled(shape, 0))
  const oneHot = new Float32Array(batch * 10)
  labels.forEach((label, n) => {
    oneHot[10 * n + label] = 1
  })
  // biome-ignore lint/suspicious/noExplicitAny: as above
  const loss = ([w1, b1, w2, b2, w3, b3, w4, b4]: any[], x: any, wanted: any) => {
    x = lax.convGeneralDilated(x, w1, [1, 1], 'VALID').add(b1.reshape([20, 1, 1]))
    x = lax.reduceWindow(x, np.max, [2, 2], [2, 2])
    x = lax.convGeneralDilated(x, w2, [1, 1], 'VALID').add(b2.reshape([50, 1, 1]))
    x = lax.reduceWindow(x, np.max, [2, 2], [2, 2])
    x = nn.relu(np.matmul(x.reshape([batch, 800]), np.matrixTranspose(w3)).add(b3))
    x = np.matmul(x, np.matrixTranspose(w4)).add(b4)
    return np.sum(nn.logSoftmax(x, 1).mul(wanted)).mul(-1 / batch)
  }
  const pass = jit(valueAndGrad(loss))
  return time(device, steps, async () => {
    const [value, gradients] = pass(
      params.map(p => p.ref),
      array(images, [batch, 1, 28, 28]),
      array(oneHot, [batch, 10]),
    )
    // biome-ignore lint/suspicious/noExplicitAny: as above
    velocity = velocity.map((v, i) => v.mul(0.9).add((gradients[i] as any).mul(0.01)))
    params = params.map((p, i) => p.add(velocity[i].ref.mul(-1)))
    const [read] = await value.data()
    return read
  })
}

/** One call of each heavy kernel of LeNet with this batch, ms. */
async function kernels(mode: GpuMode, batch: number, repeats: number): Promise<Record<string, number>> {
  const engine = await createGpuEngine(mode)
  const make = (n: number) => {
    const memory = new Memory(n, engine.heap)
    memory.array.fill(0.5)
    return memory
  }
  const shape = {
    ...{ batch, channels: 20, outputs: 50, group: 1, input: [12, 12], output: [8, 8], kernel: [5, 5] },
    ...{ stride: [1, 1], pad: [0, 0], dilation: [1, 1] },
  }
  const [x, w, b, y, fc, out, weight] = [batch * 2880, 25000, 50, batch * 3200, batch * 800, batch * 500, 400000].map(make)
  const pool = { planes: batch * 20, input: [24, 24], output: [12, 12], kernel: [2, 2], stride: [2, 2], pad: [0, 0] } as const
  const [big, small, mask] = [batch * 20 * 576, batch * 2880, batch * 2880].map(make)
  const calls: Record<string, (k: Kernels) => void> = {
    'convolution, conv2': k => k.convolution(shape, x, w, b, y),
    'convolutionInputGradient, conv2': k => k.convolutionInputGradient(shape, y, w, x),
    'convolutionWeightGradient, conv2': k => k.convolutionWeightGradient(shape, x, y, w),
    'gemm, ip1 forward': k => k.gemm(false, true, batch, 500, 800, 1, fc, weight, 0, out),
    'gemm, ip1 weight gradient': k => k.gemm(true, false, 500, 800, batch, 1, out, fc, 0, weight),
    'maxPool, pool1': k => k.maxPool(pool, big, small, mask),
    'maxPoolGradient, pool1': k => k.maxPoolGradient(pool, small, mask, big),
    'sgdUpdate, ip1': k => k.sgdUpdate(400000, { rate: 0, scale: 1, decay: 0, regularization: 'L2' }, 0.9, weight, weight, weight),
  }
  const one = make(1)
  /** A GL queue is empty when something has been read back. */
  const settle = async () => {
    engine.kernels.axpby(1, 2, one, 0, one)
    await one.pull()
  }
  const result: Record<string, number> = {}
  for (const [name, call] of Object.entries(calls)) {
    call(engine.kernels)
    await settle()
    const start = performance.now()
    for (let i = 0; i < repeats; i++) call(engine.kernels)
    await settle()
    result[name] = (performance.now() - start) / repeats
  }
  return result
}

Object.assign(globalThis, { bench: { ristretto, tfjs, jax, kernels } })
