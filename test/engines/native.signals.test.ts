import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { findBlas } from '../../lib/engines/native/blas.js'
import { EngineError } from '../../lib/errors.js'
import { bundled } from '../bundled.js'
import { temporaryFolder } from '../cli/helpers.js'

const found = await findBlas('onednn').catch((error: unknown) => {
  if (!(error instanceof EngineError)) throw error
  return undefined
})
const folder = temporaryFolder()

// a profiler signals the thread thousands of times a second: without the mask no such process got to its end
test.skipIf(!found)('signals during dnnl_sgemm leave the memory of others alone', async () => {
  const script = await bundled('test/engines/signals_child.ts')
  const profiled = ['--cpu-prof', '--cpu-prof-interval', '200', '--cpu-prof-dir', folder]
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...profiled, script, JSON.stringify(found!.binding)],
    { encoding: 'utf8' },
  )
  expect({ status, stdout }, stderr).toEqual({ status: 0, stdout: '64\n' })
})
