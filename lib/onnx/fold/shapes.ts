import { FormatError } from '../../errors.js'
import { stepsAlong } from '../../layers/strided_slice.js'
import { attribute, countOf, int, ints, type Node, nodeText, type Tensor } from '../graph.js'
import { axisIn, numbersOf } from './arrays.js'

// What attributes and constant inputs say about shapes: for constants that are folded and for layers alike.

const textOf = (shape: readonly number[]): string => `[${shape.join(', ')}]`

/** A list of whole numbers that older operator sets have as an attribute, later ones as an input. */
export function listOf(node: Node, name: string, input: Tensor | undefined): readonly number[] | undefined {
  return ints(node, name) ?? (input && numbersOf(input))
}

/** The target of a Reshape, with its 0 and −1 worked out. */
export function reshaped(node: Node, from: readonly number[], target: readonly number[]): number[] {
  const keepsZero = int(node, 'allowzero', 0) === 1
  const shape = target.map((size, axis) => (size === 0 && !keepsZero ? (from[axis] ?? -2) : size))
  const open = shape.indexOf(-1)
  if (open >= 0) {
    const others = countOf(shape.filter((_, axis) => axis !== open))
    shape[open] = others === 0 ? 0 : countOf(from) / others
  }
  if (shape.some(size => size < 0 || !Number.isInteger(size)) || countOf(shape) !== countOf(from))
    throw new FormatError(`${nodeText(node)}: ${textOf(from)} does not become ${textOf(target)}`)
  return shape
}

export function flattened(node: Node, from: readonly number[]): number[] {
  const written = int(node, 'axis', 1)
  const axis = written === from.length ? written : axisIn(written, from.length, nodeText(node))
  return [countOf(from.slice(0, axis)), countOf(from.slice(axis))]
}

export function squeezed(node: Node, from: readonly number[], axes: readonly number[] | undefined): number[] {
  const where = nodeText(node)
  const named = axes?.map(axis => axisIn(axis, from.length, where))
  const wrong = named?.find(axis => from[axis] !== 1)
  if (wrong !== undefined) throw new FormatError(`${where}: axis ${wrong} of ${textOf(from)} has more than one place`)
  return from.filter((size, axis) => (named ? !named.includes(axis) : size !== 1))
}

export function unsqueezed(node: Node, from: readonly number[], axes: readonly number[] | undefined): number[] {
  if (!axes) throw new FormatError(`${nodeText(node)}: it does not say which axes`)
  const total = from.length + axes.length
  const named = new Set(axes.map(axis => axisIn(axis, total, nodeText(node))))
  if (named.size !== axes.length) throw new FormatError(`${nodeText(node)}: axes ${textOf(axes)} name one twice`)
  const rest = [...from]
  return Array.from({ length: total }, (_, axis) => (named.has(axis) ? 1 : (rest.shift() ?? 1)))
}

/** The order of axes of a Transpose. */
export function orderOf(node: Node, axes: number): readonly number[] {
  const order = ints(node, 'perm') ?? Array.from({ length: axes }, (_, i) => axes - 1 - i)
  if (order.length !== axes || new Set(order).size !== axes || order.some(axis => !(axis >= 0 && axis < axes)))
    throw new FormatError(`${nodeText(node)}: perm ${textOf(order)} is no order of ${axes} axes`)
  return order
}

/** Along which axes a Slice cuts, and how. */
export interface Cut {
  readonly axis: number
  readonly start: number
  readonly end: number
  readonly step: number
  readonly size: number
}

export function cutsOf(node: Node, inputs: readonly (Tensor | undefined)[], from: readonly number[]): Cut[] {
  const where = nodeText(node)
  const starts = listOf(node, 'starts', inputs[1])
  const ends = listOf(node, 'ends', inputs[2])
  if (!starts || !ends || starts.length !== ends.length)
    throw new FormatError(`${where}: starts and ends are not there, or not equally long`)
  const axes = listOf(node, 'axes', inputs[3]) ?? starts.map((_, i) => i)
  const steps = inputs[4] ? numbersOf(inputs[4]) : starts.map(() => 1)
  if (axes.length !== starts.length || steps.length !== starts.length)
    throw new FormatError(`${where}: starts, axes and steps are not equally long`)
  return starts.map((start, i) => {
    const axis = axisIn(axes[i], from.length, where)
    const step = steps[i]
    if (step === 0) throw new FormatError(`${where}: a step of 0 leads nowhere`)
    const end = ends[i]
    return { axis, start, end, step, size: stepsAlong(from[axis], start, end, step).length }
  })
}

/** Sizes of the parts of a Split. */
export function partsOf(node: Node, size: number, given: Tensor | undefined): readonly number[] {
  const count = node.outputs.length
  const parts = listOf(node, 'split', given)
  const each = Math.ceil(size / int(node, 'num_outputs', count))
  const sizes = parts ?? node.outputs.map((_, i) => Math.max(0, Math.min(each, size - i * each)))
  if (
    sizes.length !== count ||
    countSum(sizes) !== size ||
    (!parts && size % count && !node.attributes.has('num_outputs'))
  )
    throw new FormatError(`${nodeText(node)}: ${count} parts of ${textOf(sizes)} are not ${size}`)
  return sizes
}

const countSum = (sizes: readonly number[]): number => sizes.reduce((a, b) => a + b, 0)

/** The axes that a Reduce* goes over, in rising order. */
export function reducedAxes(node: Node, axes: number, given: Tensor | undefined): number[] {
  const written = listOf(node, 'axes', given)
  if (!written?.length) {
    if (int(node, 'noop_with_empty_axes', 0)) return []
    return Array.from({ length: axes }, (_, i) => i)
  }
  return [...new Set(written.map(axis => axisIn(axis, axes, nodeText(node))))].sort((a, b) => a - b)
}

/** The type that a Cast makes. */
export const castTo = (node: Node): number => attribute(node, 'to', 'int') ?? 0
