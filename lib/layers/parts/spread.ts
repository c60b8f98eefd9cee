import { type Blob, shapeText } from '../../blob.js'
import type { Layer } from '../../layer.js'
import { axisOf } from './axis.js'

/**
 * How a coefficient of fewer axes spreads over a blob: the blob is (outer, channels, inner), the coefficient
 * (channels).
 */
export interface Spread {
  readonly outer: number
  readonly channels: number
  readonly inner: number
}

/** Shape of a learned coefficient that covers `numAxes` axes of the blob from `axis` on; −1 means all that follow. */
export function coefficientShape(layer: Layer, blob: Blob, axis: number, numAxes: number): number[] {
  if (numAxes < -1) throw layer.error(`num_axes: ${numAxes} must be 0 or more, or -1 for all axes from axis on`)
  const first = axisOf(layer, blob, axis)
  if (numAxes === -1) return blob.shape.slice(first)
  if (first + numAxes > blob.numAxes)
    throw layer.error(
      `num_axes: ${numAxes} from axis ${first} on reaches past '${blob.name}' (${shapeText(blob.shape)}): at most ${blob.numAxes - first} axes are left`,
    )
  return blob.shape.slice(first, first + numAxes)
}

/** Lay a coefficient over the blob from `axis` on; a single value covers it all. */
export function spread(layer: Layer, blob: Blob, coefficient: Blob, axis: number): Spread {
  const first = coefficient.numAxes === 0 ? 0 : axisOf(layer, blob, axis)
  const sizes = coefficient.shape
  if (first + sizes.length > blob.numAxes || sizes.some((size, i) => size !== blob.dim(first + i)))
    throw layer.error(
      `coefficients of shape ${shapeText(sizes)} do not fit '${blob.name}' (${shapeText(blob.shape)}) from axis ${first} on: their sizes must equal those of the axes they cover`,
    )
  const inner = coefficient.numAxes === 0 ? blob.count : blob.size(first + sizes.length)
  return { outer: blob.size(0, first), channels: coefficient.count, inner }
}
