import { instantiate, noLibrary } from '../engines/wasm/exports.js'
import { wasmRuntime } from '../engines/wasm/runtime.js'
import { EngineError, RistrettoError } from '../errors.js'
import type { Communicator } from '../group.js'
import { type Block, type Memory, plainHeap } from '../memory.js'
import { importNode } from '../system/nodejs.js'
import { type Launcher, launcherOf } from './launcher.js'
import { type Mpi, openMpi } from './mpi_abi.js'
import { type GroupOptions, Patience } from './patience.js'

/** How long a member spins for the others, and then turns with the event loop, before it sleeps, in ms. */
const [SPIN, TURN] = [0.2, 3]

/** What MPI is asked for stays where it is until it is done: buffers whose address it has, and the flag of its end. */
class Request {
  private readonly words = new BigInt64Array(2)
  readonly address: number
  private isDone = false

  constructor(
    private readonly link: Link,
    /** Whatever else must outlive the request. */
    readonly kept: readonly object[],
  ) {
    this.address = link.address(this.words)
  }

  get done(): boolean {
    if (this.isDone) return true
    const { mpi, test } = this.link
    test(this.address, this.address + 8, mpi.abi.statusIgnore)
    this.isDone = new Int32Array(this.words.buffer)[2] !== 0
    return this.isDone
  }
}

/** The library, and what its calls need. */
interface Link {
  readonly mpi: Mpi
  readonly test: Mpi['test']
  address(view: ArrayBufferView): number
}

/** A sum under way: parts of all members go to who adds them, the added parts go to all. */
interface Reduction {
  readonly memories: readonly Memory[]
  /** The address of what is summed, and where it was packed for it. */
  readonly data: number
  readonly packed: Block | undefined
  /** The slots of this member's part, of `own` values, `stride` apart. */
  readonly slots: Block
  readonly own: number
  readonly stride: number
  readonly parts: Parts
  readonly scatter: Request
  summed: boolean
  collect: Request | undefined
}

/** Values of each member's part, and where it begins. */
interface Parts {
  readonly counts: Int32Array
  readonly starts: Int32Array
}

/** Who has started this program has it join: MPI through koffi. Throws a RistrettoError that says what is missing. */
export async function joinMpi(options: GroupOptions): Promise<Communicator> {
  const launcher = launcherOf(process.env)!
  const { createRequire } = await importNode('node:module')
  let koffi: typeof import('koffi')
  try {
    koffi = createRequire(import.meta.url)('koffi')
  } catch (error) {
    throw new RistrettoError(
      `${launcher.name} has started ${launcher.size || 'several'} members, and the package koffi, which calls MPI, is missing: npm install koffi (worker threads of one machine need nothing: --workers ${launcher.size || 4})`,
      { cause: error },
    )
  }
  const { module, heap } = await wasmRuntime()
  // UCX takes the signal by which V8 finds accesses outside of WebAssembly's memory
  process.env['UCX_ERROR_SIGNALS'] = ''
  // UCX tries its memory hooks by moving the end of C's heap up and back, and so takes what another thread got in between
  process.env['UCX_MEM_EVENTS'] ??= 'n'
  const mpi = openMpi(koffi, launcher.libraries)
  // Open MPI would end the process, with a page about how it was built
  if (launcher.name === 'srun' && mpi.name.startsWith('Open MPI') && process.env['PMIX_RANK'] === undefined)
    throw new RistrettoError(`srun has started ${launcher.size} members that ${mpi.name} cannot join: ${SPOKEN}`)
  mpi.initThread(null, null, 0, [0])
  const group = new MpiGroup(koffi, mpi, launcher, options, {
    base: Number(koffi.address(new Uint8Array(heap.memory.buffer))),
    allocate: length => heap.allocate(length),
    release: block => heap.release(block),
    treeSum: instantiate(module, heap.memory, { reserve: refuse, workerDied: refuse, wake() {}, ...noLibrary }).treeSum,
  })
  if (launcher.size && group.size !== launcher.size) {
    group[Symbol.dispose]()
    throw new RistrettoError(
      `${launcher.name} has started ${launcher.size} members, ${mpi.name} (${mpi.file}) sees ${group.size}: it is not the launcher's own library; name that one: RISTRETTO_MPI=/usr/lib/…/libmpi.so${launcher.name === 'srun' ? `, or ${SPOKEN}` : ''}`,
    )
  }
  return group
}

/** How srun and a library come together. */
const SPOKEN = 'say how srun and it speak, srun --mpi=pmix for Open MPI, --mpi=pmi2 for MPICH'

const refuse = (): never => {
  throw new EngineError('sums over members take no workspace')
}

/** The memory that MPI reads and writes without a copy. */
interface HeapAccess {
  /** Address of byte 0. */
  readonly base: number
  allocate(length: number): Block
  release(block: Block): void
  treeSum(base: number, stride: number, n: number, from: number, to: number): void
}

/**
 * A member among processes, of one machine or of several. Sums have the fixed order of a tree with every library: each
 * member is sent its part of all values, adds it up, and sends it to all. Nothing waits in C: requests are looked at while
 * the event loop turns.
 */
class MpiGroup implements Communicator {
  readonly name: string
  readonly rank: number
  readonly size: number
  readonly local: number
  private readonly link: Link
  private readonly patience: Patience
  /** Calls come in one order on all members; what follows a sum of its own accord comes in the order of sums. */
  private readonly first: number
  private readonly second: number
  private readonly last: number
  private pending: Reduction[] = []
  /** Blocks of the sums of an iteration, used again by those of the next. */
  private readonly blocks: (Block | undefined)[] = []
  private taken = 0
  private closed = false
  /** Why this program ends is on its standard error already. */
  private told = false

  constructor(
    koffi: typeof import('koffi'),
    private readonly mpi: Mpi,
    launcher: Launcher,
    options: GroupOptions,
    private readonly heap: HeapAccess,
  ) {
    this.name = mpi.name
    this.local = launcher.local
    this.patience = new Patience(options)
    this.link = { mpi, test: mpi.test, address: view => Number(koffi.address(view)) }
    const { world, errorsReturn } = mpi.abi
    mpi.setErrorHandler(world, errorsReturn)
    this.rank = asked(out => mpi.commRank(world, out))
    this.size = asked(out => mpi.commSize(world, out))
    ;[this.first, this.second, this.last] = [0, 1, 2].map(() => asked(out => mpi.commDup(world, out)))
    process.on('exit', this.exited)
    process.on('uncaughtExceptionMonitor', this.failed)
    process.once('beforeExit', this.drained)
  }

  sum(...memories: readonly Memory[]): void {
    const { mpi, link, size, rank } = this
    const total = memories.reduce((sum, { length }) => sum + length, 0)
    // one memory of the heap is sent from where it lies
    const direct = memories.length === 1 ? placeOf(memories[0]) : 0
    const packed = direct ? undefined : this.block(total)
    if (packed) pack(memories, packed.array)
    const data = this.at(packed?.pointer ?? direct)
    const parts = partsOf(total, size)
    const own = parts.counts[rank]
    const stride = Math.max(16, Math.ceil(own / 16) * 16)
    const slots = this.block(stride * size)
    const owns = new Int32Array(size).fill(own)
    const places = Int32Array.from({ length: size }, (_, r) => r * stride)
    const scatter = new Request(link, [parts, owns, places])
    const { float } = mpi.abi
    const [counts, starts] = [link.address(parts.counts), link.address(parts.starts)]
    const [to, at] = [link.address(owns), link.address(places)]
    mpi.ialltoallv(data, counts, starts, float, this.at(slots.pointer), to, at, float, this.first, scatter.address)
    this.pending.push({
      ...{ memories, data, packed, slots, own, stride, parts, scatter },
      summed: false,
      collect: undefined,
    })
    this.progress()
  }

  progress(): void {
    const { mpi, link, heap, size } = this
    let isNext = true
    for (const sum of this.pending) {
      if (!sum.summed && sum.scatter.done) {
        heap.treeSum(sum.slots.pointer, sum.stride * 4, size, 0, Math.ceil(sum.own / 4) * 16)
        sum.summed = true
      }
      // begun in the order of sums, which all members share
      isNext &&= sum.summed
      if (!isNext || sum.collect) continue
      const { float } = mpi.abi
      const [counts, starts] = [link.address(sum.parts.counts), link.address(sum.parts.starts)]
      sum.collect = new Request(link, [sum])
      const from = this.at(sum.slots.pointer)
      mpi.iallgatherv(from, sum.own, float, sum.data, counts, starts, float, this.second, sum.collect.address)
    }
    while (this.pending[0]?.collect?.done) {
      const { memories, packed } = this.pending.shift()!
      if (packed) unpack(packed.array, memories)
    }
  }

  async finish(): Promise<void> {
    await this.until(() => this.pending.length === 0)
    this.taken = 0
  }

  async gather(values: Float32Array): Promise<Float32Array[]> {
    return this.gatherOn(this.first, values)
  }

  async broadcast(memories: readonly Memory[]): Promise<void> {
    const { mpi, link } = this
    const whole = memories.filter(memory => memory.length > 0)
    for (const memory of whole) {
      const packed = placeOf(memory) ? undefined : this.heap.allocate(memory.length)
      if (packed) pack([memory], packed.array)
      const request = new Request(link, [memory])
      const at = this.at(packed?.pointer ?? memory.pointer)
      mpi.ibcast(at, memory.length, mpi.abi.float, 0, this.first, request.address)
      await this.until(() => request.done)
      if (!packed) continue
      unpack(packed.array, [memory])
      this.heap.release(packed)
    }
  }

  abort(reason: string): never {
    process.stderr.write(`ristretto: worker ${this.rank} of ${this.size}: ${reason}\n`)
    this.closed = true
    this.mpi.abort(this.mpi.abi.world, 1)
    throw new RistrettoError(reason)
  }

  async close(): Promise<void> {
    if (this.closed) return
    // the last to come is waited for with the event loop alive, and with patience
    await this.gatherOn(this.last, new Float32Array(1))
    this[Symbol.dispose]()
  }

  [Symbol.dispose](): void {
    if (this.closed) return
    this.closed = true
    process.off('exit', this.exited)
    process.off('uncaughtExceptionMonitor', this.failed)
    process.off('beforeExit', this.drained)
    this.mpi.finalize()
  }

  /** A program that ends without a word would leave the others waiting, or end them without one. */
  private readonly exited = (code: number) => {
    if (this.closed) return
    this.closed = true
    if (!this.told) {
      const what = code === 0 ? 'it ended before the others' : `it ended with code ${code}`
      process.stderr.write(`ristretto: worker ${this.rank} of ${this.size}: ${what}\n`)
    }
    this.mpi.abort(this.mpi.abi.world, code || 1)
  }

  /** Node prints what nobody caught behind its exit listeners, of which ours ends the process. */
  private readonly failed = (error: unknown) => {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error)
    process.stderr.write(`ristretto: worker ${this.rank} of ${this.size}: ${why}\n`)
    this.told = true
  }

  /** A program that has come to its end, and not by a mistake, waits for the others. */
  private readonly drained = () => {
    // who sets it has said why
    this.told = !!process.exitCode
    if (this.told) this.exited(Number(process.exitCode))
    else void this.close()
  }

  private async gatherOn(communicator: number, values: Float32Array): Promise<Float32Array[]> {
    const { mpi, link, size } = this
    const n = values.length
    const own = values.slice()
    const all = new Float32Array(n * size)
    const request = new Request(link, [own, all])
    const { float } = mpi.abi
    if (n) {
      mpi.iallgather(link.address(own), n, float, link.address(all), n, float, communicator, request.address)
      await this.until(() => request.done)
    }
    return Array.from({ length: size }, (_, r) => all.subarray(r * n, (r + 1) * n))
  }

  /** Let MPI work until it is so, and the event loop, too. */
  private async until(isSo: () => boolean): Promise<void> {
    if (this.closed) throw new RistrettoError('this member of the group was closed')
    const begun = performance.now()
    this.patience.begin()
    for (;;) {
      this.progress()
      if (isSo()) return
      const waited = performance.now() - begun
      if (waited < SPIN) continue
      if (waited < TURN) await new Promise(resolve => setImmediate(resolve))
      else await new Promise(resolve => setTimeout(resolve, 1))
      const why = this.patience.look(() => `others of the ${this.size} workers have`)
      if (why !== undefined) this.abort(why)
    }
  }

  private at(pointer: number): number {
    return this.heap.base + (pointer >>> 0)
  }

  private block(length: number): Block {
    const k = this.taken++
    const old = this.blocks[k]
    if (old && old.array.length >= length) return old
    if (old) this.heap.release(old)
    const block = this.heap.allocate(length)
    this.blocks[k] = block
    return block
  }
}

/** Where values lie in the heap; 0: they are on plain host memory. */
const placeOf = (memory: Memory): number => (memory.home === plainHeap ? 0 : memory.pointer)

/** What a call writes to its one output. */
function asked(call: (out: [number]) => void): number {
  const out: [number] = [0]
  call(out)
  return Number(out[0])
}

/** Whole cache lines for each member. */
function partsOf(n: number, size: number): Parts {
  const lines = Math.ceil(n / 16)
  const start = (r: number) => Math.min(n, Math.floor((lines * r) / size) * 16)
  return {
    starts: Int32Array.from({ length: size }, (_, r) => start(r)),
    counts: Int32Array.from({ length: size }, (_, r) => start(r + 1) - start(r)),
  }
}

function pack(memories: readonly Memory[], into: Float32Array): void {
  let at = 0
  for (const memory of memories) {
    into.set(memory.values, at)
    at += memory.length
  }
}

function unpack(from: Float32Array, memories: readonly Memory[]): void {
  let at = 0
  for (const memory of memories) {
    const values = from.subarray(at, at + memory.length)
    memory.claim()
    memory.write(all => all.set(values))
    at += memory.length
  }
}
