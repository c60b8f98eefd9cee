import { describe, test } from 'vitest'
import { createSolver } from '../../lib/solver/rules/index.js'
import { hostEngines } from '../engines.js'
import { expectClose, Golden, type GoldenArray, goldenPath } from '../golden.js'

const folder = '../golden-forks/nets'
const path = (file: string) => goldenPath(`${folder}/${file}`)

/** What a run of 20 iterations left behind. */
interface Trained {
  initial_params: GoldenArray[]
  param_order: { layer: string; index: number }[]
  batches: { data: GoldenArray; label: GoldenArray }[]
  first_gradient: GoldenArray[]
  losses: number[]
  loss_rtol: number
  loss_atol: number
  records: { iter: number; params: GoldenArray[]; tolerance: { rtol: number; params_atol: number } }[]
}
const trained = new Golden<Trained>(`${folder}/ssd_train/ssd_train`)

describe.each(hostEngines)('training an SSD on %s', engine => {
  test('gradients, losses and params of 20 iterations', { tags: 'long' }, async () => {
    const { batches, losses, loss_rtol, loss_atol, first_gradient, records } = trained.json
    const solver = await createSolver(path('ssd_train/solver.prototxt'), { engine, seed: 1, threads: 2 })
    const params = trained.json.param_order.map(({ layer, index }) => solver.net.params[layer][index])
    params.forEach((blob, i) => blob.dataArray.set(trained.array(trained.json.initial_params[i])))
    for (const input of ['data', 'label'] as const)
      solver.net.feed(
        input,
        (function* () {
          for (let k = 0; ; k++) yield trained.array(batches[k % batches.length][input])
        })(),
      )
    solver.onGradientsReady(iter => {
      if (iter) return
      params.forEach((blob, i) =>
        expectClose(blob.diffArray, trained.array(first_gradient[i]), 1e-4, 1e-5, `first gradient ${i}`),
      )
    })
    for (let i = 0; i < losses.length; i++) {
      await solver.step(1)
      expectClose([await solver.loss()], [losses[i]], loss_rtol, loss_atol, `loss ${i}`)
      for (const { iter, params: values, tolerance } of records)
        if (iter === i + 1)
          params.forEach((blob, k) =>
            expectClose(
              blob.dataArray,
              trained.array(values[k]),
              tolerance.rtol,
              tolerance.params_atol,
              `param ${k} after ${iter}`,
            ),
          )
    }
    solver.dispose()
  })
})
