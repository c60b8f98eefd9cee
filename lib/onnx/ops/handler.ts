import { FormatError } from '../../errors.js'
import { nodeText, type Tensor } from '../graph.js'
import type { Operand, Step } from '../pieces.js'

/** What becomes of an operator. */
export interface Op {
  /** The layers, for the documentation. */
  readonly layers: string
  /** What it cannot, or how, for the documentation. */
  readonly note?: string
  /** Adds the layers; gives the outputs that are used, in the node's order. */
  readonly build: (step: Step) => Operand | readonly Operand[]
}

export type Ops = Readonly<Record<string, Op>>

/** Why a node cannot come: the text names it. */
export const refused = (step: Step, why: string): FormatError => new FormatError(`${nodeText(step.node)}: ${why}`)

/** Input i, which must be there. */
export function input(step: Step, i: number): Operand {
  const operand = step.inputs[i]
  if (!operand) throw refused(step, `input ${i} is missing`)
  return operand
}

/** Input i, which must be a constant. */
export function constant(step: Step, i: number, what: string): Tensor {
  const operand = input(step, i)
  if (!operand.constant) throw refused(step, `${what}, '${step.node.inputs[i]}', must be a constant, and is computed`)
  return operand.constant
}

/** Input i where it is given; it must be a constant then. */
export const maybeConstant = (step: Step, i: number, what: string): Tensor | undefined =>
  step.inputs[i] ? constant(step, i, what) : undefined

/** Refuse outputs from the first to the last one that is there. */
export function onlyOutputs(step: Step, count: number): void {
  const more = step.node.outputs.findIndex((name, i) => i >= count && name !== '' && step.reads(name) > 0)
  if (more >= 0)
    throw refused(
      step,
      `its output ${more}, '${step.node.outputs[more]}', is used: only ${count === 1 ? 'the first is' : `${count} are`} there`,
    )
}
