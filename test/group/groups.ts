/** Groups whose members live in one process, and nets that are cheap to train. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { createExchange } from '../../lib/group/exchange.js'
import { exchangeSum, ThreadGroup } from '../../lib/group/threads.js'
import type { Communicator } from '../../lib/group.js'
import { createSolver, parseSolver, type Solver, type SolverOptions } from '../../lib/index.js'

/** A folder of this test file's own, removed at its end. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ristretto-group-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** The members of a group of `size`. */
export async function membersOf(size: number): Promise<Communicator[]> {
  const exchange = createExchange(size)
  const sum = await exchangeSum(exchange)
  return Array.from({ length: size }, (_, rank) => new ThreadGroup(exchange, rank, sum))
}

/** Solvers of a group of `size`; one without a group where that is 1. What `use` gives of each, in the order of ranks. */
export async function withSolvers<T>(
  size: number,
  text: string,
  use: (solver: Solver, rank: number) => Promise<T>,
  options: SolverOptions = {},
): Promise<T[]> {
  const groups = size > 1 ? await membersOf(size) : [undefined]
  return Promise.all(
    groups.map(async (group, rank) => {
      const solver = await createSolver(parseSolver(text), { engine: 'wasm', threads: 1, group, ...options })
      try {
        return await use(solver, rank)
      } finally {
        solver.dispose()
      }
    }),
  )
}

/** Every learnable value, statistics included. */
export const weightsOf = ({ net }: Solver): number[][] =>
  net.built.learnable.map(({ blob }) => Array.from(blob.dataArray))
