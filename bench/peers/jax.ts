import { graphOf } from '../graph.js'
import { createNet } from '../nets/index.js'
import { type Peer, Refusal } from '../protocol.js'
import { compare, trainReference } from '../reference.js'
import { load, timed } from './load.js'

/** An array that every use consumes; `ref` lends it out once more. */
interface JaxArray {
  readonly ref: JaxArray
  reshape(shape: number[]): JaxArray
  add(other: JaxArray | number): JaxArray
  mul(other: JaxArray | number): JaxArray
  data(): Promise<Float32Array>
  dispose(): void
}
type Pass = (params: JaxArray[], x: JaxArray, targets: JaxArray) => [JaxArray, JaxArray[]]
interface Jax {
  init(...devices: string[]): Promise<string[]>
  defaultDevice(device: string): string
  jit(f: Pass): Pass
  valueAndGrad(f: (params: JaxArray[], x: JaxArray, targets: JaxArray) => JaxArray): Pass
  readonly numpy: {
    array(values: Float32Array, options?: { shape: number[] }): JaxArray
    matmul(a: JaxArray, b: JaxArray): JaxArray
    matrixTranspose(x: JaxArray): JaxArray
    max(x: JaxArray): JaxArray
    sum(x: JaxArray): JaxArray
  }
  readonly lax: {
    convGeneralDilated(x: JaxArray, w: JaxArray, strides: number[], padding: string): JaxArray
    reduceWindow(x: JaxArray, f: (x: JaxArray) => JaxArray, window: number[], strides: number[]): JaxArray
  }
  readonly nn: { relu(x: JaxArray): JaxArray; logSoftmax(x: JaxArray, axis: number): JaxArray }
}

/** jax-js on WebAssembly: LeNet's loss and gradients as one jitted function. */
export const jax: Peer = {
  async create(job) {
    const { init, defaultDevice, jit, valueAndGrad, numpy: np, lax, nn } = await load<Jax>('@jax-js/jax')
    if (!(await init('wasm')).includes('wasm')) throw new Refusal('its wasm backend does not start')
    defaultDevice('wasm')
    const reference = await trainReference(job)
    const deployed = await createNet(job.net, 'inference', job.batch, 'wasm', 1)
    const { ops } = graphOf(deployed)
    const { batch } = job
    const array = (values: Float32Array, shape: readonly number[]) => np.array(values).reshape([...shape])
    const params = Object.values(deployed.params).flatMap(blobs =>
      blobs.map(blob => array(blob.dataArray.slice(), blob.shape)),
    )
    const images = array(reference.inputs.data, deployed.blobs['data'].shape)
    const classes = ops.at(-1)!.shape[1]
    const oneHot = new Float32Array(batch * classes)
    reference.inputs.label.forEach((value, i) => (oneHot[i * classes + value] = 1))
    const targets = array(oneHot, [batch, classes])
    deployed.dispose()

    const loss = (weights: JaxArray[], x: JaxArray, wanted: JaxArray): JaxArray => {
      const next = [...weights]
      for (const op of ops) {
        if (op.op === 'conv') {
          const [weight, bias] = next.splice(0, 2)
          x = lax.convGeneralDilated(x, weight, [...op.stride], 'VALID').add(bias.reshape([op.weightShape[0], 1, 1]))
        } else if (op.op === 'pool') x = lax.reduceWindow(x, np.max, [...op.kernel], [...op.stride])
        else if (op.op === 'fc') {
          const [weight, bias] = next.splice(0, 2)
          x = np.matmul(x.reshape([batch, op.weight.length / op.outputs]), np.matrixTranspose(weight)).add(bias)
        } else if (op.op === 'relu') x = nn.relu(x)
      }
      return np.sum(nn.logSoftmax(x, 1).mul(wanted)).mul(-1 / batch)
    }
    const pass = jit(valueAndGrad(loss))
    const compute = async (): Promise<Float32Array[]> => {
      const lent = params.map(param => param.ref)
      const [value, gradients] = pass(lent, images.ref, targets.ref)
      return Promise.all([value, ...gradients].map(result => result.data()))
    }
    const expected = [Float32Array.of(reference.loss), ...Object.values(reference.gradients).flat()]
    const deviation = compare(
      (await compute()).map((values, i) => [values, expected[i]] as const),
      'train',
    )
    reference.net.dispose()
    return { detail: 'wasm', deviation, run: async () => ({ train: await timed(compute) }) }
  },
}
