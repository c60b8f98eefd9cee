import { describe, expect, test } from 'vitest'
import type { Kernels } from '../../lib/engine.js'
import { createGpuEngine } from '../../lib/engines/gpu.js'
import { jsKernels } from '../../lib/engines/plain_loops.js'
import { compareKernel, onEveryDevice } from '../../lib/testing/kernel_cases/run.js'
import { share } from '../turns.js'
import { largeTensors } from './large.js'
import { lossesOfNoClass } from './no_class.js'

// the two divide a kernel's cases: what they compute with is one text of it
describe.each([
  ['webasm', 0],
  ['cpu', 1],
] as const)('the gpu kernels as %s', (mode, part) => {
  test('every one of them has cases', async () => {
    const engine = await createGpuEngine(mode)
    expect(Object.keys(engine.kernels).filter(name => !onEveryDevice.includes(name as keyof Kernels))).toEqual([])
    // a ReLU is a kernel of its own; a gathered row that does not exist is NaN, which shader code may not make, so
    // Embed stays on the host; so does what scatters by a mask or along a flow
    expect(Object.keys(jsKernels).filter(name => !(name in engine.kernels))).toEqual([
      'flowWarp',
      'flowWarpGradient',
      'flowWarpFlowGradient',
      'gatherRows',
      'unpool',
      'unpoolGradient',
    ])
  })

  test.each(onEveryDevice)('%s agrees with the plain loops', async name => {
    const engine = await createGpuEngine(mode)
    const { cases, worst, at, error } = await compareKernel(name, jsKernels, engine, { share: share(part, 2) })
    expect(error).toBeUndefined()
    expect(cases).toBeGreaterThan(0)
    expect(worst, at).toBeLessThanOrEqual(1)
  })

  test('a label that is no class makes the loss infinite', async () => {
    const losses = Object.entries(await lossesOfNoClass(await createGpuEngine(mode)))
    expect(losses).toHaveLength(12)
    for (const [which, loss] of losses) expect(loss, which).toBe(Number.POSITIVE_INFINITY)
  })
})

test('tensors of more than 2^24 values keep their places', { tags: 'ci', timeout: 600_000 }, async () => {
  expect(await largeTensors('webasm')).toEqual([])
})
