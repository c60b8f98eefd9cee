/**
 * Finding the system's BLAS. Runs in Node only; koffi is an optional package, imported when the engine is asked for.
 */

import { EngineError } from '../../errors.js'
import { importNode } from '../../system/nodejs.js'
import type { BlasBinding } from './bind.js'

/** A library that has been found. */
export interface Blas {
  /** Its own name and version, where it tells them: 'OpenBLAS 0.3.21', 'oneDNN 2.6'. */
  readonly name: string
  readonly binding: BlasBinding
}

type Kind = BlasBinding['kind']

interface Candidate {
  readonly name: string
  readonly kind: Kind
  readonly files: readonly string[]
}

/** Fastest first: oneDNN is at its best with one thread per product, which is how it is used here. */
const candidates: Record<string, readonly Candidate[]> = {
  linux: [
    { name: 'oneDNN', kind: 'dnnl', files: ['libdnnl.so.3', 'libdnnl.so.2', 'libdnnl.so'] },
    {
      name: 'OpenBLAS',
      kind: 'cblas',
      files: ['libopenblas.so.0', 'libopenblas.so', 'libopenblasp.so.0', 'libopenblaso.so.0', 'libopenblas.so.3'],
    },
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
 * The first BLAS that loads. RISTRETTO_BLAS names another one: 'openblas', 'onednn', 'mkl', 'accelerate', or the path
 * of a library. Throws an EngineError that says what was tried.
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
  const chosen = wanted ? select(all, wanted) : all
  const tried: string[] = []
  for (const { name, kind, files } of chosen)
    for (const file of files) {
      try {
        const library = koffi.load(file)
        library.func(
          kind === 'dnnl'
            ? 'int dnnl_sgemm(char, char, int64_t, int64_t, int64_t, float, uintptr_t, int64_t, uintptr_t, int64_t, float, uintptr_t, int64_t)'
            : 'void cblas_sgemm(int, int, int, int, int, int, float, uintptr_t, int, uintptr_t, int, float, uintptr_t, int)',
        )
        return { name: describe(library, name), binding: { koffi: koffiPath, file, kind } }
      } catch {
        tried.push(file)
      }
    }
  throw new EngineError(
    `engine native found no BLAS${wanted ? ` for RISTRETTO_BLAS=${wanted}` : ''} (tried ${tried.join(', ') || 'nothing on this platform'}); ${advice}`,
  )
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
