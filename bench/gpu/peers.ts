/** The same training steps in two other libraries, which are installed in bench/node_modules. */
import { filled, groups, type NetName, nets, type Result, time } from './nets.js'

// biome-ignore lint/suspicious/noExplicitAny: their types are installed in bench, not here
type Any = any

export async function tfjs(net: NetName, backend: string, batch: number, steps: number): Promise<Result> {
  const tf = (await import('@tensorflow/tfjs' as string)) as Any
  if (backend === 'webgpu') await import('@tensorflow/tfjs-backend-webgpu' as string)
  if (!(await tf.setBackend(backend))) throw new Error(`its ${backend} backend does not start`)
  const { input, classes, weights } = nets[net]
  const { images, labels } = nets[net].batch(batch)
  // its kernels lie as (K, K, C, M), pictures as (N, H, W, C)
  const w = weights.map(shape => {
    const values = tf.tensor(filled(shape), shape)
    return tf.variable(tf.transpose(values, shape.length === 4 ? [2, 3, 1, 0] : [1, 0]))
  })
  const b = weights.map(([outputs]) => tf.variable(tf.zeros([outputs])))
  const optimizer = tf.train.momentum(0.01, 0.9)
  const conv = (x: Any, i: number, stride: number, pad: string | number) => {
    const parts = groups[i] === 1 || net === 'LeNet' ? 1 : groups[i]
    if (parts === 1) return tf.add(tf.conv2d(x, w[i], stride, pad), b[i])
    const [xs, ws] = [tf.split(x, parts, 3), tf.split(w[i], parts, 3)]
    const sums = xs.map((part: Any, g: number) => tf.conv2d(part, ws[g], stride, pad))
    return tf.add(tf.concat(sums, 3), b[i])
  }
  const fc = (x: Any, i: number) => tf.add(tf.matMul(x, w[i]), b[i])
  const pool = (x: Any, size: number) => tf.maxPool(x, size, 2, 'valid')
  const norm = (x: Any) => tf.localResponseNormalization(x, 2, 1, 1e-4 / 5, 0.75)
  const scores = (x: Any): Any => {
    if (net === 'LeNet') {
      x = pool(conv(pool(conv(x, 0, 1, 'valid'), 2), 1, 1, 'valid'), 2)
      return fc(tf.relu(fc(tf.reshape(x, [batch, 800]), 2)), 3)
    }
    x = norm(pool(tf.relu(conv(x, 0, 4, 'valid')), 3))
    x = norm(pool(tf.relu(conv(x, 1, 1, 'same')), 3))
    x = tf.relu(conv(tf.relu(conv(tf.relu(conv(x, 2, 1, 'same')), 3, 1, 'same')), 4, 1, 'same'))
    x = tf.reshape(pool(x, 3), [batch, 256])
    return fc(tf.relu(fc(tf.relu(fc(x, 5)), 6)), 7)
  }
  return time(tf.version['tfjs-core'], steps, async () => {
    const loss = tf.tidy(() => {
      const [channels, side] = input
      const x = tf.transpose(tf.tensor(images, [batch, channels, side, side]), [0, 2, 3, 1])
      const y = tf.oneHot(tf.tensor(Array.from(labels), [batch], 'int32'), classes)
      return optimizer.minimize(() => tf.losses.softmaxCrossEntropy(y, scores(x)), true)
    })
    const [value] = await loss.data()
    loss.dispose()
    return value
  })
}

export async function jax(net: NetName, device: string, batch: number, steps: number): Promise<Result> {
  const { init, defaultDevice, jit, valueAndGrad, numpy: np, lax, nn } = (await import('@jax-js/jax' as string)) as Any
  if (!(await init(device)).includes(device)) throw new Error(`its ${device} backend does not start`)
  defaultDevice(device)
  const { input, classes, weights } = nets[net]
  const { images, labels } = nets[net].batch(batch)
  const array = (values: Float32Array, shape: readonly number[]) => np.array(values).reshape(shape)
  let params = weights.flatMap(shape => [array(filled(shape), shape), np.zeros([shape[0]])])
  let velocity = weights.flatMap(shape => [np.zeros(shape), np.zeros([shape[0]])])
  const oneHot = new Float32Array(batch * classes)
  labels.forEach((label, n) => {
    oneHot[classes * n + label] = 1
  })
  const conv = (x: Any, p: Any[], i: number, stride: number, pad: number) => {
    const padding = [
      [pad, pad],
      [pad, pad],
    ]
    const featureGroupCount = net === 'LeNet' ? 1 : groups[i]
    const sums = lax.convGeneralDilated(x, p[2 * i], [stride, stride], padding, { featureGroupCount })
    return sums.add(p[2 * i + 1].reshape([weights[i][0], 1, 1]))
  }
  const fc = (x: Any, p: Any[], i: number) => np.matmul(x, np.matrixTranspose(p[2 * i])).add(p[2 * i + 1])
  const pool = (x: Any, size: number) => lax.reduceWindow(x, np.max, [size, size], [2, 2])
  /** Sums over five channels, as a window of one with ones beside the diagonal. */
  const norm = (x: Any, channels: number) => {
    const band = new Float32Array(channels * channels)
    for (let m = 0; m < channels; m++)
      for (let c = Math.max(0, m - 2); c <= Math.min(channels - 1, m + 2); c++) band[m * channels + c] = 1e-4 / 5
    const sums = lax.convGeneralDilated(x.ref.mul(x.ref), array(band, [channels, channels, 1, 1]), [1, 1], 'VALID')
    return x.mul(np.exp(np.log(sums.add(1)).mul(-0.75)))
  }
  const scores = (p: Any[], x: Any): Any => {
    if (net === 'LeNet') {
      x = pool(conv(pool(conv(x, p, 0, 1, 0), 2), p, 1, 1, 0), 2)
      return fc(nn.relu(fc(x.reshape([batch, 800]), p, 2)), p, 3)
    }
    x = norm(pool(nn.relu(conv(x, p, 0, 4, 0)), 3), 24)
    x = norm(pool(nn.relu(conv(x, p, 1, 1, 2)), 3), 64)
    for (const i of [2, 3, 4]) x = nn.relu(conv(x, p, i, 1, 1))
    x = pool(x, 3).reshape([batch, 256])
    return fc(nn.relu(fc(nn.relu(fc(x, p, 5)), p, 6)), p, 7)
  }
  const loss = (p: Any[], x: Any, wanted: Any) => np.sum(nn.logSoftmax(scores(p, x), 1).mul(wanted)).mul(-1 / batch)
  const pass = jit(valueAndGrad(loss))
  return time(device, steps, async () => {
    const [value, gradients] = pass(
      params.map(p => p.ref),
      array(images, [batch, input[0], input[1], input[1]]),
      array(oneHot, [batch, classes]),
    )
    velocity = velocity.map((v, i) => v.mul(0.9).add((gradients[i] as Any).mul(0.01)))
    params = params.map((p, i) => p.add(velocity[i].ref.mul(-1)))
    const [read] = await value.data()
    return read
  })
}
