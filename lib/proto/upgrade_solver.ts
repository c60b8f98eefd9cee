import { NetError } from '../errors.js'
import type { SolverParameter, SolverParameter_SolverType } from '../generated/caffe.js'
import { isFields, mustTake } from '../system/arguments.js'

const SOLVER_TYPES: Record<SolverParameter_SolverType, string> = {
  SGD: 'SGD',
  NESTEROV: 'Nesterov',
  ADAGRAD: 'AdaGrad',
  RMSPROP: 'RMSProp',
  ADADELTA: 'AdaDelta',
  ADAM: 'Adam',
}

/** The solver with its type as a name instead of an enum; the same object if it is so already. */
export function upgradeSolver(solver: SolverParameter): SolverParameter {
  mustTake(isFields(solver), 'upgradeSolver', 'a solver as parseSolver gives it', solver)
  const { solver_type, ...rest } = solver
  if (solver_type === undefined) return solver
  if (solver.type !== undefined)
    throw new NetError(
      `the solver gives both type: "${solver.type}" and the older solver_type: ${solver_type}; leave out solver_type`,
    )
  return { ...rest, type: SOLVER_TYPES[solver_type] }
}
