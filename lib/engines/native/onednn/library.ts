type Koffi = typeof import('koffi')
type Argument = number | bigint
/** Channels in blocks of so many, the values of a block beside each other (N, ⌈C/block⌉, H, W, block): its number. */
export interface Tags {
  /** 0: there is no such layout that is fast. */
  readonly block: number
  readonly tag: number
}

/** Something of the library's: an address. */
export type Handle = number

/** The library said no: it has nothing for these arguments, or no memory for them. */
export class Refused extends Error {
  constructor(call: string, status: number) {
    super(`${call}: status ${status}`)
  }
}

/** Numbers that API v2 and v3 have for the same thing. */
interface Constants {
  readonly relu: number
  readonly clip: number
}
const V2: Constants = { relu: 0x1f, clip: 0xff }
const V3: Constants = { relu: 0x20, clip: 0x2e }

export const ADDRESS = 'uintptr_t'
/** What descriptions call the type of their values. */
export const FLOAT32 = 3
/** Bytes of a description of a memory of API v2, which the caller holds, and of one of a primitive. */
const DESCRIPTION = 704
const OPERATION = 32768
/** Descriptions that one buffer holds. */
const SHELF = 64
/** A list of sizes has room for so many axes; so many lists are alive during a call, and more. */
const AXES = 12
const LISTS = 32

/**
 * oneDNN (libdnnl) of API v2 or v3, on the main thread. Every call's status is looked at: what it refuses is thrown as
 * `Refused`.
 */
export class Library {
  readonly version: readonly [major: number, minor: number, patch: number]
  readonly constants: Constants
  readonly engine: Handle
  readonly stream: Handle
  /** The layout in blocks that is used here, once `findTags` has looked for it. */
  tags: Tags | undefined
  private readonly library: import('koffi').LibraryHandle
  private readonly functions = new Map<string, (...args: Argument[]) => number>()
  private readonly out = new BigUint64Array(new ArrayBuffer(4096))
  private readonly outAddress: number
  private readonly lists = new BigInt64Array(new ArrayBuffer(8 * AXES * LISTS))
  private readonly listsAddress: number
  private nextList = 0
  private readonly operation: number
  private readonly pinned: ArrayBuffer[] = []
  /** Descriptions of API v2 that are free again. */
  private readonly free: number[] = []
  private readonly info: (pd: Handle, what: number, index: number, text: (string | null)[]) => number

  constructor(
    private readonly koffi: Koffi,
    readonly file: string,
  ) {
    this.library = koffi.load(file)
    const version = koffi.decode(this.library.func('void *dnnl_version()')(), 'int32_t', 3) as Int32Array
    this.version = [version[0], version[1], version[2]]
    if (this.version[0] !== 2 && this.version[0] !== 3) throw new Refused(`API v${this.version[0]}`, -1)
    this.constants = this.isV3 ? V3 : V2
    this.outAddress = this.address(this.out.buffer)
    this.listsAddress = this.address(this.lists.buffer)
    this.operation = this.room(OPERATION)
    this.info = this.library.func('int dnnl_primitive_desc_query(uintptr_t, int, int, _Out_ const char **)')
    this.engine = this.made('dnnl_engine_create', 'int, size_t', 1, 0)
    this.stream = this.made('dnnl_stream_create', `${ADDRESS}, uint32_t`, this.engine, 1)
  }

  get isV3(): boolean {
    return this.version[0] === 3
  }

  /** Throws `Refused` unless the status is 0. */
  call(name: string, types: string, ...args: Argument[]): void {
    const status = this.attempt(name, types, ...args)
    if (status !== 0) throw new Refused(name, status)
  }

  /** The status of a call. */
  attempt(name: string, types: string, ...args: Argument[]): number {
    let call = this.functions.get(name)
    if (!call) {
      call = this.library.func(`int ${name}(${types})`) as (...args: Argument[]) => number
      this.functions.set(name, call)
    }
    return call(...args)
  }

  /** What a call leaves behind its first argument, an address of one. */
  made(name: string, types: string, ...args: Argument[]): Handle {
    this.call(name, types ? `${ADDRESS}, ${types}` : ADDRESS, this.outAddress, ...args)
    return Number(this.out[0])
  }

  /** The address of sizes, which lasts for one call. */
  sizes(values: readonly number[]): number {
    const at = this.nextList * AXES
    this.nextList = (this.nextList + 1) % LISTS
    for (const [i, value] of values.entries()) this.lists[at + i] = BigInt(value)
    return this.listsAddress + 8 * at
  }

  /** A description of float32 values in the layout of this number. Throws `Refused` where sizes have no such layout. */
  describe(sizes: readonly number[], tag: number): Handle {
    return this.described('with_tag', 'by_tag', sizes, 'int', tag)
  }

  /** The same of values that are so many apart along each axis. */
  describeStrided(sizes: readonly number[], strides: readonly number[]): Handle {
    return this.described('with_strides', 'by_strides', sizes, ADDRESS, this.sizes(strides))
  }

  private described(v3: string, v2: string, sizes: readonly number[], type: string, layout: number): Handle {
    const types = `${ADDRESS}, int, ${ADDRESS}, int, ${type}`
    const args = [sizes.length, this.sizes(sizes), FLOAT32, layout]
    if (this.isV3) return this.made(`dnnl_memory_desc_create_${v3}`, types.slice(ADDRESS.length + 2), ...args)
    const description = this.free.pop() ?? this.shelf()
    const name = `dnnl_memory_desc_init_${v2}`
    const status = this.attempt(name, types, description, ...args)
    if (status === 0) return description
    this.free.push(description)
    throw new Refused(name, status)
  }

  forget(description: Handle): void {
    if (this.isV3) this.attempt('dnnl_memory_desc_destroy', ADDRESS, description)
    else this.free.push(description)
  }

  /** Bytes of what is described. */
  bytesOf(description: Handle): number {
    const size = (this.functions.get('size') ?? this.library.func('size_t dnnl_memory_desc_get_size(uintptr_t)')) as (
      d: number,
    ) => number
    this.functions.set('size', size as (...args: Argument[]) => number)
    return Number(size(description))
  }

  /** What a primitive says of one of its memories; it lasts as long as the primitive's description `pd`. */
  queried(pd: Handle, what: number, index = 0): Handle {
    const query = (this.functions.get('query') ??
      this.library.func('uintptr_t dnnl_primitive_desc_query_md(uintptr_t, int, int)')) as (
      ...args: Argument[]
    ) => number
    this.functions.set('query', query)
    return Number(query(pd, what, index))
  }

  /** What the code behind a primitive is called: 'jit:avx2', 'ref:any'. */
  implementation(pd: Handle): string {
    const text: (string | null)[] = [null]
    const status = this.info(pd, 8, 0, text)
    if (status !== 0) throw new Refused('dnnl_primitive_desc_query', status)
    return text[0] ?? ''
  }

  /**
   * The description of a primitive: `kind` is what both APIs call it. v2 lists what v3 does, in an order of its own.
   */
  primitiveDescription(kind: string, v2: string, types: string, args: readonly Argument[], attributes: Handle): Handle {
    if (this.isV3)
      return this.made(
        `dnnl_${kind}_primitive_desc_create`,
        `${ADDRESS}, ${types}, ${ADDRESS}`,
        this.engine,
        ...args,
        attributes,
      )
    this.call(`dnnl_${v2}_desc_init`, `${ADDRESS}, ${types}`, this.operation, ...args)
    return this.made(
      'dnnl_primitive_desc_create',
      `${ADDRESS}, ${ADDRESS}, ${ADDRESS}, ${ADDRESS}`,
      this.operation,
      attributes,
      this.engine,
      0,
    )
  }

  /** A memory object of values at an address, which it does not own. */
  memory(description: Handle, address: number): Handle {
    return this.made(
      'dnnl_memory_create',
      `${ADDRESS}, ${ADDRESS}, ${ADDRESS}`,
      description,
      this.engine,
      // 0 would leave it without values, and is nobody's address
      address,
    )
  }

  setHandle(memory: Handle, address: number): void {
    this.call('dnnl_memory_set_data_handle', `${ADDRESS}, ${ADDRESS}`, memory, address)
  }

  execute(primitive: Handle, count: number, args: number): void {
    this.call('dnnl_primitive_execute', `${ADDRESS}, ${ADDRESS}, int, ${ADDRESS}`, primitive, this.stream, count, args)
  }

  destroy(kind: 'primitive' | 'primitive_desc' | 'memory', handle: Handle): void {
    this.attempt(`dnnl_${kind}_destroy`, ADDRESS, handle)
  }

  /** The address of a buffer that stays where it is. */
  address(buffer: ArrayBufferLike): number {
    return Number(this.koffi.address(new Uint8Array(buffer)))
  }

  /** So many bytes that are never given back. */
  private room(bytes: number): number {
    const buffer = new ArrayBuffer(bytes)
    this.pinned.push(buffer)
    return this.address(buffer)
  }

  private shelf(): Handle {
    const start = this.room(SHELF * DESCRIPTION)
    for (let i = 1; i < SHELF; i++) this.free.push(start + i * DESCRIPTION)
    return start
  }
}
