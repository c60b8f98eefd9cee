/** What programs that train with several workers call; each loads what it needs when it is called. */
import type { Communicator } from '../group.js'
import type { GroupOptions } from './patience.js'
import type { StartOptions, Workers } from './supervisor.js'

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
