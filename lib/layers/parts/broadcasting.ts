import { type Blob, type Shape, shapeText } from '../../blob.js'
import type { Layer } from '../../layer.js'

/** The axes that several shapes have together, compared from the last: sizes are the same, or 1, which is repeated. */
function broadcastShape(layer: Layer, blobs: readonly Blob[]): number[] {
  const axes = Math.max(...blobs.map(blob => blob.numAxes))
  return Array.from({ length: axes }, (_, axis) => {
    const sizes = blobs.map(({ shape }) => shape[axis - axes + shape.length] ?? 1)
    const size = sizes.find(size => size !== 1) ?? 1
    if (sizes.some(other => other !== 1 && other !== size))
      throw layer.error(
        `${blobs.map(({ name, shape }) => `'${name}' (${shapeText(shape)})`).join(' and ')} do not go together: axes are compared from the last, and sizes that differ must be 1 on one side`,
      )
    return size
  })
}

/** Axes that all operands walk alike are one: sizes, and how far each operand goes along each, 0 where it repeats. */
export interface Walk {
  readonly sizes: readonly number[]
  readonly steps: readonly (readonly number[])[]
}

/** Give the top the shape that the bottoms have together; how to walk through all of them. */
export function reshapeBroadcast(layer: Layer, bottom: readonly Blob[], top: Blob): Walk {
  if (bottom.includes(top))
    throw layer.error(`top '${top.name}' may not be one of its bottoms: give it a name of its own`)
  const shape = broadcastShape(layer, bottom)
  top.reshape(shape)
  return walkOf(
    shape,
    bottom.map(blob => blob.shape),
  )
}

/** How to walk through the top and operands of these shapes. */
export function walkOf(top: Shape, operands: readonly Shape[]): Walk {
  const sizes: number[] = []
  const steps: number[][] = operands.map(() => [])
  const strides = operands.map(shape => top.map((_, axis) => strideOf(shape, axis - top.length + shape.length)))
  for (let axis = 0; axis < top.length; axis++) {
    if (top[axis] === 1) continue
    const last = sizes.length - 1
    const joins = last >= 0 && strides.every((stride, k) => steps[k][last] === stride[axis] * top[axis])
    if (joins) sizes[last] *= top[axis]
    else sizes.push(top[axis])
    for (let k = 0; k < operands.length; k++) {
      if (joins) steps[k][last] = strides[k][axis]
      else steps[k].push(strides[k][axis])
    }
  }
  return { sizes, steps }
}

function strideOf(shape: Shape, axis: number): number {
  if (axis < 0 || shape[axis] === 1) return 0
  return shape.slice(axis + 1).reduce((a, b) => a * b, 1)
}

/** Visits rows of the top: where each starts in it and in the operands, as long as the last size. */
export function eachRow(
  { sizes, steps }: Walk,
  visit: (length: number, to: number, from: readonly number[]) => void,
): void {
  const last = sizes.length - 1
  const length = sizes[last] ?? 1
  const from = steps.map(() => 0)
  const places = sizes.map(() => 0)
  const rows = sizes.slice(0, -1).reduce((a, b) => a * b, 1)
  if (length === 0) return
  for (let row = 0; row < rows; row++) {
    visit(length, row * length, from)
    for (let axis = last - 1; axis >= 0; axis--) {
      for (let k = 0; k < from.length; k++) from[k] += steps[k][axis]
      if (++places[axis] < sizes[axis]) break
      places[axis] = 0
      for (let k = 0; k < from.length; k++) from[k] -= sizes[axis] * steps[k][axis]
    }
  }
}

/** How far operand k goes from a value to the next within a row. */
export const stepIn = ({ steps }: Walk, k: number): number => steps[k][steps[k].length - 1] ?? 0
