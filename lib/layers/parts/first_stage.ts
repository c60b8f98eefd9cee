import { type Blob, shapeText } from '../../blob.js'
import type { Layer } from '../../layer.js'
import { type BoxCoding, decodeBoxes } from './boxes.js'

/**
 * RefineDet's first stage, of one image after the other: two scores a prior, of which the second says that it is an
 * object, and codes that move it, four a prior.
 */

/** Whether a blob is such scores (N, P·2), and not a picture. */
export const isFirstStage = (scores: Blob, priors: number): boolean =>
  scores.numAxes >= 2 && scores.dim(1) === 2 * priors && scores.size(1) === 2 * priors

export function checkFirstStage(layer: Layer, [scores, moves]: Blob[], images: number, priors: number): void {
  if (!isFirstStage(scores, priors) || scores.dim(0) !== images)
    throw layer.error(
      `'${scores.name}' (${shapeText(scores.shape)}) must be ${images}×${2 * priors}: whether each of the ${priors} boxes is no object, and is one, after softmax`,
    )
  if (moves && (moves.numAxes < 2 || moves.dim(0) !== images || moves.size(1) !== 4 * priors))
    throw layer.error(
      `'${moves.name}' (${shapeText(moves.shape)}) must be ${images}×${4 * priors}: what moves each of the ${priors} boxes`,
    )
}

/** What codes of the second stage are relative to: the priors as the first one moves them in an image. */
export function refined(coding: BoxCoding, moves: Float32Array, image: number): BoxCoding {
  const priors = new Float32Array(coding.priors.length)
  decodeBoxes(coding, moves, (image * priors.length) / 4, 1, priors)
  return { ...coding, priors }
}
