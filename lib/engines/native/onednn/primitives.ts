import type { After, LRNShape } from '../../../engine.js'
import { ADDRESS, FLOAT32, type Handle, type Library, Refused } from './library.js'
import { ANY, plainTag } from './tags.js'

/** What primitives call their memories. */
export const SRC = 1
export const SECOND = 2
export const DST = 17
export const WEIGHTS = 33
export const BIAS = 41
export const SCRATCH = 80
export const DIFF_SRC = 129
export const DIFF_DST = 145

const INFERENCE = 96
const [DIRECT, MAXIMUM, MEAN_OF_ALL, MEAN_INSIDE, ACROSS, ADD] = [1, 0x1ff, 0x2ff, 0x3ff, 0xaff, 0x1fff0]
const [SOURCE_OF, DIFF_SOURCE_OF, WEIGHTS_OF, DESTINATION_OF, DIFF_DESTINATION_OF, SCRATCH_OF] = [
  129, 130, 131, 133, 134, 136,
]
const USER = 1

/** Channels of images: all values lie together, plain (C, H, W) or with channels in blocks. */
export interface Extent {
  readonly channels: number
  readonly height: number
  readonly width: number
}

/** A convolution of one image of two axes. */
export interface Planar {
  readonly channels: number
  readonly outputs: number
  readonly group: number
  readonly input: Pair
  readonly output: Pair
  readonly kernel: Pair
  readonly stride: Pair
  readonly pad: Pair
  readonly dilation: Pair
}
export type Pair = readonly [height: number, width: number]

/** Windows of a pooling; the padding behind the last value is as wide as the last window needs. */
export interface PoolWindow {
  readonly kernel: Pair
  readonly stride: Pair
  readonly pad: Pair
  readonly padAfter: Pair
}

/** MAX; the mean over what a window covers, padding included; over what lies in the picture. */
export type Pooled = 'max' | 'mean' | 'mean inside'
const METHODS: Record<Pooled, number> = { max: MAXIMUM, mean: MEAN_OF_ALL, 'mean inside': MEAN_INSIDE }

/** Axes of weights: outputs, channels and taps, of each group where there are several. */
export const weightSizes = ({ channels, outputs, group, kernel }: Planar): number[] =>
  group > 1 ? [group, outputs / group, channels / group, ...kernel] : [outputs, channels, ...kernel]

/** How far the last window of an axis reaches beyond the picture, at least as far as not at all. */
export const overhang = (
  { input, output, kernel, stride, pad, dilation }: Omit<Planar, 'channels' | 'outputs' | 'group'>,
  i: number,
): number => Math.max(0, (output[i] - 1) * stride[i] + (kernel[i] - 1) * dilation[i] + 1 - pad[i] - input[i])

/** Something that can be executed, by any thread. */
export interface Primitive {
  readonly handle: Handle
  readonly pd: Handle
  /** Descriptions of its memories by argument; they last as long as it does. */
  readonly memories: ReadonlyMap<number, Handle>
}

/** By argument: what the library calls a memory, and which of that kind. */
type Memories = Record<number, number | readonly [what: number, index: number]>

const CONVOLVED: Memories = { [SRC]: SOURCE_OF, [WEIGHTS]: WEIGHTS_OF, [DST]: DESTINATION_OF }

/** What is done to a result before it is stored: a sum with what is there, then what `after` says. */
export interface Posts {
  readonly sum: boolean
  readonly after: After | undefined
}

/** Plain code, which is there for checks, and code that writes out what the taps see: slow, or in need of much room. */
const isFast = (implementation: string): boolean =>
  /^(jit|brg)/.test(implementation) && !implementation.includes('gemm')

/** Makes primitives; each is to be destroyed. Throws `Refused` where the library has no fast code for one. */
export class Primitives {
  constructor(readonly library: Library) {}

  /** One image: with channels in blocks, or plain. */
  describe({ channels, height, width }: Extent, isPlain: boolean): Handle {
    const { library } = this
    return library.describe([1, channels, height, width], isPlain ? plainTag(4, library.isV3) : library.tags!.tag)
  }

  /** A convolution of one image by `shape.outputs` outputs. */
  convolution(shape: Planar, isPlain: boolean, hasBias: boolean, posts: Posts): Primitive {
    const { library } = this
    const { channels, outputs, input, output } = shape
    return this.within(own => {
      const src = own(this.describe({ channels, height: input[0], width: input[1] }, isPlain))
      const weights = own(library.describe(weightSizes(shape), ANY))
      const bias = hasBias ? own(library.describe([outputs], plainTag(1, library.isV3))) : 0
      const dst = own(this.describe({ channels: outputs, height: output[0], width: output[1] }, false))
      const pads = [0, 1].map(i => overhang(shape, i))
      const lists = [shape.stride, shape.dilation.map(d => d - 1), shape.pad, pads].map(list => library.sizes(list))
      return this.make(
        'convolution_forward',
        'dilated_convolution_forward',
        `int, int${`, ${ADDRESS}`.repeat(8)}`,
        [INFERENCE, DIRECT, src, weights, bias, dst, ...lists],
        posts,
        hasBias ? { ...CONVOLVED, [BIAS]: [WEIGHTS_OF, 1] } : CONVOLVED,
      )
    })
  }

  /** The gradient of a convolution's input from that of its output. */
  inputGradient(shape: Planar): Primitive {
    const { library } = this
    const { channels, outputs, input, output } = shape
    return this.within(own => {
      const dx = own(this.describe({ channels, height: input[0], width: input[1] }, false))
      const weights = own(library.describe(weightSizes(shape), ANY))
      const dy = own(this.describe({ channels: outputs, height: output[0], width: output[1] }, false))
      const pads = [0, 1].map(i => overhang(shape, i))
      const lists = [shape.stride, shape.dilation.map(d => d - 1), shape.pad, pads].map(list => library.sizes(list))
      // v3 asks for a forward primitive to go by; sizes and layouts say enough
      const hint = library.isV3 ? [0] : []
      return this.make(
        'convolution_backward_data',
        'dilated_convolution_backward_data',
        `int${`, ${ADDRESS}`.repeat(7 + hint.length)}`,
        [DIRECT, dx, weights, dy, ...lists, ...hint],
        undefined,
        { [DIFF_SRC]: DIFF_SOURCE_OF, [WEIGHTS]: WEIGHTS_OF, [DIFF_DST]: DIFF_DESTINATION_OF },
      )
    })
  }

  /** Largest values or means of windows, of which those that hang over the edge count what lies inside only. */
  pool(method: Pooled, from: Extent, to: Extent, window: PoolWindow): Primitive {
    const { library } = this
    return this.within(own => {
      const [src, dst] = [own(this.describe(from, false)), own(this.describe(to, false))]
      const lists = [window.stride, window.kernel, [0, 0], window.pad, window.padAfter].map(list => library.sizes(list))
      return this.make(
        'pooling_forward',
        'pooling_v2_forward',
        `int, int${`, ${ADDRESS}`.repeat(7)}`,
        [INFERENCE, METHODS[method], src, dst, ...lists],
        undefined,
        { [SRC]: SOURCE_OF, [DST]: DESTINATION_OF },
      )
    })
  }

  lrn(extent: Extent, { size, alpha, beta, k }: Pick<LRNShape, 'size' | 'alpha' | 'beta' | 'k'>): Primitive {
    return this.within(own => {
      const image = own(this.describe(extent, false))
      return this.make(
        'lrn_forward',
        'lrn_forward',
        `int, int, ${this.twice}, int64_t, float, float, float`,
        [INFERENCE, ACROSS, ...this.both(image), size, alpha, beta, k],
        undefined,
        { [SRC]: SOURCE_OF, [DST]: DESTINATION_OF },
      )
    })
  }

  eltwise(extent: Extent, after: After): Primitive {
    return this.within(own => {
      const image = own(this.describe(extent, false))
      const [kind, low, high] = this.eltwiseOf(after)
      return this.make(
        'eltwise_forward',
        'eltwise_forward',
        `int, int, ${this.twice}, float, float`,
        [INFERENCE, kind, ...this.both(image), low, high],
        undefined,
        { [SRC]: SOURCE_OF, [DST]: DESTINATION_OF },
      )
    })
  }

  add(extent: Extent, after: After | undefined): Primitive {
    return this.within(own => {
      const image = own(this.describe(extent, false))
      const made = this.make(
        'binary',
        'binary',
        `int${`, ${ADDRESS}`.repeat(3)}`,
        [ADD, image, image, image],
        { sum: false, after },
        { [SRC]: SOURCE_OF, [DST]: DESTINATION_OF },
      )
      ;(made.memories as Map<number, Handle>).set(SECOND, made.memories.get(SRC)!)
      return made
    })
  }

  /** The same values in another layout; the descriptions stay the caller's. */
  reorder(from: Handle, to: Handle): Primitive {
    const { library } = this
    const attributes = this.attributes(undefined)
    try {
      const pd = library.made(
        'dnnl_reorder_primitive_desc_create',
        Array(5).fill(ADDRESS).join(', '),
        from,
        library.engine,
        to,
        library.engine,
        attributes,
      )
      return this.finish(pd, { [SRC]: SOURCE_OF, [DST]: DESTINATION_OF })
    } finally {
      library.attempt('dnnl_primitive_attr_destroy', ADDRESS, attributes)
    }
  }

  destroy({ handle, pd }: Primitive): void {
    this.library.destroy('primitive', handle)
    this.library.destroy('primitive_desc', pd)
  }

  /** Descriptions that are made with `own` live until the primitive is there. */
  private within(make: (own: (description: Handle) => Handle) => Primitive): Primitive {
    const descriptions: Handle[] = []
    try {
      return make(description => {
        descriptions.push(description)
        return description
      })
    } finally {
      for (const description of descriptions) this.library.forget(description)
    }
  }

  private make(
    kind: string,
    v2: string,
    types: string,
    args: readonly number[],
    posts: Posts | undefined,
    memories: Memories,
  ): Primitive {
    const { library } = this
    const attributes = this.attributes(posts)
    try {
      const pd = library.primitiveDescription(kind, v2, types, args, attributes)
      const implementation = library.implementation(pd)
      if (!isFast(implementation)) {
        library.destroy('primitive_desc', pd)
        throw new Refused(`${kind} by ${implementation}`, 0)
      }
      return this.finish(pd, memories)
    } finally {
      library.attempt('dnnl_primitive_attr_destroy', ADDRESS, attributes)
    }
  }

  private finish(pd: Handle, memories: Memories): Primitive {
    const { library } = this
    let handle: Handle
    try {
      handle = library.made('dnnl_primitive_create', ADDRESS, pd)
    } catch (error) {
      library.destroy('primitive_desc', pd)
      throw error
    }
    const scratch = library.queried(pd, SCRATCH_OF)
    const entries = Object.entries(memories).map(
      ([argument, what]) =>
        [
          Number(argument),
          typeof what === 'number' ? library.queried(pd, what) : library.queried(pd, ...what),
        ] as const,
    )
    const all = new Map(entries)
    if (scratch !== 0 && library.bytesOf(scratch) > 0) all.set(SCRATCH, scratch)
    return { handle, pd, memories: all }
  }

  /** Scratchpads are given with each call: the library's own belong to the thread that made a primitive. */
  private attributes(posts: Posts | undefined): Handle {
    const { library } = this
    const attributes = library.made('dnnl_primitive_attr_create', '')
    library.call('dnnl_primitive_attr_set_scratchpad_mode', `${ADDRESS}, int`, attributes, USER)
    if (!posts?.sum && !posts?.after) return attributes
    const list = library.made('dnnl_post_ops_create', '')
    try {
      if (posts.sum) this.appendSum(list)
      if (posts.after) this.appendEltwise(list, posts.after)
      library.call('dnnl_primitive_attr_set_post_ops', `${ADDRESS}, ${ADDRESS}`, attributes, list)
    } finally {
      library.attempt('dnnl_post_ops_destroy', ADDRESS, list)
    }
    return attributes
  }

  private appendSum(list: Handle): void {
    const { library } = this
    const [name, more] = ['dnnl_post_ops_append_sum', library.isV3 ? ', int, int' : '']
    library.call(name, `${ADDRESS}, float${more}`, list, 1, ...(library.isV3 ? [0, FLOAT32] : []))
  }

  private appendEltwise(list: Handle, after: After): void {
    const { library } = this
    const [kind, low, high] = this.eltwiseOf(after)
    const name = 'dnnl_post_ops_append_eltwise'
    if (library.isV3) library.call(name, `${ADDRESS}, int, float, float`, list, kind, low, high)
    else library.call(name, `${ADDRESS}, float, int, float, float`, list, 1, kind, low, high)
  }

  private eltwiseOf(after: After): [kind: number, low: number, high: number] {
    const { relu, clip } = this.library.constants
    if ('relu' in after) return [relu, after.relu, 0]
    if ('clip' in after) return [clip, ...after.clip]
    throw new Refused(`an operation of API v2 and v3 for ${Object.keys(after)}`, 0)
  }

  /** v3 describes source and destination. */
  private get twice(): string {
    return this.library.isV3 ? `${ADDRESS}, ${ADDRESS}` : ADDRESS
  }
  private both(description: Handle): Handle[] {
    return this.library.isV3 ? [description, description] : [description]
  }
}
