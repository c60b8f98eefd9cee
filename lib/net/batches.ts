import type { NdArray } from 'ndarray'
import type { Blob } from '../blob.js'
import { RistrettoError } from '../errors.js'
import { mustBeNet } from '../system/arguments.js'
import { checkOptions, names } from '../system/check_options.js'
import { didYouMean, listNames } from '../system/names.js'
import { copyValues, countOf, named, ndarrayOf, type Values } from '../system/ndarrays.js'
import { mainOutput } from './main_output.js'
import type { BackwardOptions, ForwardOptions } from './options.js'
import { type Arrays, refuseValues } from './values.js'

/** Values in row-major order. */
interface Item {
  readonly data: Float32Array
  readonly shape: readonly number[]
}

/** What of a Net its passes over many batches need. */
export interface Runnable {
  readonly name: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly blobs: Record<string, Blob>
  /** As Net.forward. */
  forward(inputs?: Record<string, Values>, options?: ForwardOptions): Promise<Arrays>
  /** As Net.backward. */
  backward(diffs?: Record<string, Values>, options?: BackwardOptions): Promise<Arrays>
}

/**
 * Run `count` items through the first input of a net, as many at a time as its batch holds (the last batch is filled up
 * with zeros), and gather the first output: count × what an item has there.
 * @param item values of item i, as long as one item of the input
 */
export async function forwardItems(
  net: Runnable,
  count: number,
  item: (i: number) => Item | Promise<Item>,
): Promise<NdArray<Float32Array>> {
  const input = net.inputs[0]
  const output = mainOutput(net)
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

/** Values of several inputs cut into batches, the last one filled up with zeros. */
class Batches {
  readonly count: number
  readonly perBatch: number
  private readonly inputs: { readonly name: string; readonly size: number; readonly values: Float32Array }[] = []

  constructor(net: Runnable, values: Record<string, Values>) {
    let count = -1
    let perBatch = 0
    for (const [name, given] of Object.entries(values)) {
      const blob = net.blobs[name]
      if (!blob)
        throw new RistrettoError(
          `net '${net.name}' has no blob '${name}'${didYouMean(name, Object.keys(net.blobs))}; its blobs are ${listNames(Object.keys(net.blobs))}`,
        )
      if (!blob.numAxes) throw new RistrettoError(`blob '${name}' is a single value, which has no batch`)
      const size = blob.size(1)
      const data = named(`blob '${name}'`, () => {
        const data = new Float32Array(Math.max(0, countOf(given)))
        copyValues(given, data)
        return data
      })
      const items = data.length / size
      if (!Number.isInteger(items))
        throw new RistrettoError(`'${name}': ${data.length} values do not make whole items of ${size}`)
      if (count >= 0 && items !== count)
        throw new RistrettoError(
          `'${name}' has ${items} items, '${this.inputs[0].name}' ${count}: all must have the same number`,
        )
      if (perBatch && blob.shape[0] !== perBatch)
        throw new RistrettoError(`'${name}' takes ${blob.shape[0]} items a batch, '${this.inputs[0].name}' ${perBatch}`)
      count = items
      perBatch = blob.shape[0]
      this.inputs.push({ name, size, values: data })
    }
    this.count = Math.max(0, count)
    this.perBatch = perBatch
  }

  get batches(): number {
    return this.count ? Math.ceil(this.count / this.perBatch) : 0
  }

  /** Batch number i, by name. */
  batch(i: number): Record<string, Float32Array> {
    const from = i * this.perBatch
    return Object.fromEntries(
      this.inputs.map(({ name, size, values }) => {
        const part = values.subarray(from * size, (from + this.perBatch) * size)
        if (part.length === this.perBatch * size) return [name, part]
        const full = new Float32Array(this.perBatch * size)
        full.set(part)
        return [name, full]
      }),
    )
  }
}

/** Puts the results of batches behind each other. */
class Gathered {
  private readonly parts = new Map<string, NdArray<Float32Array>[]>()

  add(arrays: Arrays): void {
    for (const [name, array] of Object.entries(arrays)) this.parts.set(name, [...(this.parts.get(name) ?? []), array])
  }

  /** One array a name: `count` items, or one entry a batch where the first axis is no batch of `perBatch`. */
  all(count: number, perBatch: number): Arrays {
    const result: [name: string, values: Arrays[string]][] = []
    for (const [name, parts] of this.parts) {
      const { shape, size } = parts[0]
      const byItem = shape.length > 0 && shape[0] === perBatch
      const length = byItem ? (count * size) / perBatch : parts.length * size
      const values = new Float32Array(length)
      parts.forEach((part, i) => values.set(part.data.subarray(0, Math.min(size, length - i * size)), i * size))
      result.push([name, ndarrayOf(values, byItem ? [count, ...shape.slice(1)] : [parts.length, ...shape])])
    }
    return Object.fromEntries(result)
  }
}

/**
 * Run any number of items through a net, batch by batch; the last batch is filled up with zeros, whose results are left
 * out. Resolves to the outputs (and `options.blobs`) of all items, N × …; a top without a batch axis, such as a loss,
 * has one entry a batch.
 */
export async function forwardAll(
  net: Runnable,
  inputs: Record<string, Values>,
  options: { blobs?: readonly string[] } = {},
): Promise<Arrays> {
  mustBeNet(net, 'forwardAll')
  checkOptions('forwardAll', options, { blobs: names })
  const refused = refuseValues(inputs, net.inputs)
  if (refused) throw refused
  const batches = new Batches(net, inputs)
  const out = new Gathered()
  for (let i = 0; i < batches.batches; i++) out.add(await net.forward(batches.batch(i), options))
  return out.all(batches.count, batches.perBatch)
}

/**
 * The same with a backward pass after each forward pass. Param diffs add up over the batches.
 * @param values inputs, and for the backward passes gradients of outputs, each for all items; without these, top diffs
 * stay as they are
 * @returns the outputs and `options.blobs`, and the gradients of inputs and of `options.diffs`
 */
export async function forwardBackwardAll(
  net: Runnable,
  values: Record<string, Values>,
  options: { blobs?: readonly string[]; diffs?: readonly string[] } = {},
): Promise<[blobs: Arrays, diffs: Arrays]> {
  mustBeNet(net, 'forwardBackwardAll')
  checkOptions('forwardBackwardAll', options, { blobs: names, diffs: names })
  const refused = refuseValues(values, net.inputs)
  if (refused) throw refused
  const entries = Object.entries(values)
  const inputs = new Batches(net, Object.fromEntries(entries.filter(([name]) => net.inputs.includes(name))))
  const gradients = new Batches(net, Object.fromEntries(entries.filter(([name]) => !net.inputs.includes(name))))
  if (gradients.count && gradients.count !== inputs.count)
    throw new RistrettoError(`there are ${inputs.count} items, but gradients for ${gradients.count}`)
  const [blobs, diffs] = [new Gathered(), new Gathered()]
  for (let i = 0; i < inputs.batches; i++) {
    // queued together, so that no other pass comes between the two
    const passes = [
      net.forward(inputs.batch(i), { blobs: options.blobs }),
      net.backward(gradients.batch(i), { diffs: options.diffs }),
    ]
    const [forward, backward] = await Promise.all(passes)
    blobs.add(forward)
    diffs.add(backward)
  }
  return [blobs.all(inputs.count, inputs.perBatch), diffs.all(inputs.count, inputs.perBatch)]
}
