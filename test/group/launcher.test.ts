import { describe, expect, it } from 'vitest'
import { launcherOf } from '../../lib/group/launcher.js'

describe('who has started a program', () => {
  const slurm = { SLURM_NTASKS: '6', SLURM_STEP_NUM_TASKS: '6', SLURM_STEP_TASKS_PER_NODE: '2(x3)' }
  it.each([
    ["Open MPI's mpirun", 4, 2, { OMPI_COMM_WORLD_SIZE: '4', OMPI_COMM_WORLD_LOCAL_SIZE: '2' }],
    ["MPICH's mpirun", 4, 2, { PMI_SIZE: '4', PMI_RANK: '1', MPI_LOCALNRANKS: '2' }],
    // mpirun within a batch job
    ["MPICH's mpirun", 4, 2, { ...slurm, SLURM_STEP_NUM_TASKS: '1', PMI_SIZE: '4', MPI_LOCALNRANKS: '2' }],
    ['srun', 6, 2, slurm],
    ['srun', 6, 2, { ...slurm, PMIX_RANK: '1' }],
    ['srun', 6, 2, { ...slurm, PMI_SIZE: '6', PMI_RANK: '1', PMI_FD: '10' }],
    ['a PMIx launcher', 0, 1, { PMIX_RANK: '0' }],
  ])('%s, %i members, %i of them here', (name, size, local, env) => {
    expect(launcherOf(env)).toMatchObject({ name, size, local })
  })

  it('nobody, where a batch script is not yet a step of several tasks', () => {
    expect(launcherOf({})).toBeUndefined()
    expect(launcherOf({ SLURM_NTASKS: '6', SLURM_STEP_NUM_TASKS: '1' })).toBeUndefined()
  })

  it('libraries are those of the launcher, or the one that is named', () => {
    expect(launcherOf({ PMI_SIZE: '2' })!.libraries[0]).toMatch(/mpich/)
    expect(launcherOf({ OMPI_COMM_WORLD_SIZE: '2' })!.libraries.join()).not.toMatch(/mpich/)
    expect(launcherOf({ PMI_SIZE: '2', RISTRETTO_MPI: '/opt/libmpi.so' })!.libraries).toEqual(['/opt/libmpi.so'])
  })
})
