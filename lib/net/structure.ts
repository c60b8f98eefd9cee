import type { Blob } from '../blob.js'
import type { Engine } from '../engine.js'
import { RistrettoError } from '../errors.js'
import type { NetParameter } from '../generated/caffe.js'
import type { Layer, Phase } from '../layer.js'
import { fixed, fixFields } from '../system/fixed.js'
import { INSPECT } from '../system/ndarrays.js'
import { blobLossWeights, describeNet, type NetDescription, printed } from './description.js'
import { explainNet } from './explain.js'
import { notThere } from './lookup.js'
import { type MemoryPlan, memoryPlan } from './memory_plan.js'
import type { BuiltNet, NetNode } from './node.js'
import { Passes } from './passes.js'

const record = <T>(): Record<string, T> => Object.create(null)

/** What a net is made of, by name, and what can be said of it without running it. */
export abstract class NetStructure {
  /** `name` in the prototxt. */
  readonly name: string
  /** The description that the state selects, upgraded to the current format: what `printNet` prints. */
  readonly param: NetParameter
  /** TRAIN or TEST: which layers took part, and how they behave. */
  readonly phase: Phase
  /** Where the net computes: `engine.name`, and more in `engine.detail`. */
  readonly engine: Engine
  /** Activations by name, in creation order. */
  readonly blobs: Readonly<Record<string, Blob>>
  /** Learned weights by layer name, e.g. params['conv1'] is [weight, bias]. */
  readonly params: Readonly<Record<string, readonly Blob[]>>
  /** Names of the blobs that `forward` may be given: the tops of Input layers. */
  readonly inputs: readonly string[]
  /** Names of the blobs that no layer takes: what `forward` resolves to. */
  readonly outputs: readonly string[]
  /** In the order in which they run, splits included; `layerNames` likewise. */
  readonly layers: readonly Layer[]
  readonly layerNames: readonly string[]
  /** The same layers by name. */
  readonly layerDict: Readonly<Record<string, Layer>>
  /** Names of the blobs that a layer gives, by layer name. */
  readonly topNames: Readonly<Record<string, readonly string[]>>
  /** Names of the blobs that a layer takes, by layer name. */
  readonly bottomNames: Readonly<Record<string, readonly string[]>>
  /** @internal What was built: its nodes, blobs and params in their places. */
  readonly built: BuiltNet
  /** @internal Runs the layers. */
  readonly runner: Passes

  private readonly places = new Map<string, number>()

  /** Use Net.create. */
  protected constructor(built: BuiltNet, watch?: (node: NetNode) => void) {
    if (!built?.nodes) throw new RistrettoError("a Net is made by Net.create: await Net.create('net.prototxt')")
    this.built = built
    this.runner = new Passes(built, watch)
    this.name = built.name
    this.phase = built.phase
    this.engine = built.context.engine
    this.param = built.filtered
    this.inputs = Object.freeze([...built.inputs])
    this.outputs = Object.freeze([...built.outputs])
    this.layers = Object.freeze(built.nodes.map(node => node.layer))
    this.layerNames = Object.freeze(built.nodes.map(node => node.key))
    const blobs = record<Blob>()
    const params = record<readonly Blob[]>()
    const layerDict = record<Layer>()
    const topNames = record<readonly string[]>()
    const bottomNames = record<readonly string[]>()
    for (const blob of built.blobs) blobs[blob.name] = blob
    built.nodes.forEach((node, i) => {
      this.places.set(node.key, i)
      layerDict[node.key] = node.layer
      topNames[node.key] = Object.freeze(node.top.map(blob => blob.name))
      bottomNames[node.key] = Object.freeze(node.bottom.map(blob => blob.name))
      if (node.layer.blobs.length)
        params[node.key] = fixed(node.layer.blobs, i => this.refusal(`params['${node.key}'][${i}]`))
    })
    this.blobs = fixed(blobs, name => this.refusal(`blobs['${name}']`))
    this.params = fixed(params, name => this.refusal(`params['${name}']`))
    this.layerDict = fixed(layerDict, name => this.refusal(`layerDict['${name}']`))
    this.topNames = Object.freeze(topNames)
    this.bottomNames = Object.freeze(bottomNames)
    fixFields<NetStructure>(this, Object.keys(this) as (keyof NetStructure & string)[], name => this.refusal(name))
  }

  /** What to do instead of assigning to one of these. */
  private refusal(what: string): string {
    const instead = what.startsWith('params')
      ? "net.params['ip'][0].dataArray.set(values) writes weights, net.copyFrom(other) copies them, net.shareWith(other) shares them"
      : what.startsWith('blobs')
        ? "net.blob('data').dataArray.set(values) writes values"
        : 'make another net'
    return `net '${this.name}': net.${what} cannot be assigned or deleted: ${instead}`
  }

  /** The memory that this net needs, in bytes, by kind; shapes count, whether it has been taken yet or not. */
  memory(): MemoryPlan {
    return memoryPlan(this.built)
  }

  /** Printed, a net is a line for each layer: its name and type, the shapes of its tops and of its params. */
  [INSPECT](): string {
    return printed(this.built)
  }

  /** What was built: layers, connections, shapes, loss weights, who needs gradients, params. */
  describe(): NetDescription {
    return describeNet(this.built)
  }

  /**
   * Where each layer runs and why, and the bytes that a forward and a backward pass move between host and device: a
   * table to print.
   */
  explain(): string {
    return explainNet(this.built, this.runner.joined())
  }

  /** The weight of each blob in the objective, by blob name. */
  get blobLossWeights(): Record<string, number> {
    return blobLossWeights(this.built)
  }

  /** Seed of the random streams: given, or drawn when the net was made. */
  get seed(): number {
    return this.built.context.seed
  }

  /**
   * The blob of that name: what `blobs[name]` gives, but a RistrettoError that names the nearest one, not undefined,
   * where there is none.
   */
  blob(name: string): Blob {
    const blob = this.blobs[name]
    if (!blob) throw notThere(this.name, 'blob', name, Object.keys(this.blobs))
    return blob
  }

  /**
   * The layer of that name, whose `blobs` are its params: what `layerDict[name]` gives, but a RistrettoError that names
   * the nearest one, not undefined, where there is none.
   */
  layer(name: string): Layer {
    return this.layers[this.place(name)]
  }

  /** The place of the layer of that name. */
  protected place(name: string): number {
    const i = this.places.get(name)
    if (i === undefined) throw notThere(this.name, 'layer', name, this.layerNames)
    return i
  }

  /** Layer names to places, first to last. */
  protected range(first: string | undefined, last: string | undefined): [number, number] {
    return [first === undefined ? 0 : this.place(first), last === undefined ? this.layers.length - 1 : this.place(last)]
  }
}
