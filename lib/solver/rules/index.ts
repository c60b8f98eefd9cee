import { NetError } from '../../errors.js'
import type { SolverParameter, SolverType } from '../../generated/caffe.js'
import type { Solver } from '../../solver.js'
import type { FileSource } from '../../system/files.js'
import { didYouMean } from '../../system/names.js'
import type { SolverOptions } from '../options.js'
import { readSolver } from '../source.js'
import { AdaDeltaSolver } from './adadelta.js'
import { AdaGradSolver } from './adagrad.js'
import { AdamSolver } from './adam.js'
import { NesterovSolver } from './nesterov.js'
import { RMSPropSolver } from './rmsprop.js'
import { SGDSolver } from './sgd.js'

export { AdaDeltaSolver, AdaGradSolver, AdamSolver, NesterovSolver, RMSPropSolver, SGDSolver }

type SolverClass = new (...args: ConstructorParameters<typeof SGDSolver>) => Solver

/** Solver classes by the name that a solver's `type:` gives. */
const solvers: Record<SolverType, SolverClass> = {
  SGD: SGDSolver,
  Nesterov: NesterovSolver,
  AdaGrad: AdaGradSolver,
  RMSProp: RMSPropSolver,
  AdaDelta: AdaDeltaSolver,
  Adam: AdamSolver,
}

const isSolver = (type: string): type is SolverType => Object.hasOwn(solvers, type)

/** Solver types that a prototxt may name. */
export function solverTypes(): string[] {
  return Object.keys(solvers)
}

/**
 * The solver that a prototxt (path, URL or bytes) or a parsed SolverParameter describes, of the class that its `type:`
 * names (default SGD).
 */
export function createSolver(source: FileSource | SolverParameter, options: SolverOptions = {}): Promise<Solver> {
  return createChangedSolver(source, options, param => param)
}

/** The same after a change to what the source says. */
export async function createChangedSolver(
  source: FileSource | SolverParameter,
  options: SolverOptions,
  change: (param: SolverParameter) => SolverParameter,
): Promise<Solver> {
  const { param: given, files } = await readSolver(source, options)
  const param = change(given)
  const type = param.type ?? 'SGD'
  if (!isSolver(type))
    throw new NetError(
      `solver: unknown type '${type}'${didYouMean(type, solverTypes())}; it may be ${solverTypes().join(', ')}`,
    )
  const solver = new solvers[type](param, options, files)
  await solver.setup()
  return solver
}
