/** The three binary interfaces of MPI libraries: how their handles and constants look. */
import { RistrettoError } from '../errors.js'

type Koffi = typeof import('koffi')
type Library = import('koffi').LibraryHandle

/** Handles and constants, as C's numbers. */
export interface MpiAbi {
  /** C's type of a handle, and its size in bytes. */
  readonly handle: 'uintptr_t' | 'int'
  readonly handleBytes: 8 | 4
  readonly world: number
  readonly float: number
  readonly errorsReturn: number
  readonly statusIgnore: number
}

/** MPICH, Intel MPI, MVAPICH. */
const mpich: MpiAbi = {
  handle: 'int',
  handleBytes: 4,
  world: 0x44000000,
  float: 0x4c00040a,
  errorsReturn: 0x54000001,
  statusIgnore: 1,
}

/** The ABI of MPI 5, for libraries named libmpi_abi. */
const standard: MpiAbi = {
  handle: 'uintptr_t',
  handleBytes: 8,
  world: 0x101,
  float: 0x210,
  errorsReturn: 0x142,
  statusIgnore: 0,
}

function abiOf(koffi: Koffi, library: Library, file: string): MpiAbi {
  if (/libmpi_abi/.test(file)) return standard
  try {
    // Open MPI's handles are addresses of objects of the library
    const address = (name: string) => Number(koffi.address(library.symbol(name, 'char')))
    return {
      handle: 'uintptr_t',
      handleBytes: 8,
      world: address('ompi_mpi_comm_world'),
      float: address('ompi_mpi_float'),
      errorsReturn: address('ompi_mpi_errors_return'),
      statusIgnore: 0,
    }
  } catch {
    return mpich
  }
}

/** A function of the library: its status is looked at. */
type Call = (...args: (number | bigint | object | null)[]) => void

/** The functions that a group calls; buffers are addresses. */
export interface Mpi {
  readonly abi: MpiAbi
  /** 'Open MPI 4.1.4' */
  readonly name: string
  readonly file: string
  readonly initThread: Call
  readonly commRank: Call
  readonly commSize: Call
  readonly commDup: Call
  readonly setErrorHandler: Call
  readonly ialltoallv: Call
  readonly iallgatherv: Call
  readonly iallgather: Call
  readonly ibcast: Call
  readonly test: Call
  readonly finalize: Call
  readonly abort: Call
}

/** The first of these libraries that there is. Throws a RistrettoError that says what was tried. */
export function openMpi(koffi: Koffi, files: readonly string[]): Mpi {
  const tried: string[] = []
  for (const file of files) {
    let library: Library
    try {
      // the plug-ins of a library look for its symbols among those of the program
      library = koffi.load(file, { global: true, lazy: true })
    } catch {
      tried.push(file)
      continue
    }
    return bind(koffi, library, file)
  }
  throw new RistrettoError(
    `no MPI library was found (tried ${tried.join(', ')}): install the one that mpirun belongs to (Debian: apt-get install libopenmpi3, or mpich), or name its file: RISTRETTO_MPI=/usr/lib/…/libmpi.so`,
  )
}

function bind(koffi: Koffi, library: Library, file: string): Mpi {
  const abi = abiOf(koffi, library, file)
  const name = versionOf(library)
  const h = abi.handle
  const call = (name: string, parameters: string): Call => {
    const native = library.func(`int ${name}(${parameters})`)
    return (...args) => {
      const status: number = native(...args)
      if (status !== 0) throw new RistrettoError(`${name} failed with MPI error ${status}`)
    }
  }
  const p = 'uintptr_t'
  return {
    abi,
    name,
    file,
    initThread: call('MPI_Init_thread', 'void *, void *, int, _Out_ int *'),
    commRank: call('MPI_Comm_rank', `${h}, _Out_ int *`),
    commSize: call('MPI_Comm_size', `${h}, _Out_ int *`),
    commDup: call('MPI_Comm_dup', `${h}, _Out_ ${h} *`),
    setErrorHandler: call('MPI_Comm_set_errhandler', `${h}, ${h}`),
    ialltoallv: call('MPI_Ialltoallv', `${p}, ${p}, ${p}, ${h}, ${p}, ${p}, ${p}, ${h}, ${h}, ${p}`),
    iallgatherv: call('MPI_Iallgatherv', `${p}, int, ${h}, ${p}, ${p}, ${p}, ${h}, ${h}, ${p}`),
    iallgather: call('MPI_Iallgather', `${p}, int, ${h}, ${p}, int, ${h}, ${h}, ${p}`),
    ibcast: call('MPI_Ibcast', `${p}, int, ${h}, int, ${h}, ${p}`),
    test: call('MPI_Test', `${p}, ${p}, ${p}`),
    finalize: call('MPI_Finalize', ''),
    abort: call('MPI_Abort', `${h}, int`),
  }
}

/** What the library calls itself, with its version. */
function versionOf(library: Library): string {
  const text = Buffer.alloc(8192)
  const length = [0]
  library.func('int MPI_Get_library_version(_Out_ uint8_t *, _Out_ int *)')(text, length)
  const [line] = text.toString('utf8', 0, length[0]).split('\n')
  const [, name, version] = /^(Open MPI|MPICH|Intel\(R\) MPI|MVAPICH2?)\D*([\d.]+)/.exec(line) ?? []
  return name ? `${name} ${version}` : line.replace(/\0/g, '').slice(0, 60)
}
