import { type Blob, shapeText } from '../../blob.js'
import type { Layer } from '../../layer.js'

/** Axis `axis` of a blob as a non-negative number, −1 being the last; refuses one that the blob does not have. */
export function axisOf(layer: Layer, blob: Blob, axis: number, field = 'axis'): number {
  const n = blob.numAxes
  if (axis < -n || axis >= n)
    throw layer.error(
      `${field}: ${axis} is out of range for '${blob.name}' (${shapeText(blob.shape)}), which has ${n} ${n === 1 ? 'axis' : 'axes'}${n ? `: give ${-n} to ${n - 1}` : ''}`,
    )
  return axis < 0 ? axis + n : axis
}
