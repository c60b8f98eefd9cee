/**
 * Finding the system's BLAS. Runs in Node only; koffi is an optional package, imported when the engine is asked for.
 */

import { EngineError } from '../../errors.js'
import { importNode } from '../../system/nodejs.js'
import type { BlasBinding } from './bind.js'
import { speedsOf } from './choose.js'

/** A library that has been found. */
export interface Blas {
  /** Its own name and version, where it tells them: 'OpenBLAS 0.3.21', 'oneDNN 2.6'. */
  readonly name: string
  readonly binding: BlasBinding
  /** GFLOPS of one thread, and those of the others that were found; left out where there was nothing to choose from. */
  readonly measured?: string
  /** Where the koffi package is, and the file of a oneDNN, whose primitives the engine may then use as well. */
  readonly koffi: string
  readonly onednn?: string
}

type Kind = BlasBinding['kind']

interface Candidate {
  readonly name: string
  readonly kind: Kind
  readonly files: readonly string[]
}

/** Each is tried by its names in turn. Debian's libdnnl3.6 has no libdnnl.so.3. */
const candidates: Record<string, readonly Candidate[]> = {
  linux: [
    {
      name: 'oneDNN',
      kind: 'dnnl',
      files: ['libdnnl.so.3', 'libdnnl.so.3.7', 'libdnnl.so.3.6', 'libdnnl.so.2', 'libdnnl.so'],
    },
    {
      name: 'OpenBLAS',
      kind: 'cblas',
      files: ['libopenblas.so.0', 'libopenblas.so', 'libopenblasp.so.0', 'libopenblaso.so.0', 'libopenblas.so.3'],
    },
    { name: 'BLIS', kind: 'cblas', files: ['libblis.so.4', 'libblis.so.3', 'libblis.so'] },
    { name: 'MKL', kind: 'cblas', files: ['libmkl_rt.so.2', 'libmkl_rt.so.1', 'libmkl_rt.so'] },
  ],
  darwin: [
    { name: 'Accelerate', kind: 'cblas', files: ['/System/Library/Frameworks/Accelerate.framework/Accelerate'] },
    {
      name: 'oneDNN',
      kind: 'dnnl',
      files: ['libdnnl.dylib', '/opt/homebrew/lib/libdnnl.dylib', '/usr/local/lib/libdnnl.dylib'],
    },
    {
      name: 'OpenBLAS',
      kind: 'cblas',
      files: [
        'libopenblas.dylib',
        '/opt/homebrew/opt/openblas/lib/libopenblas.dylib',
        '/usr/local/opt/openblas/lib/libopenblas.dylib',
      ],
    },
  ],
  win32: [
    { name: 'oneDNN', kind: 'dnnl', files: ['dnnl.dll'] },
    { name: 'OpenBLAS', kind: 'cblas', files: ['libopenblas.dll', 'openblas.dll'] },
    { name: 'MKL', kind: 'cblas', files: ['mkl_rt.2.dll', 'mkl_rt.1.dll'] },
  ],
}

const advice =
  'install one: apt-get install libdnnl-dev (or libopenblas0-pthread) on Debian and Ubuntu, dnf install onednn (or openblas) on Fedora, nothing on macOS (Accelerate is there); engine wasm needs none'

/**
 * The fastest BLAS that loads, by a few products on one thread; one that is alone is not measured. RISTRETTO_BLAS names
 * another one: 'openblas', 'onednn', 'blis', 'mkl', 'accelerate', or the path of a library. Throws an EngineError that
 * says what was tried.
 */
export async function findBlas(wanted = process.env.RISTRETTO_BLAS): Promise<Blas> {
  const { createRequire } = await importNode('node:module')
  const require = createRequire(import.meta.url)
  let koffiPath: string
  let koffi: typeof import('koffi')
  try {
    koffiPath = require.resolve('koffi')
    koffi = require('koffi')
  } catch (error) {
    throw new EngineError('engine native needs the package koffi to call the system BLAS: npm install koffi', {
      cause: error,
    })
  }
  const all = candidates[process.platform] ?? []
  const tried: string[] = []
  const found: Blas[] = []
  for (const candidate of wanted ? select(all, wanted) : all) {
    const file = candidate.files.find(file => loads(koffi, file, candidate.kind))
    if (file === undefined) {
      tried.push(...candidate.files)
      continue
    }
    const name = describe(koffi.load(file), candidate.name)
    found.push({ name, koffi: koffiPath, binding: { koffi: koffiPath, file, kind: candidate.kind } })
  }
  if (!found.length)
    throw new EngineError(
      `engine native found no BLAS${wanted ? ` for RISTRETTO_BLAS=${wanted}` : ''} (tried ${tried.join(', ') || 'nothing on this platform'}); ${advice}`,
    )
  const chosen = found.length > 1 ? fastest(found, require) : found[0]
  const onednn = found.find(({ binding }) => binding.kind === 'dnnl')
  return { ...chosen, onednn: onednn?.binding.file }
}

/** Once for a process: what computes must not change under a program's feet. */
let choice: Blas | undefined

function fastest(found: readonly Blas[], require: NodeJS.Require): Blas {
  if (choice) return choice
  const speeds = speedsOf(
    require,
    found.map(({ binding }) => binding),
  )
  const ranked = found.map((blas, i) => ({ blas, ...speeds[i] })).sort((one, other) => other.usual - one.usual)
  const [first, ...others] = ranked.map(({ blas, usual }) => `${blas.name} ${usual.toFixed(0)}`)
  const [{ blas }] = ranked
  const beside = ranked.reduce((best, one) => (one.aliased > best.aliased ? one : best)).blas
  const binding = beside === blas ? blas.binding : { ...blas.binding, beside: beside.binding }
  choice = { ...blas, binding, measured: `${first} GFLOPS a thread; ${others.join(', ')}` }
  return choice
}

const signatures: Record<Kind, string> = {
  dnnl: 'int dnnl_sgemm(char, char, int64_t, int64_t, int64_t, float, uintptr_t, int64_t, uintptr_t, int64_t, float, uintptr_t, int64_t)',
  cblas: 'void cblas_sgemm(int, int, int, int, int, int, float, uintptr_t, int, uintptr_t, int, float, uintptr_t, int)',
}

/** Whether a library is there and has an sgemm of that kind. */
function loads(koffi: typeof import('koffi'), file: string, kind: Kind): boolean {
  try {
    koffi.load(file).func(signatures[kind])
    return true
  } catch {
    return false
  }
}

function select(all: readonly Candidate[], wanted: string): readonly Candidate[] {
  const known = all.filter(candidate => candidate.name.toLowerCase() === wanted.toLowerCase())
  if (known.length) return known
  const kind: Kind = /dnnl/i.test(wanted) ? 'dnnl' : 'cblas'
  return [{ name: wanted, kind, files: [wanted] }]
}

/** What the library calls itself. */
function describe(library: import('koffi').LibraryHandle, name: string): string {
  try {
    const config: string = library.func('const char *openblas_get_config()')()
    return config.split(' ').slice(0, 2).join(' ')
  } catch {}
  return name
}
