import { NetError } from '../errors.js'
import type { LayerParameter, Messages, NetParameter } from '../generated/caffe.js'
import type { builtInLayers } from '../generated/layer_list.js'
import { checkMessage } from '../proto/message.js'
import { type MessageName, messageInfo } from '../proto/schema.js'
import { mustTake } from '../system/arguments.js'
import { didYouMean } from '../system/names.js'
import { knownMessages } from './classes.js'

/** The library's classes of layers, by type. */
export type BuiltInLayers = typeof builtInLayers

/** A layer type of the library. */
export type KnownLayerType = keyof BuiltInLayers | 'Python'

/** The messages whose fields are a layer's own: they may be given without the name of the message. */
type OwnMessages<T extends KnownLayerType> = T extends keyof BuiltInLayers
  ? BuiltInLayers[T]['param'] extends readonly (infer Name)[]
    ? // what declares nothing inherits a list of whatever there is
      keyof LayerParameter extends Name
      ? never
      : Name
    : never
  : 'python_param'

/** Fields as they may be written: one value stands for a list of one. */
export type Loose<T> = T extends string | number | boolean | Uint8Array
  ? T
  : T extends Float32Array | Float64Array
    ? ArrayLike<number>
    : T extends readonly (infer E)[]
      ? Loose<E> | readonly Loose<E>[]
      : T extends object
        ? { [K in keyof T]?: Loose<T[K]> }
        : T

type UnionToIntersection<U> = (U extends unknown ? (u: U) => void : never) extends (i: infer I) => void ? I : never
type Own<T extends KnownLayerType> =
  OwnMessages<T> extends infer K extends keyof LayerParameter
    ? UnionToIntersection<K extends unknown ? Loose<NonNullable<LayerParameter[K]>> : never>
    : unknown

/** How a layer is put into its net. */
export interface Wiring {
  /** How many tops: 1 if left out; a list of tops comes back for 2 or more. */
  ntop?: number
  /** Write the tops over the bottoms. */
  in_place?: boolean
}

/** What every layer takes: all of LayerParameter but what follows from the wiring. */
export type CommonParams = Loose<Omit<LayerParameter, 'name' | 'type' | 'bottom' | 'top'>> & Wiring

/** What a layer of type T takes: its own parameters without the name of their message, and the common ones. */
export type LayerParams<T extends KnownLayerType> = ([Own<T>] extends [never]
  ? unknown
  : Omit<Own<T>, keyof CommonParams>) &
  CommonParams

type Repeat<N extends number, T, R extends T[] = []> = number extends N
  ? T[]
  : R['length'] extends N
    ? R
    : Repeat<N, T, [T, ...R]>

/** Makes a layer: bottoms first, then the parameters. Gives its top, or a list of tops for `ntop` of 2 or more. */
export interface LayerFunction<P> {
  <const N extends 2 | 3 | 4 | 5 | 6 | 7 | 8>(...args: [...bottoms: Top[], params: P & { ntop: N }]): Repeat<N, Top>
  (...args: Top[] | [...bottoms: Top[], params: P & { ntop?: 0 | 1 }]): Top
  (...args: [...bottoms: Top[], params: P]): Top | Top[]
}

/** A layer in the making: its type, bottoms and parameters. Its name comes from the NetSpec. */
export class LayerSpec {
  readonly tops: readonly Top[]

  constructor(
    readonly type: string,
    readonly bottoms: readonly Top[],
    readonly params: Readonly<Record<string, unknown>>,
    readonly ntop: number,
    readonly inPlace: boolean,
  ) {
    this.tops = Array.from({ length: ntop }, (_, n) => new Top(this, n))
  }

  /** The message, checked, with every flat parameter in the message that it belongs to. */
  toLayer(name: string, bottom: string[], top: string[]): LayerParameter {
    const layer: Record<string, unknown> = { name, type: this.type }
    if (bottom.length) layer['bottom'] = bottom
    if (top.length) layer['top'] = top
    for (const [key, value] of Object.entries(this.params)) {
      if (value === undefined) continue
      const message = this.home(key, name)
      if (message === undefined) layer[key] = merged(layer[key], value)
      else layer[message] = { ...(layer[message] as object | undefined), [key]: value }
    }
    return checkMessage('LayerParameter', layer, `layer '${name}' (${this.type})`)
  }

  /**
   * Which message holds the parameter; undefined for the layer itself. What ends in "param" belongs to the layer, as in
   * pycaffe.
   */
  private home(key: string, name: string): string | undefined {
    const fields = messageInfo('LayerParameter').byName
    const own = knownMessages(this.type)
    if (key.endsWith('param') && fields.has(key)) return undefined
    const found = own.find(message => fields.get(message)!.message!.byName.has(key))
    if (found || fields.has(key)) return found
    const known = [...own.flatMap(message => [...fields.get(message)!.message!.byName.keys()]), ...fields.keys()]
    throw new NetError(`layer '${name}' (${this.type}) has no parameter '${key}'${didYouMean(key, known)}`)
  }
}

/** A message that is given both flat and by its name: the fields of both. */
function merged(before: unknown, value: unknown): unknown {
  const isMessage =
    typeof before === 'object' &&
    before !== null &&
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value)
  return isMessage ? { ...before, ...value } : value
}

/** One output of a layer. `n` is −1 where a layer has none (`ntop: 0`) and the Top stands for the layer. */
export class Top {
  constructor(
    readonly layer: LayerSpec,
    readonly n: number,
  ) {}

  /** Taking one top apart, as in [a, b] = L.Slice(…), is a mistake that JavaScript words badly. */
  [Symbol.iterator](): never {
    throw new NetError(
      `${this.layer.type} was made with one top: write ntop: 2, or how many there are, to get a list of them`,
    )
  }

  /** The net of all layers that this top needs, with the names that a NetSpec gave them, made-up ones for the others. */
  toProto(): NetParameter {
    return toProto(this)
  }
}

/**
 * The net of all layers that the tops need, with the names that a NetSpec gave them. What has none gets its type and a
 * number.
 */
export function toProto(...tops: Top[]): NetParameter {
  mustBeTops('toProto', tops)
  return new Namer(new Map()).net(tops)
}

/** Throws a RistrettoError where one of what `method` was given is no top. */
export function mustBeTops(method: string, given: readonly Top[]): void {
  for (const top of given) mustTake(top instanceof Top, method, 'tops, as L.Convolution(n.data, { … }) gives them', top)
}

/** Names that programs gave to tops, or to layers without tops, in a NetSpec. */
const given = new WeakMap<Top | LayerSpec, string>()

/** Writes layers down in the order in which they are needed, and finds names for them. */
class Namer {
  private readonly done = new Map<LayerSpec, LayerParameter>()
  private readonly counts = new Map<string, number>()
  private readonly taken: Set<string>

  /** @param names given names, of tops, or of layers without tops */
  constructor(private readonly names: Map<Top | LayerSpec, string>) {
    this.taken = new Set(names.values())
  }

  net(tops: Iterable<Top>): NetParameter {
    for (const top of tops) this.write(top.layer)
    return { layer: [...this.done.values()] }
  }

  private write(layer: LayerSpec): LayerParameter {
    const known = this.done.get(layer)
    if (known) return known
    const bottoms = layer.bottoms.map(bottom => this.write(bottom.layer).top![bottom.n])
    const tops = layer.inPlace ? bottoms : layer.tops.map(top => this.name(top, layer.type))
    const param = layer.toLayer(this.name(layer.tops[0] ?? layer, layer.type), bottoms, tops)
    this.done.set(layer, param)
    return param
  }

  /** A name that the program gave, unless something else has it. */
  private free(name: string | undefined): string | undefined {
    return name === undefined || this.taken.has(name) ? undefined : name
  }

  private madeUp(type: string): string {
    for (;;) {
      const count = (this.counts.get(type) ?? 0) + 1
      this.counts.set(type, count)
      if (!this.taken.has(`${type}${count}`)) return `${type}${count}`
    }
  }

  private name(of: Top | LayerSpec, type: string): string {
    let name = this.names.get(of)
    if (name === undefined) {
      name = this.free(given.get(of)) ?? this.madeUp(type)
      this.names.set(of, name)
      this.taken.add(name)
    }
    return name
  }
}

function layerFunction(type: string): LayerFunction<Record<string, unknown>> {
  const make = (...args: (Top | Record<string, unknown>)[]): Top | Top[] => {
    const last = args.at(-1)
    const hasParams = args.length > 0 && isPlain(last)
    const bottoms = (hasParams ? args.slice(0, -1) : args) as Top[]
    bottoms.forEach((bottom, i) => {
      if (!(bottom instanceof Top))
        throw new NetError(`${type}: bottom ${i} is no top but ${shown(bottom)}; spread a list of tops with ...`)
      if (bottom.n < 0)
        throw new NetError(`${type}: bottom ${i} is a ${bottom.layer.type} layer with ntop: 0, which has no top`)
    })
    const { ntop = 1, in_place = false, ...params } = (hasParams ? last : {}) as Record<string, unknown>
    if (!Number.isInteger(ntop) || (ntop as number) < 0)
      throw new NetError(`${type}: ntop must be 0 or more, not ${shown(ntop)}`)
    const layer = new LayerSpec(type, bottoms, params, ntop as number, in_place === true)
    if (layer.inPlace && bottoms.length < layer.ntop)
      throw new NetError(`${type}: in_place needs a bottom for every top, here are ${bottoms.length} for ${layer.ntop}`)
    if (ntop === 0) return new Top(layer, -1)
    return ntop === 1 ? layer.tops[0] : [...layer.tops]
  }
  return make as LayerFunction<Record<string, unknown>>
}

const isPlain = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !(value instanceof Top) && !Array.isArray(value)

const shown = (value: unknown): string =>
  Array.isArray(value) ? `a list of ${value.length}` : typeof value === 'string' ? `'${value}'` : String(value)

/** Makes layers of a type that the library does not know: your own, registered with registerLayer. */
export function customLayer<P extends object = Record<string, unknown>>(type: string): LayerFunction<P & CommonParams> {
  mustTake(typeof type === 'string', 'customLayer', "the name of a layer type, 'Swish'", type)
  return layerFunction(type) as unknown as LayerFunction<P & CommonParams>
}

/**
 * One function for every layer type: `L.Convolution(n.conv1, { kernel_size: 5, num_output: 20 })`. Bottoms come first,
 * then the fields of the layer's own message (convolution_param here) and those of the layer (`param`, `loss_weight`,
 * `include` …). See customLayer too.
 */
export const L: { readonly [T in KnownLayerType]: LayerFunction<LayerParams<T>> } = new Proxy(Object.create(null), {
  get: (made: Record<string, unknown>, type) => {
    if (typeof type !== 'string') return undefined
    made[type] ??= layerFunction(type)
    return made[type]
  },
})

type EnumValue<V> = V extends string ? (string extends V ? never : V) : never
type Constants<M> = { readonly [K in { [F in keyof M]-?: EnumValue<NonNullable<M[F]>> }[keyof M]]: K }
/** The constants of `P`: by parameter, each the word that it is. */
export type ParameterConstants = {
  readonly [M in keyof Messages as M extends `${infer Name}Parameter` ? Name : never]: Constants<Messages[M]>
}

/**
 * The constants of layer parameters: `P.Pooling.MAX`, `P.Eltwise.SUM`. They are the words of the prototxt, so 'MAX'
 * does as well.
 */
export const P: ParameterConstants = new Proxy(Object.create(null), {
  get: (made: Record<string, unknown>, name) =>
    typeof name === 'string' ? (made[name] ??= constants(name)) : undefined,
})

function constants(name: string): Record<string, string> | undefined {
  let info: ReturnType<typeof messageInfo>
  try {
    info = messageInfo(`${name}Parameter` as MessageName)
  } catch {
    return undefined
  }
  return Object.fromEntries(info.fields.flatMap(field => (field.enum?.names ?? []).map(word => [word, word])))
}

/** A net in the making: what is assigned to a name becomes the layer and the top of that name. */
export type NetSpec = NetSpecMethods & { [name: string]: Top }

/** What a NetSpec can do, beside holding tops. */
export interface NetSpecMethods {
  /** The layers that the assigned tops need, each after its bottoms, in the order of the assignments. */
  toProto(): NetParameter
}

class Spec {
  readonly tops = new Map<string, Top>()

  toProto(): NetParameter {
    const names = new Map<Top | LayerSpec, string>()
    for (const [name, top] of this.tops) names.set(top.n < 0 ? top.layer : top, name)
    return new Namer(names).net(this.tops.values())
  }
}

/**
 *     const n = new NetSpec()
 *     n.data = L.Input({ shape: { dim: [64, 1, 28, 28] } })
 *     n.conv1 = L.Convolution(n.data, { kernel_size: 5, num_output: 20, weight_filler: { type: 'xavier' } })
 *     n.relu1 = L.ReLU(n.conv1, { in_place: true })
 *     const net = await Net.create(n.toProto())
 *
 * Names that are no JavaScript words go in brackets: n['loss1/conv']. Several tops are taken apart: [n.data, n.label] =
 * L.Data({ …, ntop: 2 }).
 */
export const NetSpec = function NetSpec() {
  const spec = new Spec()
  const toProto = () => spec.toProto()
  return new Proxy(Object.create(null), {
    get: (_, name) => (name === 'toProto' ? toProto : typeof name === 'string' ? spec.tops.get(name) : undefined),
    set: (_, name, top) => {
      if (typeof name !== 'string' || name === 'toProto')
        throw new NetError(`a layer cannot have the name ${String(name)} in a NetSpec`)
      if (!(top instanceof Top))
        throw new NetError(
          `n.${name} must be a top, not ${shown(top)}; several are assigned as [n.a, n.b] = L.…({ …, ntop: 2 })`,
        )
      spec.tops.set(name, top)
      given.set(top.n < 0 ? top.layer : top, name)
      return true
    },
    has: (_, name) => name === 'toProto' || spec.tops.has(String(name)),
    deleteProperty: (_, name) => {
      spec.tops.delete(String(name))
      return true
    },
    ownKeys: () => [...spec.tops.keys()],
    getOwnPropertyDescriptor: (_, name) => {
      const value = spec.tops.get(String(name))
      return value && { value, writable: true, enumerable: true, configurable: true }
    },
  })
} as unknown as {
  /** A net without layers. */
  new (): NetSpec
}
