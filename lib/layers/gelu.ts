import type { UnaryOperation } from '../engine.js'
import { withDefaults } from '../proto/message.js'
import { FormulaLayer } from './parts/formula.js'

/** top = bottom·Φ(bottom), Φ the normal distribution, or its neighbour by tanh. */
export class GeluLayer extends FormulaLayer {
  static override readonly param = ['gelu_param'] as const
  protected override readonly operation: UnaryOperation =
    withDefaults('GeluParameter', this.param.gelu_param).approximation === 'NONE' ? 'GELU' : 'GELU_TANH'
}
