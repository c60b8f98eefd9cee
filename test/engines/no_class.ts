import type { ClassLossShape, Engine } from '../../lib/engine.js'
import { kernelsOf } from '../../lib/engines/complete.js'
import { makeKit } from '../../lib/testing/kernel_cases/run.js'

/** Losses of four items, one of whose labels is no class. */
export async function lossesOfNoClass(engine: Engine): Promise<Record<string, number>> {
  const result: Record<string, number> = {}
  const s: ClassLossShape = { outer: 4, classes: 3, inner: 1, ignoreLabel: undefined, normalization: 'VALID' }
  for (const wrong of [3, -1, 1000]) {
    const { kit, outputs, made } = makeKit('no class', engine.heap)
    const label = () => kit.values(0, wrong, 2, 1)
    const k = kernelsOf(engine)
    k.softmaxLoss(s, kit.positive(12), label(), kit.out(1))
    k.infogainLoss(s, kit.positive(12), label(), kit.random(9), kit.out(1))
    k.multinomialLogisticLoss(4, 3, kit.positive(12), label(), kit.out(1))
    k.hingeLoss(4, 3, false, kit.random(12), label(), kit.out(1))
    for (const [i, memory] of outputs.entries()) {
      await memory.pull()
      result[`${['softmaxLoss', 'infogainLoss', 'multinomialLogisticLoss', 'hingeLoss'][i]}, label ${wrong}`] =
        memory.array[0]
    }
    for (const memory of made) memory.dispose()
  }
  return result
}
