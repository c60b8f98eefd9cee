import { stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import type { SolverParameter } from '../generated/caffe.js'
import type { Solver } from '../solver.js'

/**
 * Caffe's rule for solvers from a file: without a prefix snapshots stand beside the solver; a folder gets the solver's
 * name inside.
 */
export async function snapshotPrefix({ snapshot_prefix }: SolverParameter, solverFile: string): Promise<string> {
  const stem = solverFile.slice(0, solverFile.length - extname(solverFile).length)
  if (!snapshot_prefix) return stem
  const isFolder = (await stat(snapshot_prefix).catch(() => undefined))?.isDirectory()
  return isFolder ? join(snapshot_prefix, basename(stem)) : snapshot_prefix
}

/** Give a solver the prefix that it has by this rule, and say so where the file says otherwise. */
export async function applySnapshotPrefix(
  { param }: Solver,
  solverFile: string,
  log: (line: string) => void,
): Promise<void> {
  const prefix = await snapshotPrefix(param, solverFile)
  if (!param.snapshot_prefix) log(`snapshot_prefix was not specified and is set to ${prefix}`)
  else if (prefix !== param.snapshot_prefix) log(`snapshot_prefix was a directory and is replaced to ${prefix}`)
  param.snapshot_prefix = prefix
}
