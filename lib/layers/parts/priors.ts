import { type Blob, shapeText } from '../../blob.js'
import type { PriorBoxParameter_CodeType } from '../../generated/caffe.js'
import type { Layer } from '../../layer.js'
import type { BoxCoding } from './boxes.js'

/**
 * How many boxes `prior` has, which is (1, 2, P·4) as PriorBox makes it; where the variances are in the codes
 * its first row is enough.
 */
export function countPriors(layer: Layer, prior: Blob, varianceInTarget: boolean): number {
  const rows = prior.numAxes > 1 ? prior.dim(1) : 0
  const size = prior.size(Math.min(2, prior.numAxes))
  if (prior.numAxes < 3 || prior.dim(0) !== 1 || size % 4 || !(rows === 2 || (rows === 1 && varianceInTarget)))
    throw layer.error(
      `'${prior.name}' (${shapeText(prior.shape)}) must be 1×2×4P, the boxes and their variances, as PriorBox makes them`,
    )
  return size / 4
}

/** What codes are relative to: the values of such a blob. */
export function codingOf(prior: Blob, code: PriorBoxParameter_CodeType, varianceInTarget: boolean): BoxCoding {
  const values = prior.dataArray
  const size = prior.size(2)
  return { code, priors: values.subarray(0, size), variances: varianceInTarget ? null : values.subarray(size) }
}

/** Both predictions: loc (N, P·L·4), L boxes a prior, and conf (N, P·C). */
export function checkPredictions(
  layer: Layer,
  [loc, conf, prior]: Blob[],
  priors: number,
  boxes: number,
  classes: number,
): void {
  if (loc.numAxes < 2 || loc.size(1) !== priors * boxes * 4)
    throw layer.error(
      `'${loc.name}' (${shapeText(loc.shape)}) must have ${priors * boxes * 4} values an image: 4${boxes > 1 ? ` for each of ${boxes} classes` : ''} for each of the ${priors} boxes of '${prior.name}' (${shapeText(prior.shape)})`,
    )
  if (conf.numAxes < 2 || conf.dim(0) !== loc.dim(0) || conf.size(1) !== priors * classes)
    throw layer.error(
      `'${conf.name}' (${shapeText(conf.shape)}) must have ${priors * classes} values for each of ${loc.dim(0)} images: a score of each of ${classes} classes for each of the ${priors} boxes of '${prior.name}'`,
    )
}
