import type { UnaryOperation } from '../engine.js'
import { withDefaults } from '../proto/message.js'
import { messageInfo } from '../proto/schema.js'
import { FormulaLayer } from './parts/formula.js'

/** top = operation(bottom), value by value. */
export class UnaryLayer extends FormulaLayer {
  static override readonly param = ['unary_param'] as const
  protected override operation!: UnaryOperation

  override setup(): void {
    const { operation } = withDefaults('UnaryParameter', this.param.unary_param)
    if (operation === undefined) {
      const known = messageInfo('UnaryParameter').byName.get('operation')?.enum?.names ?? []
      throw this.error(`operation must be written: one of ${[...known].join(', ')}`)
    }
    this.operation = operation
  }
}
