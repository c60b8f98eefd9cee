import type { NdArray } from 'ndarray'
import { RistrettoError } from '../errors.js'
import { ndarrayOf } from '../ndarrays.js'
import type { Net } from '../net.js'
import type { Dense } from './arrays.js'

/**
 * Run `count` items through the first input of a net, as many at a time as its batch holds (the last batch is filled up with zeros),
 * and gather the first output: count × what an item has there.
 * @param item values of item i, as long as one item of the input
 */
export async function forwardItems(net: Net, count: number, item: (i: number) => Dense | Promise<Dense>): Promise<NdArray<Float32Array>> {
  const input = net.inputs[0]
  const output = net.outputs[0]
  const blob = net.blobs[input]
  const size = blob.size(1)
  const perBatch = blob.shape[0]
  const batch = new Float32Array(perBatch * size)
  let values = new Float32Array(0)
  let shape = [0]
  for (let done = 0; done < count; done += perBatch) {
    const now = Math.min(perBatch, count - done)
    for (let k = 0; k < now; k++) {
      const { data, shape: got } = await item(done + k)
      if (data.length !== size)
        throw new RistrettoError(
          `item ${done + k} is ${got.join('×')} after preprocessing, input '${input}' takes ${blob.shape.slice(1).join('×')}`,
        )
      batch.set(data, k * size)
    }
    if (now < perBatch) batch.fill(0, now * size)
    const out = (await net.forward({ [input]: batch }))[output]
    if (out.shape[0] !== perBatch)
      throw new RistrettoError(
        `output '${output}' is [${out.shape.join(', ')}]: it does not have one item for each of the ${perBatch} inputs`,
      )
    const each = out.size / perBatch
    if (done === 0) {
      values = new Float32Array(count * each)
      shape = [count, ...out.shape.slice(1)]
    }
    values.set(out.data.subarray(0, now * each), done * each)
  }
  return ndarrayOf(values, shape)
}
