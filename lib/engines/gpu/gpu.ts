import type { DeviceCaller, HostEngine, Kernels } from '../../engine.js'
import { EngineError } from '../../errors.js'
import { type Constants, type Dims, type GpuKernel, gpuKernel, type Tensor, type View } from '../../gpu_kernel.js'
import { Memory } from '../../memory.js'
import type { Backend, NativeTensor, Program } from './backend.js'
import { CompilingLog } from './compiling_log.js'
import { textureSize } from './gpujs.js'
import { Handle, Queue } from './queue.js'

/** A handle as a tensor, in steps between memories. */
export interface HandleView {
  readonly handle: Handle
  readonly dims: Dims
}

export type Argument = Memory | View | Handle | HandleView

/** Compiled kernels that are kept; the one that was not used for longest goes first. */
const MOST_PROGRAMS = 1024

/**
 * Above this many values an index in single precision is near its end: the device is tried before the first such
 * tensor.
 */
const LARGE = 2 ** 23

/** Longest row of a flat tensor where rows cannot be of any length. */
const LONGEST_ROW = 2 ** 20

const fillKernel = gpuKernel('fill', (value: number) => value)
const plusKernel = gpuKernel('plus', function (x: Tensor, y: Tensor, beta: number) {
  return x[this.thread.z][this.thread.y][this.thread.x] + beta * y[this.thread.z][this.thread.y][this.thread.x]
})
const doubleKernel = gpuKernel('trial, twice', function (x: Tensor) {
  return 2 * x[this.thread.z][this.thread.y][this.thread.x]
})
const turnKernel = gpuKernel('trial, transposed', function (x: Tensor) {
  return x[0][this.thread.x][this.thread.y]
})
const firstSum = gpuKernel('total, columns', function (x: Tensor) {
  let sum = 0
  for (let y = 0; y < this.constants.rows; y++) {
    if (y < this.constants.rows - 1 || this.thread.x < this.constants.last) sum += x[0][y][this.thread.x]
  }
  return sum
})
const lastSum = gpuKernel('total, row', function (x: Tensor) {
  let sum = 0
  for (let i = 0; i < this.constants.n; i++) sum += x[0][0][i]
  return sum
})

/** Runs kernels on the memories and handles of one device. */
export class Gpu {
  readonly queue: Queue
  /** The engine's table, for kernels that are made of others. */
  kernels!: Kernels
  /** Whose kernels these are, for errors and for the log. */
  caller: DeviceCaller | undefined
  private readonly programs = new Map<string, Program>()
  private readonly compiling = new CompilingLog()
  /** Kernels are told apart by identity: two layers may call theirs the same. */
  private knowsLarge = false
  /** What stands for a tensor without values. */
  private readonly nothing: Handle
  private readonly ids = new Map<GpuKernel, number>()

  constructor(
    name: string,
    readonly backend: Backend,
    /** For what is computed on the host: random masks, and layers without device kernels. */
    readonly host: HostEngine,
  ) {
    this.queue = new Queue(name, backend)
    this.nothing = this.queue.constant(1, 0)
  }

  /** out ← kernel(args), one value for each place of `out`. Memories without sizes are flat. `by`: who, for errors. */
  run(
    kernel: GpuKernel,
    args: readonly (Argument | number)[],
    out: Memory | View,
    constants: Constants = {},
    by?: string,
  ): void {
    const memory = 'memory' in out ? out.memory : out
    const dims = 'memory' in out ? out.dims : this.flat(out.length)
    this.set(memory, this.compute(kernel, args, dims, constants, undefined, by))
  }

  /**
   * The same into a new handle, which the caller releases. `length` is given where the tensor is folded and its end not
   * used.
   */
  compute(
    kernel: GpuKernel,
    args: readonly (Argument | number)[],
    dims: Dims,
    constants: Constants = {},
    length?: number,
    by?: string,
  ): Handle {
    const count = length ?? dims[0] * dims[1] * dims[2]
    if (count === 0) return this.queue.constant(0, 0)
    const tensors = args.map(arg => (typeof arg === 'number' ? arg : this.tensor(arg)))
    const handles = tensors.filter(arg => typeof arg !== 'number').map(arg => arg.handle)
    if (count > LARGE && !this.knowsLarge) this.tryLarge()
    const out = new Handle(count)
    const { caller } = this
    const who = by ?? (caller && `layer '${caller.name}' (${caller.type})`)
    const compute = () => {
      const natives = tensors.map(arg =>
        typeof arg === 'number' ? arg : { native: arg.handle.native!, dims: arg.dims },
      )
      return this.program(kernel, natives, dims, constants, caller).run(natives)
    }
    this.queue.compute(out, handles, compute, `${who ? `${who}: ` : ''}kernel '${kernel.name}'`)
    return out
  }

  /** y ← kernel(args) value by value: all tensors are flat, n values long. */
  map(
    kernel: GpuKernel,
    n: number,
    args: readonly (Memory | Handle | number)[],
    y: Memory,
    constants: Constants = {},
  ): void {
    this.set(y, this.mapped(kernel, n, args, constants))
  }

  /** The same into a new handle. */
  mapped(kernel: GpuKernel, n: number, args: readonly (Memory | Handle | number)[], constants: Constants = {}): Handle {
    const dims = this.flat(n)
    const tensors = args.map(arg => (typeof arg === 'number' ? arg : { handle: this.handle(arg), dims }))
    return this.compute(kernel, tensors, dims, constants, n)
  }

  /** The memory's values are those of `handle`, which it holds from now on. */
  set(memory: Memory, handle: Handle): void {
    memory.replace(this.queue, handle)
  }

  /** y ← x without a copy: values are never overwritten, so both may hold the same. */
  share(x: Memory, y: Memory): void {
    if (x !== y) this.set(y, this.queue.share(this.handle(x)))
  }

  /** The handle behind a memory; a memory that nobody has touched is zeros, which are not sent. */
  handle(of: Memory | Handle): Handle {
    if (of instanceof Handle) return of
    if (!of.isAllocated) this.set(of, this.queue.constant(of.length, 0))
    return of.read(this.queue) as Handle
  }

  /** The value if all of the memory is known to be one number. */
  constantOf(memory: Memory): number | undefined {
    return this.handle(memory).constant
  }

  /** A flat tensor of n values. Where rows cannot be long it is folded, and its last row may reach past the end. */
  flat(n: number): Dims {
    if (n <= LONGEST_ROW || this.backend.longRows) return [n, 1, 1]
    const [width, height] = textureSize(n)
    return [width, height, 1]
  }

  /** Σ of n values as a handle of one, in two steps so that many threads and few roundings take part. */
  total(x: Argument, n: number): Handle {
    const handle = this.tensor(x).handle
    if (n <= 64) return this.compute(lastSum, [{ handle, dims: [n, 1, 1] }], [1, 1, 1], { n })
    const width = 2 ** Math.ceil(Math.log2(Math.sqrt(n)))
    const rows = Math.ceil(n / width)
    const last = n - (rows - 1) * width
    // a full rectangle where the device wants one: the end of the last row is not read
    const columns = this.compute(firstSum, [{ handle, dims: [width, rows, 1] }], [width, 1, 1], { rows, last })
    const sum = this.total(columns, width)
    this.queue.release(columns)
    return sum
  }

  /** x + β·y flat, in place of x; x itself where y adds nothing. */
  plus(x: Handle, beta: number, y: Memory, n: number): Handle {
    if (beta === 0 || this.constantOf(y) === 0) return x
    const sum = this.mapped(plusKernel, n, [x, y, beta])
    this.queue.release(x)
    return sum
  }

  release(...handles: Handle[]): void {
    for (const handle of handles) this.queue.release(handle)
  }

  async destroy(): Promise<void> {
    for (const program of this.programs.values()) program.destroy()
    this.programs.clear()
    await this.backend.destroy()
  }

  /** How many kernels are compiled now. */
  get compiled(): number {
    return this.programs.size
  }

  private tensor(of: Argument): HandleView {
    // no backend has tensors without values, and no kernel reads one of them
    const [x, y, z] = of instanceof Memory || of instanceof Handle ? [of.length, 1, 1] : of.dims
    if (x * y * z === 0) return this.stored({ handle: this.nothing, dims: [1, 1, 1] })
    if (of instanceof Memory) return this.stored({ handle: this.handle(of), dims: this.flat(of.length) })
    if (of instanceof Handle) return this.stored({ handle: of, dims: this.flat(of.length) })
    return this.stored('memory' in of ? { handle: this.handle(of.memory), dims: of.dims } : of)
  }

  /** A tensor that a kernel is to read needs storage. */
  private stored(tensor: HandleView): HandleView {
    const { handle } = tensor
    const { constant, length } = handle
    if (constant === undefined) return tensor
    const dims = this.flat(length)
    this.queue.materialize(handle, () => this.program(fillKernel, [constant], dims, {}).run([constant]))
    return tensor
  }

  /**
   * Queue a trial of tensors that are larger than single precision can count; it fails the pass if the device mixes
   * values up.
   */
  private tryLarge(): void {
    this.knowsLarge = true
    this.queue.trial(async () => {
      const { backend } = this
      const side = 4099
      const n = side * side
      const x = backend.upload(Float32Array.from({ length: n }, (_, i) => i % 8191))
      const flat = this.flat(n)
      const square: Dims = [side, side, 1]
      const doubled = await this.program(doubleKernel, [{ native: x, dims: flat }], flat, {}).run([
        { native: x, dims: flat },
      ])
      const source = { native: doubled, dims: square }
      const turned = await this.program(turnKernel, [source], square, {}).run([source])
      const values = await backend.download(turned, n)
      for (const native of [x, doubled, turned]) backend.delete(native)
      const wrong = values.findIndex((value, i) => value !== 2 * (((i % side) * side + Math.floor(i / side)) % 8191))
      if (wrong >= 0)
        throw new EngineError(
          `engine ${this.queue.name} (${backend.detail}) mixes up the values of large tensors: value ${wrong} of ${n} is ${values[wrong]}. Use another mode of the gpu engine, or wasm`,
        )
    })
  }

  private idOf(kernel: GpuKernel): number {
    let id = this.ids.get(kernel)
    if (id === undefined) this.ids.set(kernel, (id = this.ids.size))
    return id
  }

  private program(
    kernel: GpuKernel,
    args: readonly (NativeTensor | number)[],
    output: Dims,
    constants: Constants,
    caller?: DeviceCaller,
  ): Program {
    const { backend, programs } = this
    let key = `${this.idOf(kernel)}|${output}`
    for (const arg of args) key += typeof arg === 'number' ? '|' : `|${arg.dims}:${backend.layout(arg.native)}`
    for (const name in constants) key += `|${constants[name]}`
    let program = programs.get(key)
    if (program) programs.delete(key)
    else {
      this.compiling.tell(this.queue.name, caller)
      program = backend.compile(kernel, output, constants, args)
    }
    programs.set(key, program)
    if (programs.size > MOST_PROGRAMS) {
      const [oldest, unused] = programs.entries().next().value!
      programs.delete(oldest)
      unused.destroy()
    }
    return program
  }
}
