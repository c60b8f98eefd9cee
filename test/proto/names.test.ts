import { expect, expectTypeOf, test } from 'vitest'
import type { builtInLayers } from '../../lib/generated/layer_list.js'
import { layerTypes, parseSolver } from '../../lib/index.js'
import type {
  FillerParameter,
  FillerType,
  LayerParameter,
  LayerType,
  RatePolicy,
  SolverParameter,
  SolverType,
} from '../../lib/proto/types.js'
import { LearningRate } from '../../lib/solver/learning_rate.js'
import { solverTypes } from '../../lib/solver/rules/index.js'

test('names of closed sets are literal: a slip does not compile', () => {
  expectTypeOf<SolverParameter['lr_policy']>().toEqualTypeOf<RatePolicy | undefined>()
  expectTypeOf<FillerParameter['type']>().toEqualTypeOf<FillerType | undefined>()
  expectTypeOf<Parameters<typeof expectSolver>[0]['regularization_type']>().toEqualTypeOf<'L1' | 'L2' | undefined>()
  // @ts-expect-error no such policy
  expect(() => new LearningRate({ base_lr: 1, lr_policy: 'stpe', gamma: 0.1, stepsize: 1 })).toThrow('stpe')
  // @ts-expect-error no such filler
  const filler: FillerParameter = { type: 'xaviar' }
  expect(filler.type).toBe('xaviar')
})

const expectSolver = (param: SolverParameter): SolverParameter => param

test('a prototxt has the same types', () => {
  const { lr_policy } = parseSolver('lr_policy: "step"')
  expectTypeOf(lr_policy).toEqualTypeOf<RatePolicy | undefined>()
  expect(lr_policy).toBe('step')
})

test('types of layers and solvers are open, with the known ones for editors to list', () => {
  const mine: LayerParameter = { type: 'NobodyHasThisType' }
  expect(mine.type).toBe('NobodyHasThisType')
  expect(expectSolver({ type: 'MySolver' }).type).toBe('MySolver')
  expectTypeOf<LayerType>().toEqualTypeOf<keyof typeof builtInLayers | 'Python'>()
  expectTypeOf<'Adam' | 'SGD'>().toExtend<SolverType>()
  // @ts-expect-error the list holds what the library has
  const other: LayerType = 'NobodyHasThisType'
  expect(layerTypes()).not.toContain(other)
  const known: Record<SolverType, true> = {
    SGD: true,
    Nesterov: true,
    AdaGrad: true,
    RMSProp: true,
    AdaDelta: true,
    Adam: true,
  }
  expect(solverTypes().sort()).toEqual(Object.keys(known).sort())
})
