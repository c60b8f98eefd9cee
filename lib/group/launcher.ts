/** Who has started this process, by the variables that launchers set. */

/** A launcher of MPI programs. */
export interface Launcher {
  /** How many members it has started. */
  readonly size: number
  readonly name: string
  /** Members on this machine. */
  readonly local: number
  /** MPI libraries that go with it, first to last. */
  readonly libraries: readonly string[]
}

const OPEN_MPI = ['libmpi.so.40', 'libmpi.so.80', 'libmpi.so', 'libmpi.dylib']
const MPICH = ['libmpich.so.12', 'libmpi.so.12', 'libmpich.dylib', 'libpmpi.dylib']
const STANDARD = ['libmpi_abi.so.0', 'libmpi_abi.so']

/** A whole number above 0, or 0. */
const count = (text: string | undefined): number => (/^\d+$/.test(text ?? '') ? Number(text) : 0)

/** The launcher of this process; undefined where none has started it with others. */
export function launcherOf(env: Readonly<Record<string, string | undefined>>): Launcher | undefined {
  const named = env['RISTRETTO_MPI'] ? [env['RISTRETTO_MPI']] : undefined
  const launcher = (
    name: string,
    size: string | undefined,
    local: string | undefined,
    libraries: readonly string[],
  ) => ({
    name,
    size: count(size),
    local: count(local) || 1,
    libraries: named ?? libraries,
  })
  if (env['OMPI_COMM_WORLD_SIZE'])
    return launcher("Open MPI's mpirun", env['OMPI_COMM_WORLD_SIZE'], env['OMPI_COMM_WORLD_LOCAL_SIZE'], OPEN_MPI)
  // not SLURM_NTASKS, which a batch script sees that has started nobody yet
  const tasks = env['SLURM_STEP_NUM_TASKS']
  // as many on the first machine: '2(x3),1'
  const here = env['SLURM_STEP_TASKS_PER_NODE']?.match(/^\d+/)?.[0]
  if (env['PMI_SIZE'])
    return launcher(
      // with --mpi=pmi2
      tasks === env['PMI_SIZE'] ? 'srun' : "MPICH's mpirun",
      env['PMI_SIZE'],
      env['MPI_LOCALNRANKS'] ?? env['PMI_LOCAL_SIZE'] ?? here,
      [...MPICH, ...STANDARD],
    )
  if (count(tasks) > 1) return launcher('srun', tasks, here, [...OPEN_MPI, ...MPICH, ...STANDARD])
  if (env['PMIX_RANK'] !== undefined)
    return launcher('a PMIx launcher', env['PMIX_SIZE'], undefined, [...OPEN_MPI, ...MPICH, ...STANDARD])
  return undefined
}
