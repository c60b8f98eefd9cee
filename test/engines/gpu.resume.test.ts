import { describe, expect, test } from 'vitest'
import type { GpuEngine } from '../../lib/engines/gpu.js'
import { bitsOf, resumed, startRecurrent } from './recurrent.js'

const engines = process.env.RISTRETTO_GPU_ENGINES?.split(',') ?? ['gpu:webasm', 'gpu:cpu']

describe.each(engines)('snapshots on %s', engine => {
  describe.each(['RNN', 'LSTM'])('%s', { tags: engine === 'gpu:cpu' ? 'ci' : [] }, type => {
    test('3 steps, a snapshot and 3 more are 6 steps, bit by bit', async () => {
      const { straight, again } = await resumed(type, engine)
      expect(again).toEqual(straight)
    })

    test('a snapshot looks at the state without taking it; without the state the bits are others', async () => {
      const solver = await startRecurrent(type, engine, 4)
      const layer = solver.net.layers.find(({ name }) => name === 'h')!
      expect(layer.engine.name).toBe(engine)
      await solver.step(3)
      const { model, state } = await solver.snapshot()
      const { traffic } = solver.net.engine as GpuEngine
      const uploadsOf = async () => {
        const { uploads } = traffic
        await solver.step(1)
        return traffic.uploads - uploads
      }
      const once = await uploadsOf()
      await solver.snapshot()
      expect(await uploadsOf()).toBe(once)
      await solver.step(1)

      const forgetful = await startRecurrent(type, engine, 4)
      await forgetful.restore(state, model)
      const restored = forgetful.net.layers.find(({ name }) => name === 'h') as unknown as { reset(): void }
      restored.reset()
      await forgetful.step(3)
      expect(await bitsOf(forgetful)).not.toEqual(await bitsOf(solver))
      solver.dispose()
      forgetful.dispose()
    })
  })
})
