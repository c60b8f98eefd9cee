import { stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import type { Solver } from '../solver.js'

/**
 * Caffe's rule for solvers from a file: without a prefix snapshots stand beside the solver; a folder gets the solver's
 * name inside.
 */
export async function applySnapshotPrefix(
  solver: Solver,
  solverFile: string,
  log: (line: string) => void,
): Promise<void> {
  const { param } = solver
  const stem = solverFile.slice(0, solverFile.length - extname(solverFile).length)
  if (!param.snapshot_prefix) {
    param.snapshot_prefix = stem
    log(`snapshot_prefix was not specified and is set to ${stem}`)
  } else if ((await stat(param.snapshot_prefix).catch(() => undefined))?.isDirectory()) {
    param.snapshot_prefix = join(param.snapshot_prefix, basename(stem))
    log(`snapshot_prefix was a directory and is replaced to ${param.snapshot_prefix}`)
  }
}
