import { throwAll } from '../errors.js'
import type { SolverParameter } from '../generated/caffe.js'
import { isForeign } from '../proto/foreign.js'
import { checkMessage } from '../proto/message.js'
import { messageInfo } from '../proto/schema.js'
import { parseSolver } from '../proto/text.js'
import { createFiles, type FileSource, type Files, fileName, isFileSource } from '../system/files.js'
import { ratePolicies } from './learning_rate.js'
import { checkSolverOptions, type SolverOptions } from './options.js'

/** The solver description from wherever it is, upgraded; and files as seen from it. */
export async function readSolver(
  source: FileSource | SolverParameter,
  options: SolverOptions,
): Promise<{ param: SolverParameter; files: Files }> {
  checkSolverOptions(options)
  const files = createFiles(options)
  if (!isFileSource(source)) return { param: await known(checkMessage('SolverParameter', source, 'solver')), files }
  const text = await files.text(source)
  return { param: await known(parseSolver(text, { file: fileName(source) })), files: files.near(source) }
}

/** A solver of today's form in which nothing is unknown that would change results. */
async function known(solver: SolverParameter): Promise<SolverParameter> {
  const { net_param, train_net_param, test_net_param, ...own } = solver
  if (isForeign(messageInfo('SolverParameter'), own)) {
    const { findingErrors, solverFindings } = await import('../net/findings.js')
    throwAll(findingErrors(solver, solverFindings(solver)))
  }
  const { lr_policy } = solver
  if (lr_policy && !ratePolicies.includes(lr_policy))
    throw (await import('./unknown_policy.js')).unknownPolicy(lr_policy, ratePolicies)
  // a number where today's form has a name
  if (solver.solver_type === undefined) return solver
  return (await import('../proto/upgrade_solver.js')).upgradeSolver(solver)
}
