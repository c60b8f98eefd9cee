import { EngineError, FormatError, RistrettoError } from '../errors.js'
import { MAX_FILE } from '../system/read_file.js'

type H5wasm = typeof import('h5wasm')
type H5File = import('h5wasm').File
type H5Dataset = import('h5wasm').Dataset

/** An array in a file, as float32 whatever it was stored as. */
export interface Hdf5Array {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** What can be written: an array, a list of integers, or a string. */
export type Hdf5Value = Hdf5Array | Int32Array | string

const MAX_COUNT = 2 ** 31 - 1
/** Values read at a time: the rows of a large dataset pass through h5wasm's own memory. */
const BLOCK = 1 << 22
/** What the HDF5 library here unpacks, by the numbers that files give filters. */
const FILTERS = ['', 'gzip', 'shuffle', 'fletcher32', 'szip', 'nbit', 'scaleoffset']
const INTEGER = 0
const FLOAT = 1
const STRING = 3

let loaded: Promise<Hdf5> | undefined

/** The HDF5 library, npm h5wasm, imported when it is first needed. */
export function loadHdf5(): Promise<Hdf5> {
  loaded ??= importHdf5()
  return loaded
}

async function importHdf5(): Promise<Hdf5> {
  let library: H5wasm
  try {
    library = await import('h5wasm')
  } catch (error) {
    throw new EngineError(`HDF5 files need the package h5wasm: npm install h5wasm (${(error as Error).message})`, {
      cause: error,
    })
  }
  const { FS } = await library.ready
  // what goes wrong is thrown; the library would print a stack of its own to stderr as well
  const { streams } = FS as unknown as { streams: Parameters<typeof FS.close>[0][] }
  FS.close(streams[2])
  FS.open('/dev/null', 'w')
  return new Hdf5(library)
}

/** Reads and writes whole HDF5 files as bytes. */
export class Hdf5 {
  private files = 0

  constructor(private readonly library: H5wasm) {}

  /**
   * @param name of the file, for error messages
   * @param maxFile most bytes that what is packed in it may have when it is unpacked, if that is more than the file's own
   * values can have
   */
  open(bytes: Uint8Array, name: string, maxFile: number = MAX_FILE): Hdf5Reader {
    const magic = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]
    // a user block of a power of two from 512 bytes may come first
    const starts = (at: number) => magic.every((byte, i) => bytes[at + i] === byte)
    let found = starts(0)
    for (let at = 512; !found && at < bytes.length; at *= 2) found = starts(at)
    if (!found) throw new FormatError(`${name}: no HDF5 file (${bytes.length} bytes)`)
    const path = this.temporary()
    const { FS } = this.library.Module
    FS.writeFile(path, bytes)
    const remove = () => FS.unlink(path)
    try {
      const file = new this.library.File(path, 'r')
      // the library hands out an invalid file rather than throw
      if (file.file_id < 0n) throw new RistrettoError('the HDF5 library cannot open it')
      return new Hdf5Reader(this.library, file, name, Math.max(maxFile, 4 * bytes.length), remove)
    } catch (error) {
      remove()
      throw new FormatError(`${name}: damaged HDF5 file (${bytes.length} bytes)`, { cause: error })
    }
  }

  /** A file with these datasets; a name may hold slashes, which make groups. */
  write(datasets: Iterable<readonly [name: string, value: Hdf5Value]>): Uint8Array {
    const path = this.temporary()
    const { FS } = this.library.Module
    const file = new this.library.File(path, 'w')
    try {
      for (const [name, value] of datasets) this.put(file, name, value)
    } finally {
      file.close()
    }
    const bytes = FS.readFile(path)
    FS.unlink(path)
    return bytes
  }

  private put(file: H5File, name: string, value: Hdf5Value): void {
    const parts = name.split('/').filter(part => part !== '')
    for (let i = 1; i < parts.length; i++) {
      const group = parts.slice(0, i).join('/')
      if (!file.get(group)) file.create_group(group)
    }
    if (typeof value === 'string') file.create_dataset({ name, data: value })
    else if (value instanceof Int32Array) file.create_dataset({ name, data: value, shape: [value.length], dtype: '<i' })
    else file.create_dataset({ name, data: value.data, shape: [...value.shape], dtype: '<f' })
  }

  private temporary(): string {
    return `/ristretto-${this.files++}.h5`
  }
}

/** An open file. */
export class Hdf5Reader {
  constructor(
    private readonly library: H5wasm,
    private readonly file: H5File,
    private readonly name: string,
    /** Most bytes of a dataset as float32, and of a piece that is unpacked: a few kB of zeros unpack to GBs. */
    private readonly most: number,
    private readonly remove: () => void,
  ) {}

  /** Names in the file, or in one of its groups, in the file's order. */
  names(group = '/'): string[] {
    const entity = this.find(group)
    return entity instanceof this.library.Group ? this.guarded(group, () => entity.keys()) : []
  }

  /** Whether there is a dataset of this name. */
  has(path: string): boolean {
    return this.find(path) instanceof this.library.Dataset
  }

  /** A string dataset; undefined where there is none. */
  text(path: string): string | undefined {
    const entity = this.find(path)
    if (!(entity instanceof this.library.Dataset)) return undefined
    const value = this.values(path, entity, () => entity.value)
    const first = Array.isArray(value) ? value[0] : value
    return typeof first === 'string' ? first : undefined
  }

  /** Values of a dataset of numbers, as float32. */
  read(path: string): Hdf5Array {
    const dataset = this.find(path)
    if (!(dataset instanceof this.library.Dataset)) {
      if (dataset || this.names().includes(path)) this.mustHold(path, dataset)
      throw new FormatError(
        `${this.name}: there is no dataset '${path}'; the file has ${this.names().join(', ') || 'none'}`,
      )
    }
    const { shape, type, size, virtual_sources, chunks } = this.guarded(path, () => dataset.metadata)
    // the library would give zeros for what it does not find
    if (virtual_sources?.length)
      throw new FormatError(
        `${this.name}: dataset '${path}' only refers to '${virtual_sources[0].file_name}' and the like: files that refer to others are not read; store its values`,
      )
    if ((type !== FLOAT && type !== INTEGER) || size > 8)
      throw new FormatError(
        `${this.name}: dataset '${path}' holds neither floats nor integers (class ${type}, ${size} bytes each)`,
      )
    if (!shape) throw new FormatError(`${this.name}: dataset '${path}' is empty`)
    const sizes = shape.map(Number)
    const count = sizes.reduce((product, n) => product * n, 1)
    if (!(count <= MAX_COUNT))
      throw new FormatError(`${this.name}: dataset '${path}' is ${sizes.join('×')}: more than 2³¹ − 1 values`)
    const piece = (chunks ?? []).reduce((product, n) => product * Number(n), size)
    if (4 * count > this.most || piece > this.most)
      throw new FormatError(
        `${this.name}: dataset '${path}' (${sizes.join('×')}${chunks ? ` in pieces of ${chunks.join('×')}` : ''}) unpacks to more than ${this.most} bytes; the option maxFile sets another limit`,
      )

    const data = allocate(count, `${this.name}: dataset '${path}' (${sizes.join('×')})`)
    if (sizes.length === 0)
      copy(
        this.values(path, dataset, () => dataset.value),
        data,
        0,
      )
    else if (count > 0) {
      const row = count / sizes[0]
      const rows = Math.max(1, Math.floor(BLOCK / row))
      for (let from = 0; from < sizes[0]; from += rows) {
        const to = Math.min(sizes[0], from + rows)
        const values = this.values(path, dataset, () => dataset.slice([[from, to]]))
        if (copy(values, data, from * row) !== (to - from) * row)
          throw new FormatError(
            `${this.name}: dataset '${path}' holds fewer values than its shape ${sizes.join('×')} says`,
          )
      }
    }
    return { shape: sizes, data }
  }

  close(): void {
    this.file.close()
    this.remove()
  }

  private find(path: string) {
    return path === '/' ? this.file : this.guarded(path, () => this.file.get(path))
  }

  /** Throws for a name of the file that stands for nothing in it: a link to elsewhere, or what is damaged. */
  mustHold(path: string, entity = this.find(path)): void {
    const { BrokenSoftLink, ExternalLink } = this.library
    const target =
      entity instanceof ExternalLink ? entity.filename : entity instanceof BrokenSoftLink ? entity.target : undefined
    if (target !== undefined)
      throw new FormatError(`${this.name}: '${path}' is a link to '${target}', which is not in this file`)
    if (!entity) throw new FormatError(`${this.name}: '${path}' is damaged`)
  }

  /**
   * What `task` reads of a dataset. The library reports a read that failed by a negative number, which its own classes
   * ignore: they would hand out whatever their memory held. Synchronous, so nobody else meets the replaced function.
   */
  private values<T>(path: string, dataset: H5Dataset, task: () => T): T {
    const { Module } = this.library
    const read = Module.get_dataset_data
    Module.get_dataset_data = (...given) => {
      const { type, size, total_size } = dataset.metadata
      // pointers of strings that were not read must lead nowhere
      if (type === STRING) {
        const at = Number(given[5])
        Module.HEAPU8.fill(0, at, at + size * total_size)
      }
      const status = read(...given)
      if (status < 0) throw new RistrettoError(this.whyUnread(dataset))
      return status
    }
    try {
      return this.guarded(path, task)
    } finally {
      Module.get_dataset_data = read
    }
  }

  private whyUnread(dataset: H5Dataset): string {
    const unknown = dataset.filters.filter(({ id }) => !FILTERS[id])
    if (unknown.length)
      return `it is packed with ${unknown.map(({ id, name }) => `${name ? `'${name}', ` : ''}filter ${id}`).join(' and ')}; read are ${FILTERS.slice(1).join(', ')}: store it with gzip or unpacked`
    const names = dataset.filters.map(({ id }) => FILTERS[id]).join(', ')
    return `its values are damaged, cut off or in another file${names ? ` (it is packed with ${names})` : ''}`
  }

  private guarded<T>(path: string, task: () => T): T {
    try {
      return task()
    } catch (error) {
      const why = error instanceof Error ? error.message : 'it is damaged, or packed with a filter that is not built in'
      throw new FormatError(`${this.name}: cannot read '${path}': ${why}`, { cause: error })
    }
  }
}

function allocate(count: number, what: string): Float32Array {
  try {
    return new Float32Array(count)
  } catch (error) {
    throw new FormatError(`${what} does not fit into memory`, { cause: error })
  }
}

/** Numbers of any type → float32; returns how many there were. */
function copy(values: unknown, into: Float32Array, at: number): number {
  if (typeof values === 'number' || typeof values === 'bigint') {
    into[at] = Number(values)
    return 1
  }
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    for (let i = 0; i < values.length; i++) into[at + i] = Number(values[i])
    return values.length
  }
  const numbers = values as ArrayLike<number>
  into.set(numbers, at)
  return numbers.length
}
