import { Blob, type Shape, sizeOf } from '../blob.js'
import type { Engine } from '../engine.js'
import { kernelsOf } from '../engines/complete.js'
import { createEngine, type EngineName } from '../engines/index.js'
import { RistrettoError } from '../errors.js'
import { fillBlob } from '../filler.js'
import type { FillerParameter, LayerParameter } from '../generated/caffe.js'
import type { Layer, LayerClass, Phase } from '../layer.js'
import { Memory } from '../memory.js'
import { checkMessage } from '../proto/message.js'
import { parseText } from '../proto/text.js'
import { engineFor } from '../registry.js'
import { RandomStream } from '../rng.js'
import { aCount, aList, anEngine, anything, aSeed, aWhole, type OptionRules, oneOf } from '../system/check_options.js'
import { createFiles } from '../system/files.js'

/** What goes into the layer: a shape, filled from N(0, 1), or a shape and how to fill it. */
export type BottomSpec = Shape | BottomOptions

/** One bottom of the layer that is checked: its shape, and the values or where they come from. */
export interface BottomOptions {
  readonly shape: Shape
  /** The values themselves, row-major. */
  readonly values?: ArrayLike<number>
  /** Random integers 0 … labels − 1; such a bottom gets no gradient. */
  readonly labels?: number
  /** A prototxt filler; default: gaussian, mean 0, std 1. */
  readonly filler?: FillerParameter
  /** Whether the gradient of this bottom is asked for; default: if the layer allows it. */
  readonly gradient?: boolean
}

/** The layer to check, and what it is given. */
export interface RigOptions {
  /** The inside of `layer { … }`, as prototxt text or as an object: 'swish_param { beta: 2 }'. */
  readonly param?: string | LayerParameter
  readonly bottoms: readonly BottomSpec[]
  /** Number of tops; default: the smallest that the layer takes. */
  readonly tops?: number
  /** Default: TRAIN. */
  readonly phase?: Phase
  readonly engine?: EngineName | Engine
  readonly threads?: number
  /** Of the bottoms, the weights and the layer's own random numbers. Default: 1701. */
  readonly seed?: number
  /** Learned weights: drawn from N(0, 1) (default), left as the fillers made them, or given. */
  readonly weights?: 'random' | 'filler' | readonly ArrayLike<number>[]
}

export const RIG_RULES: OptionRules<RigOptions> = {
  param: anything,
  bottoms: aList,
  tops: aWhole,
  phase: oneOf('TRAIN', 'TEST'),
  engine: anEngine,
  threads: aCount,
  seed: aSeed,
  weights: anything,
}

/** One layer outside a net, with blobs of its own. */
export class LayerRig {
  readonly bottom: Blob[]
  readonly top: Blob[]
  /** Which bottoms get a gradient. */
  readonly wanted: boolean[]

  private constructor(
    readonly layer: Layer,
    readonly engine: Engine,
    private readonly options: RigOptions,
    readonly inPlace: boolean,
  ) {
    this.bottom = options.bottoms.map((spec, i) => new Blob(optionsOf(spec).shape, engine.heap, `bottom[${i}]`))
    const tops =
      options.tops ?? (layer.sameCounts ? this.bottom.length : (layer.topCount.exactly ?? layer.topCount.atLeast ?? 1))
    this.top = Array.from({ length: tops }, (_, i) =>
      inPlace && i === 0 ? this.bottom[0] : new Blob([], engine.heap, `top[${i}]`),
    )
    this.wanted = options.bottoms.map((spec, i) => {
      const { gradient, labels } = optionsOf(spec)
      return gradient ?? (labels === undefined && layer.allowsForceBackward(i))
    })
  }

  /** Make the layer, set it up and fill its bottoms and weights. */
  static async create(layerClass: LayerClass, options: RigOptions, inPlace = false): Promise<LayerRig> {
    // on a device a layer without kernels for it runs on the host, as in a net
    const engine = engineFor(layerClass, await createEngine(options.engine ?? 'js', { threads: options.threads }))
    const phase = options.phase ?? 'TRAIN'
    const param = { name: 'layer', type: layerClass.name, phase, ...readParam(options.param) }
    const context = { phase, engine, seed: options.seed ?? 1701, files: createFiles(), log() {} }
    const layer = new layerClass(param, context)
    const rig = new LayerRig(layer, engine, options, inPlace)
    await layer.setup(rig.bottom, rig.top)
    layer.blobs.forEach((blob, i) => {
      blob.adopt(engine.heap)
      layer.paramPropagateDown[i] = (layer.param.param?.[i]?.lr_mult ?? 1) !== 0
    })
    layer.reshape(rig.bottom, rig.top)
    layer.lossWeights = rig.top.map((_, i) => (layer.isLoss && i === 0 ? 1 : 0))
    rig.fillWeights()
    rig.fillBottoms(options.bottoms)
    return rig
  }

  /** Give the bottoms other shapes and values; the next forward reshapes the layer. */
  setBottoms(specs: readonly BottomSpec[]): void {
    this.bottom.forEach((blob, i) => {
      blob.reshape(optionsOf(specs[i]).shape)
    })
    this.layer.reshape(this.bottom, this.top)
    this.fillBottoms(specs)
  }

  fillBottoms(specs: readonly BottomSpec[] = this.options.bottoms): void {
    specs.forEach((spec, i) => {
      write(this.bottom[i].memory.data, bottomValues(optionsOf(spec), this.options.seed ?? 1701, i))
    })
  }

  /** Always the same pass: the layer's random numbers start afresh. */
  async forward(): Promise<void> {
    await this.away()
    this.layer.random.iteration = 0
    await this.layer.forward(this.bottom, this.top)
  }

  async backward(propagateDown: boolean[] = this.wanted): Promise<void> {
    await this.away()
    await this.layer.backward(this.top, propagateDown, this.bottom)
  }

  clearParamDiffs(): void {
    for (const blob of this.layer.blobs) write(blob.memory.diff, new Float32Array(blob.count))
  }

  /** Random gradients for the tops, the same for the same shapes. */
  seedTopDiffs(): void {
    this.top.forEach((blob, i) => {
      write(blob.memory.diff, normal([blob.count], this.options.seed ?? 1701, `top diff ${i}`))
    })
  }

  /** Blobs whose gradients the layer computes, by name. */
  checked(): { name: string; blob: Blob }[] {
    const bottoms = this.bottom.map((blob, i) => ({ name: `bottom[${i}]`, blob, wanted: this.wanted[i] }))
    const params = this.layer.blobs.map((blob, i) => ({
      name: `blobs[${i}]`,
      blob,
      wanted: this.layer.paramPropagateDown[i],
    }))
    return [...bottoms, ...params].filter(part => part.wanted)
  }

  dispose(): void {
    this.layer.dispose()
    for (const blob of [...this.top, ...this.bottom, ...this.layer.blobs]) blob.dispose()
  }

  private fillWeights(): void {
    const { weights = 'random', seed = 1701 } = this.options
    if (weights === 'filler') return
    if (weights !== 'random' && weights.length !== this.layer.blobs.length)
      throw new RistrettoError(
        `weights are given for ${weights.length} blobs, the layer has ${this.layer.blobs.length}`,
      )
    this.layer.blobs.forEach((blob, i) => {
      const values = weights === 'random' ? normal(blob.shape, seed, `weights ${i}`) : weights[i]
      if (values.length !== blob.count)
        throw new RistrettoError(
          `weights[${i}] has ${values.length} values, the blob has ${blob.count} (${blob.shape.join('×')})`,
        )
      write(blob.memory.data, values)
    })
  }

  /**
   * Where the layer runs on a device its values are there and nowhere else, as in a net: a host array that it reads then
   * throws.
   */
  private async away(): Promise<void> {
    const { engine } = this
    if (engine.isHost) return
    const { copy } = kernelsOf(engine)
    const blobs = new Set([...this.bottom, ...this.top, ...this.layer.blobs])
    for (const { memory } of blobs)
      for (const values of [memory.data, memory.diff]) {
        const sent = new Memory(values.length, engine.heap)
        sent.array.set(await valuesOf(values))
        copy(values.length, sent, values)
        sent.dispose()
      }
  }
}

/** A copy of the values, from wherever they are, in the engine's precision. */
export async function valuesOf(memory: Memory): Promise<Float32Array> {
  await memory.pull()
  return memory.array.slice()
}

/** Overwrite all values. */
export function write(memory: Memory, values: ArrayLike<number>): void {
  memory.claim()
  memory.array.set(values)
}

export function optionsOf(spec: BottomSpec): BottomOptions {
  return 'shape' in spec ? spec : { shape: spec }
}

function readParam(param: string | LayerParameter = {}): LayerParameter {
  return typeof param === 'string'
    ? parseText('LayerParameter', param, { file: 'param' })
    : checkMessage('LayerParameter', param, 'param')
}

function bottomValues(spec: BottomOptions, seed: number, index: number): ArrayLike<number> {
  const count = sizeOf(spec.shape)
  if (spec.values) {
    if (spec.values.length !== count)
      throw new RistrettoError(
        `bottom ${index} has ${spec.values.length} values for the shape [${spec.shape.join(', ')}]`,
      )
    return spec.values
  }
  const stream = new RandomStream(seed, `bottom ${index}`)
  if (spec.labels !== undefined) return Float32Array.from({ length: count }, () => stream.integer(spec.labels!))
  const blob = new Blob(spec.shape)
  fillBlob(blob, spec.filler ?? { type: 'gaussian' }, stream)
  return blob.dataArray
}

function normal(shape: Shape, seed: number, stream: string): Float32Array {
  const blob = new Blob(shape)
  fillBlob(blob, { type: 'gaussian' }, new RandomStream(seed, stream))
  return blob.dataArray
}
