import { throwAll } from '../errors.js'
import type { SolverParameter } from '../generated/caffe.js'
import { findingErrors, solverFindings } from '../net/findings.js'
import { checkMessage } from '../proto/message.js'
import { parseSolver } from '../proto/text.js'
import { upgradeSolver } from '../proto/upgrade.js'
import { createFiles, type FileSource, type Files, fileName, isFileSource } from '../system/files.js'
import type { SolverOptions } from './options.js'

/** The solver description from wherever it is, upgraded; and files as seen from it. */
export async function readSolver(
  source: FileSource | SolverParameter,
  options: SolverOptions,
): Promise<{ param: SolverParameter; files: Files }> {
  const files = createFiles(options)
  if (!isFileSource(source)) return { param: known(checkMessage('SolverParameter', source, 'solver')), files }
  const text = await files.text(source)
  return { param: known(parseSolver(text, { file: fileName(source) })), files: files.near(source) }
}

/** A solver of today's form in which nothing is unknown that would change results. */
function known(solver: SolverParameter): SolverParameter {
  throwAll(findingErrors(solver, solverFindings(solver)))
  return upgradeSolver(solver)
}
