import type { After } from '../../../engine.js'
import { ADDRESS, FLOAT32, type Handle, type Library, Refused } from './library.js'

/** What primitives call their memories. */
export const SRC = 1
export const SECOND = 2
export const DST = 17
export const WEIGHTS = 33
export const BIAS = 41
export const SCRATCH = 80
export const DIFF_SRC = 129
export const DIFF_DST = 145

/** What a primitive is for. */
export const INFERENCE = 96
/** What descriptions call the memories of their primitives. */
export const [SOURCE_OF, DIFF_SOURCE_OF, WEIGHTS_OF, DESTINATION_OF, DIFF_DESTINATION_OF, SCRATCH_OF] = [
  129, 130, 131, 133, 134, 136,
]
const USER = 1

/** Something that can be executed, by any thread. */
export interface Primitive {
  readonly handle: Handle
  readonly pd: Handle
  /** Descriptions of its memories by argument; they last as long as it does. */
  readonly memories: ReadonlyMap<number, Handle>
}

/** By argument: what the library calls a memory, and which of that kind. */
export type Memories = Record<number, number | readonly [what: number, index: number]>

/** What is done to a result before it is stored: a sum with what is there, then what `after` says. */
export interface Posts {
  readonly sum: boolean
  readonly after: After | undefined
}

/** Plain code, which is there for checks, and code that writes out what the taps see: slow, or in need of much room. */
const isFast = (implementation: string): boolean =>
  /^(jit|brg)/.test(implementation) && !implementation.includes('gemm')

/** Makes primitives of any kind; each is to be destroyed. Throws `Refused` where the library has no fast code for one. */
export class Maker {
  constructor(readonly library: Library) {}

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
  protected within(make: (own: (description: Handle) => Handle) => Primitive): Primitive {
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

  protected make(
    kind: string,
    v2: string,
    types: string,
    args: readonly number[],
    posts: Posts | undefined,
    memories: Memories,
    accepts = isFast,
  ): Primitive {
    const { library } = this
    const attributes = this.attributes(posts)
    try {
      const pd = library.primitiveDescription(kind, v2, types, args, attributes)
      const implementation = library.implementation(pd)
      if (!accepts(implementation)) {
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

  protected eltwiseOf(after: After): [kind: number, low: number, high: number] {
    const { relu, clip } = this.library.constants
    if ('relu' in after) return [relu, after.relu, 0]
    if ('clip' in after) return [clip, ...after.clip]
    throw new Refused(`an operation of API v2 and v3 for ${Object.keys(after)}`, 0)
  }
}
