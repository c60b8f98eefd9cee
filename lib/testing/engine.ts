import type { Engine, Kernels } from '../engine.js'
import { createEngine, type EngineName } from '../engines/index.js'
import { jsKernels } from '../engines/plain_loops.js'
import { RistrettoError } from '../errors.js'
import { aCount, aLimit, checkOptions, names } from '../system/check_options.js'
import { compareKernel, type KernelResult } from './kernel_cases/run.js'

/** What `checkEngine` allows, and which kernels it looks at. */
export interface EngineCheckOptions {
  /** Default: all that the engine has. */
  readonly kernels?: readonly (keyof Kernels)[]
  /** Allowed difference as a share of the largest value of an output. Default: what the library's engines keep to. */
  readonly tolerance?: number
  readonly threads?: number
}

/** How an engine's kernels went. */
export interface EngineReport {
  /** The engine that ran. */
  readonly engine: string
  /** One for each kernel that was compared, as asked for or by name. */
  readonly results: readonly KernelResult[]
  /** Kernels that a device has not got: layers that name them run on its host. */
  readonly missing: readonly (keyof Kernels)[]
}

/** An engine's kernels give other values than the plain loops: a cause for each of them. */
export class EngineCheckError extends RistrettoError {
  override name = 'EngineCheckError'

  /** Made by checkEngine. */
  constructor(
    message: string,
    /** All kernels, those that are right among them. */
    readonly report: EngineReport,
    causes: readonly RistrettoError[],
  ) {
    super(message, { causes })
  }
}

const isWrong = ({ error, worst }: KernelResult): boolean => error !== undefined || !(worst <= 1)

/**
 * Run every kernel of an engine beside the plain loops of js, over the cases that the library's own engines pass, what
 * is fused among them. Throws an EngineCheckError that lists the kernels that are wrong, each with the case, the value
 * and what is right.
 */
export async function checkEngine(
  engine: Engine | EngineName,
  options: EngineCheckOptions = {},
): Promise<EngineReport> {
  checkOptions('checkEngine', options, { kernels: names, tolerance: aLimit, threads: aCount })
  const { kernels, tolerance, threads } = options
  const made = await createEngine(engine, { threads })
  const has = (name: string): boolean => name in made.kernels
  const own = Object.keys(jsKernels) as (keyof Kernels)[]
  const allowed = tolerance === undefined ? {} : { tolerance: { ofLargest: tolerance, ofValue: 0 } }
  const results: KernelResult[] = []
  // a host engine must have all
  const all = made.isHost ? own : own.filter(has)
  for (const name of kernels ?? all) results.push(await compareKernel(name, jsKernels, made, allowed))
  const report = { engine: made.name, results, missing: own.filter(name => !has(name)) }
  const wrong = results.filter(isWrong)
  if (wrong.length === 0) return report
  const causes = wrong.map(({ kernel, error, at }) => new RistrettoError(`${kernel}: ${error ?? at}`))
  const lines = causes.map(({ message }) => message)
  const what = `${wrong.length} of ${results.length} kernels give other values than the plain loops`
  throw new EngineCheckError(`engine ${made.name}: ${what}\n${lines.join('\n')}`, report, causes)
}
