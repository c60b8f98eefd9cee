/** What programs that train with several workers call; each loads what it needs when it is called. */
import type { SolverParameter } from '../generated/caffe.js'
import type { Communicator } from '../group.js'
import type { Snapshot } from '../solver/snapshot.js'
import type { FileSource } from '../system/files.js'
import type { GroupOptions } from './patience.js'
import type { StartOptions, Workers } from './supervisor.js'
import type { TrainWorkersOptions } from './train_workers.js'

/**
 * The group that this program is a member of: of MPI, where a launcher (mpirun, srun) has started it; of the threads of
 * `startWorkers`; else a group of one. The same however often it is called; the options of the first call count. Throws a
 * RistrettoError that says what is missing where MPI cannot be called.
 */
export async function joinGroup(options: GroupOptions = {}): Promise<Communicator> {
  return (await import('./join.js')).joinGroup(options)
}

/**
 * Start `workers` threads that run the module at `url`, each with a memory of its own; there `joinGroup()` resolves to
 * the group of all of them. In a browser they are module workers, of a cross-origin isolated page.
 */
export async function startWorkers(url: string | URL, workers: number, options: StartOptions = {}): Promise<Workers> {
  return (await import('./supervisor.js')).startWorkers(url, workers, options)
}

/**
 * Train a solver with `workers` threads, each with a memory of its own; resolves to the last snapshot, of the weights that
 * all members end with: paths, or bytes where the solver has no snapshot_prefix. The first error of a worker ends all, and
 * is a RistrettoError that names the worker. A module of the library is started in each thread: pages that are bundled
 * start one of their own, with `startWorkers`.
 */
export async function trainWorkers(
  solver: FileSource | SolverParameter,
  options: TrainWorkersOptions,
): Promise<Snapshot> {
  return (await import('./train_workers.js')).trainWorkers(solver, options)
}
