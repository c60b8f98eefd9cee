import { FormatError } from '../../errors.js'
import { countOf, type Tensor, type TensorType } from '../graph.js'

/** Most values of a constant that is computed. */
const MOST_VALUES = 2 ** 26

/** Refuse what is no shape, or would take more memory than a constant is worth. */
export function checkCount(shape: readonly number[], where: string): void {
  if (!shape.every(size => Number.isInteger(size) && size >= 0))
    throw new FormatError(`${where} would be a constant of the sizes [${shape.join(', ')}], which is no shape`)
  const count = countOf(shape)
  if (!(count <= MOST_VALUES))
    throw new FormatError(
      `${where} would be a constant of ${count} values, [${shape.join(', ')}]; ${MOST_VALUES} are allowed`,
    )
}

/** An array of a type for so many values. */
function emptyOf(type: TensorType, count: number): Tensor['data'] {
  switch (type) {
    case 'double':
    case 'int64':
    case 'uint64':
      return new Float64Array(count)
    case 'int32':
      return new Int32Array(count)
    case 'int16':
      return new Int16Array(count)
    case 'int8':
      return new Int8Array(count)
    case 'uint32':
      return new Uint32Array(count)
    case 'uint16':
      return new Uint16Array(count)
    case 'uint8':
    case 'bool':
      return new Uint8Array(count)
    default:
      return new Float32Array(count)
  }
}

/** A tensor whose values are a function of their place; all 0 without one. */
export function filled(type: TensorType, shape: readonly number[], value?: (place: number) => number): Tensor {
  const data = emptyOf(type, countOf(shape))
  if (value) for (let i = 0; i < data.length; i++) data[i] = value(i)
  return { type, shape, data }
}

/** Whether values of a type are whole numbers. */
export const isWhole = (type: TensorType | undefined): boolean => type !== undefined && /^u?int/.test(type)

/** Axis −1 is the last of so many. */
export function axisIn(axis: number, axes: number, where: string): number {
  if (!Number.isInteger(axis) || axis < -axes || axis >= axes)
    throw new FormatError(`${where}: axis ${axis} is none of ${axes} axes`)
  return axis < 0 ? axis + axes : axis
}

/** The shape that arrays have together, axes compared from the last; undefined if they do not go together. */
export function commonShape(shapes: readonly (readonly number[])[]): number[] | undefined {
  const axes = Math.max(0, ...shapes.map(shape => shape.length))
  const common: number[] = []
  for (let axis = 0; axis < axes; axis++) {
    const sizes = shapes.map(shape => shape[axis - axes + shape.length] ?? 1)
    const size = sizes.find(size => size !== 1) ?? 1
    if (sizes.some(other => other !== 1 && other !== size)) return undefined
    common.push(size)
  }
  return common
}

/** Of an array of this shape: how far each axis of `top` goes, 0 where the array is repeated. */
export const stepsOf = (shape: readonly number[], top: readonly number[]): number[] =>
  top.map((_, axis) => {
    const own = axis - top.length + shape.length
    return own < 0 || shape[own] === 1 ? 0 : countOf(shape.slice(own + 1))
  })

/** The place in an array with these steps that place `index` of `top` takes. */
export function placeIn(index: number, top: readonly number[], steps: readonly number[]): number {
  let rest = index
  let place = 0
  for (let axis = top.length - 1; axis >= 0; axis--) {
    const next = Math.floor(rest / top[axis])
    place += (rest - next * top[axis]) * steps[axis]
    rest = next
  }
  return place
}

/** A tensor of values picked from another. */
export function picked(
  x: Tensor,
  top: readonly number[],
  steps: readonly number[],
  offset: number,
  where: string,
): Tensor {
  checkCount(top, where)
  return filled(x.type, top, i => x.data[offset + placeIn(i, top, steps)])
}

/** A function of several arrays, value by value, each repeated as it must be. */
export function mapped(
  type: TensorType,
  inputs: readonly Tensor[],
  value: (...values: number[]) => number,
  where: string,
): Tensor {
  const shapes = inputs.map(({ shape }) => shape)
  const top = commonShape(shapes)
  if (!top)
    throw new FormatError(
      `${where}: the shapes ${shapes.map(s => `[${s.join(', ')}]`).join(' and ')} do not go together`,
    )
  checkCount(top, where)
  const steps = shapes.map(shape => stepsOf(shape, top))
  return filled(type, top, i => value(...inputs.map((x, k) => x.data[placeIn(i, top, steps[k])])))
}

/** A tensor as a list of numbers. */
export const numbersOf = (x: Tensor): number[] => Array.from(x.data)
