import type { After, LRNShape } from '../../../engine.js'
import { ADDRESS, type Handle } from './library.js'
import {
  BIAS,
  DESTINATION_OF,
  DIFF_DESTINATION_OF,
  DIFF_DST,
  DIFF_SOURCE_OF,
  DIFF_SRC,
  DST,
  INFERENCE,
  Maker,
  type Memories,
  type Posts,
  type Primitive,
  SECOND,
  SOURCE_OF,
  SRC,
  WEIGHTS,
  WEIGHTS_OF,
} from './maker.js'
import { ANY, plainTag } from './tags.js'

const [DIRECT, MAXIMUM, MEAN_OF_ALL, MEAN_INSIDE, ACROSS, ADD] = [1, 0x1ff, 0x2ff, 0x3ff, 0xaff, 0x1fff0]
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

const CONVOLVED: Memories = { [SRC]: SOURCE_OF, [WEIGHTS]: WEIGHTS_OF, [DST]: DESTINATION_OF }

/** Makes primitives; each is to be destroyed. Throws `Refused` where the library has no fast code for one. */
export class Primitives extends Maker {
  /** One image: with channels in blocks, or plain. */
  describe({ channels, height, width }: Extent, isPlain: boolean): Handle {
    const { library } = this
    return library.describe([1, channels, height, width], isPlain ? plainTag(4, library.isV3) : library.tags!.tag)
  }

  /** A convolution of one image by `shape.outputs` outputs, of weights in that layout or in one of the library's choice. */
  convolution(shape: Planar, isPlain: boolean, hasBias: boolean, posts: Posts, layout?: Handle): Primitive {
    const { library } = this
    const { channels, outputs, input, output } = shape
    return this.within(own => {
      const src = own(this.describe({ channels, height: input[0], width: input[1] }, isPlain))
      const weights = layout ?? own(library.describe(weightSizes(shape), ANY))
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

  /** v3 describes source and destination. */
  private get twice(): string {
    return this.library.isV3 ? `${ADDRESS}, ${ADDRESS}` : ADDRESS
  }
  private both(description: Handle): Handle[] {
    return this.library.isV3 ? [description, description] : [description]
  }
}
