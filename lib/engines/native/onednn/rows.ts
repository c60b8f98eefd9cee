/** Products of rows with weights that lie in the order in which the library reads them. */
import type { Block } from '../../../memory.js'
import type { Kept } from './kept.js'
import { ADDRESS, type Handle } from './library.js'
import {
  BIAS,
  DESTINATION_OF,
  DST,
  INFERENCE,
  Maker,
  type Posts,
  type Primitive,
  SOURCE_OF,
  SRC,
  WEIGHTS,
  WEIGHTS_OF,
} from './maker.js'
import { ANY, plainTag } from './tags.js'

const DIRECT = 1

/** y ← x·wᵀ for x (rows, inputs), w (outputs, inputs) and y (rows, outputs). */
export interface RowProduct {
  readonly rows: number
  readonly inputs: number
  readonly outputs: number
}

/**
 * Such a product is a convolution of one tap, of a picture one place high whose channels lie together. Unlike sgemm it
 * puts no matrix in order before it multiplies, which takes as long as the product of 16 rows.
 */
export class RowMaker extends Maker {
  private readonly layouts = new Map<string, Handle>()

  /**
   * The first one of these weights chooses their order, and those of other rows take it: with 6 and 7 rows version 3.7
   * would choose two. All are to be destroyed together.
   */
  product({ rows, inputs, outputs }: RowProduct, posts: Posts, hasBias: boolean): Primitive {
    const { library, layouts } = this
    const key = JSON.stringify([inputs, outputs, posts, hasBias])
    const made = this.within(own => {
      const picture = (width: number) =>
        own(library.describeStrided([1, width, 1, rows], [rows * width, 1, rows * width, width]))
      const [x, y] = [picture(inputs), picture(outputs)]
      const weights = layouts.get(key) ?? own(library.describe([outputs, inputs, 1, 1], ANY))
      const bias = hasBias ? own(library.describe([outputs], plainTag(1, library.isV3))) : 0
      const lists = [1, 0, 0, 0].map(each => library.sizes([each, each]))
      const memories = { [SRC]: SOURCE_OF, [WEIGHTS]: WEIGHTS_OF, [DST]: DESTINATION_OF }
      return this.make(
        'convolution_forward',
        'dilated_convolution_forward',
        `int, int${`, ${ADDRESS}`.repeat(8)}`,
        [INFERENCE, DIRECT, x, weights, bias, y, ...lists],
        posts,
        hasBias ? { ...memories, [BIAS]: [WEIGHTS_OF, 1] } : memories,
      )
    })
    layouts.set(key, made.memories.get(WEIGHTS)!)
    return made
  }
}

/** Weights of a product in its own order; the primitive that puts them there is to be destroyed. */
export class OrderedWeights {
  readonly handle: Handle
  readonly reorder: Primitive
  private readonly plain: Handle
  private readonly args: Block

  /** @param strides how many values outputs and inputs are apart where the weights are read */
  constructor(
    private readonly maker: Maker,
    private readonly kept: Kept,
    product: Primitive,
    { inputs, outputs }: Pick<RowProduct, 'inputs' | 'outputs'>,
    strides: readonly [output: number, input: number],
  ) {
    const { library } = maker
    const layout = product.memories.get(WEIGHTS)!
    const plain = library.describeStrided([outputs, inputs, 1, 1], [...strides, 1, 1])
    try {
      this.reorder = maker.reorder(plain, layout)
    } finally {
      library.forget(plain)
    }
    this.handle = kept.object(layout, kept.base + kept.take(library.bytesOf(layout)).pointer)
    this.plain = kept.object(this.reorder.memories.get(SRC)!, kept.base)
    this.args = kept.take(32)
    const words = new BigUint64Array(kept.runner.heap.memory.buffer, this.args.pointer, 4)
    words.set([BigInt(SRC), BigInt(this.plain), BigInt(DST), BigInt(this.handle)])
  }

  /** Takes the values at this place of the heap. */
  follow(pointer: number): void {
    const { maker, kept } = this
    maker.library.setHandle(this.plain, kept.base + pointer)
    maker.library.execute(this.reorder.handle, 2, kept.base + this.args.pointer)
  }
}
