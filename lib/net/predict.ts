import { type Decoders, decodePicture } from '../data/decode_picture.js'
import { importPixels, type PlanarImage, toPlanes } from '../data/image.js'
import { importDeflate } from '../data/inflate.js'
import { type Preparation, planesFor, preparePicture } from '../data/preparation.js'
import { RistrettoError } from '../errors.js'
import { aCount, aSignal, aText, checkOptions, type OptionRules } from '../system/check_options.js'
import { listNames } from '../system/names.js'
import { copyValues, countOf, isNdArray, named, type Values } from '../system/ndarrays.js'
import { mainOutput } from './main_output.js'
import type { BuiltNet } from './node.js'
import type { Passes } from './passes.js'

/** A picture as canvases and decoders hand it over: R, G, B, A bytes, row by row. */
export interface RgbaPicture {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array | Uint8ClampedArray
}

/** A picture: a path or URL, the bytes of its file, RGBA pixels. */
export type Picture = string | URL | Uint8Array | RgbaPicture

/**
 * What is predicted: a picture, which is prepared as those of the training were, or the values of the input as they are;
 * of a net with several inputs an object of values by their names.
 */
export type PredictItem = Picture | Values | number | Readonly<Record<string, Values | number>>

/** What of the predictions is wanted, and how many items run at a time. */
export interface PredictOptions {
  /** The blob whose rows are given; default: the first output. */
  output?: string
  /** Items of a batch; default 32, or less where there are fewer. Results do not depend on it. */
  batch?: number
  /** Stops between two layers: the promise rejects with the signal's reason. */
  signal?: AbortSignal
}

const RULES: OptionRules<PredictOptions> = { output: aText, batch: aCount, signal: aSignal }

/** What of a Net is needed here. */
export interface Predicting {
  readonly name: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly built: BuiltNet
  readonly runner: Passes
  blob(name: string): BuiltNet['blobs'][number]
  preparation(): Promise<Preparation | undefined>
  exclusive<T>(task: () => Promise<T>): Promise<T>
}

/**
 * One row of values an item: those of the output.
 * @param hold runs a batch while nothing else uses what the net shares
 */
export async function predictItems(
  net: Predicting,
  items: Iterable<PredictItem> | AsyncIterable<PredictItem>,
  options: PredictOptions,
  hold = <T>(task: () => Promise<T>): Promise<T> => task(),
): Promise<Float32Array[]> {
  checkOptions('predict', options, RULES)
  const { output, batch: most = 32, signal } = options
  mustBeItems(items)
  if (!net.inputs.length) throw new RistrettoError(`net '${net.name}' has no input to predict from`)
  if (!Number.isInteger(most) || most < 1)
    throw new RistrettoError(`predict: batch is ${most}; it is a whole number from 1 on`)
  const name = output ?? mainOutput(net)
  const out = net.blob(name)
  const rows: Float32Array[] = []
  const inputs = inputsOf(net)
  const values = valuesMaker(net, inputs)
  let waiting: Float32Array[][] = []
  const run = async () => {
    const now = waiting
    waiting = []
    if (now.length) rows.push(...(await hold(() => pass(net, inputs, now, out, signal))))
  }
  let i = 0
  for await (const item of items) {
    waiting.push(await values(item, i++))
    if (waiting.length === most) await run()
  }
  await run()
  return rows
}

/** A text can be iterated, too, letter by letter: one path is no list of paths. */
function mustBeItems(items: unknown): void {
  if (typeof items === 'object' && items !== null && (Symbol.iterator in items || Symbol.asyncIterator in items)) return
  const what = typeof items === 'object' && items !== null ? 'an object' : items === null ? 'null' : `a ${typeof items}`
  throw new RistrettoError(
    `predict takes a list of items, or what gives them one by one, not ${items === undefined ? 'nothing' : what}: for one item predict([item])`,
  )
}

/** Run items as one batch; the inputs are as large as before when it is over. */
function pass(
  net: Predicting,
  inputs: readonly BuiltNet['blobs'][number][],
  items: readonly (readonly Float32Array[])[],
  out: BuiltNet['blobs'][number],
  signal: AbortSignal | undefined,
): Promise<Float32Array[]> {
  return net.exclusive(async () => {
    const shapes = inputs.map(({ shape }) => [...shape])
    try {
      inputs.forEach((blob, k) => {
        blob.reshape([items.length, ...shapes[k].slice(1)])
        net.runner.unfeed([blob])
        blob.memory.data.claim()
        blob.memory.data.write(array => {
          for (const [i, parts] of items.entries()) array.set(parts[k], i * parts[k].length)
        })
      })
      await net.runner.forward(0, net.built.nodes.length - 1, { signal })
      await out.memory.data.pull()
      if (out.numAxes === 0 || out.dim(0) % items.length)
        throw new RistrettoError(
          `output '${out.name}' is [${out.shape.join(', ')}]: it does not have a row for each of ${items.length} items`,
        )
      const size = out.count / items.length
      return items.map((_, i) => out.memory.data.values.slice(i * size, (i + 1) * size))
    } finally {
      inputs.forEach((blob, k) => {
        blob.reshape(shapes[k])
      })
    }
  })
}

/** The inputs that a layer reads; all of them, if there is no such. */
function inputsOf(net: Predicting): BuiltNet['blobs'][number][] {
  const read = new Set(net.built.nodes.flatMap(({ param }) => param.bottom ?? []))
  const inputs = net.inputs.map(name => net.blob(name))
  const needed = inputs.filter(({ name }) => read.has(name))
  return needed.length ? needed : inputs
}

/** Makes the values of each input of an item. */
function valuesMaker(
  net: Predicting,
  inputs: readonly BuiltNet['blobs'][number][],
): (item: PredictItem, i: number) => Promise<Float32Array[]> {
  let decoders: Promise<{ preparation: Preparation } & Decoders> | undefined
  const prepared = async (picture: Picture): Promise<Float32Array> => {
    decoders ??= decodersFor(net)
    const { preparation, ...decode } = await decoders
    return preparePicture(await planesOf(picture, planesFor(preparation), decode, net), preparation)
  }
  return async (item, i) => {
    const where = `predict: item ${i}`
    if (isPicture(item, inputs[0].size(1))) {
      if (inputs.length > 1)
        throw new RistrettoError(
          `${where} is a picture, net '${net.name}' has the inputs ${listNames(inputs.map(({ name }) => name))}`,
        )
      try {
        return [await prepared(item)]
      } catch (error) {
        if (!(error instanceof RistrettoError)) throw error
        const Type = error.constructor as new (message: string, options?: ErrorOptions) => RistrettoError
        throw new Type(`${where}${typeof item === 'string' ? `, '${item}'` : ''}: ${error.message}`, { cause: error })
      }
    }
    if (inputs.length > 1 && !isRecord(item))
      throw new RistrettoError(
        `${where} is no object with values for each input of net '${net.name}': { ${inputs.map(({ name }) => `'${name}': …`).join(', ')} }`,
      )
    return inputs.map(blob => {
      const value = inputs.length === 1 && !isRecord(item) ? item : (item as Record<string, unknown>)?.[blob.name]
      return itemValues(value, blob.size(1), blob.shape, `${where}${inputs.length > 1 ? `, input '${blob.name}'` : ''}`)
    })
  }
}

function itemValues(value: unknown, size: number, shape: readonly number[], where: string): Float32Array {
  const given = typeof value === 'number' ? [value] : value
  if (typeof given !== 'object' || given === null)
    throw new RistrettoError(`${where} is ${given === null ? 'null' : typeof given}; values or a picture are expected`)
  return named(where, () => {
    const count = countOf(given as Values)
    if (count !== size)
      throw new RistrettoError(
        `${where} ${typeof value === 'number' ? 'is one value' : `has ${count < 0 ? 'rows of uneven length' : `${count} values`}`}, an item of the input has ${shape.length > 2 ? `${shape.slice(1).join('×')} = ` : ''}${size}${typeof value === 'number' ? '; for one item predict([item])' : ''}`,
      )
    const values = new Float32Array(size)
    copyValues(given as Values, values)
    return values
  })
}

const isRecord = (item: unknown): item is Readonly<Record<string, Values | number>> =>
  typeof item === 'object' && item !== null && !('length' in item) && !isNdArray(item)

/** Bytes are a picture's file if they begin as one; as many as the input has values are these. */
function isPicture(item: PredictItem, size: number): item is Picture {
  if (typeof item === 'string' || item instanceof URL) return true
  if (typeof item !== 'object' || item === null || isNdArray(item)) return false
  if (item instanceof Uint8Array) return item.length !== size
  return 'width' in item && 'height' in item && 'data' in item
}

async function decodersFor(net: Predicting): Promise<{ preparation: Preparation } & Decoders> {
  const preparation = await net.preparation()
  if (!preparation)
    throw new RistrettoError(
      `neither prototxt nor model of net '${net.name}' says how pictures become its input: net.setPreparation({ … }) says it, or give values instead of pictures`,
    )
  return { preparation, pixels: () => importPixels(), deflate: await importDeflate() }
}

async function planesOf(
  picture: Picture,
  channels: 1 | 3,
  decoders: Decoders,
  { built }: Predicting,
): Promise<PlanarImage> {
  if (typeof picture === 'string' || picture instanceof URL || picture instanceof Uint8Array)
    return decodePicture(await built.context.files.read(picture), channels, decoders)
  const { width, height, data } = picture
  if (data.length !== 4 * width * height)
    throw new RistrettoError(`its ${data.length} bytes are no ${width}×${height} pixels of R, G, B, A`)
  const rgba = new Uint8Array(data.buffer, data.byteOffset, data.length)
  return toPlanes({ width, height, rgba, channels: 3, type: 'image/png' }, channels)
}

/** Whether predictions need another net: one with labels, data of its own, or dropout at work. */
export const needsDeploy = ({ nodes, phase }: BuiltNet): boolean =>
  phase === 'TRAIN' ||
  nodes.some(({ layer, param }) => {
    const { atDeploy, isInput } = layer.constructor as { atDeploy?: unknown; isInput?: boolean }
    return param.bottom?.length ? atDeploy !== undefined : !isInput && atDeploy !== 'stays'
  })
