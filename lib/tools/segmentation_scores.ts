import { RistrettoError } from '../errors.js'
import { bestClass, Confusion } from '../layers/parts/confusion.js'
import { anArray, checkOptions } from '../system/check_options.js'

/** One class in a test of segmentations. */
export interface ClassOverlap {
  readonly label: number
  /** Places that have the label. */
  readonly places: number
  /** Share of them that are found; NaN where there are none. */
  readonly accuracy: number
  /** Intersection over union of the places that have the label and those that are said to; NaN where there are none. */
  readonly iou: number
}

/** How well segmentations agree with their labels; 0 … 1, NaN where nothing counts. */
export interface SegmentationScores {
  /** Share of all places that are right. */
  readonly pixelAccuracy: number
  /** Mean of the accuracies of classes that there are. */
  readonly meanAccuracy: number
  /** Mean of the IoUs of classes that there are, or that are said to be. */
  readonly meanIou: number
  readonly classes: readonly ClassOverlap[]
}

/** A blob or an array of a result: shape and values. */
export interface ScoredValues {
  readonly shape: readonly number[]
  readonly data: ArrayLike<number>
}

/**
 * Gathers scores (N, C, H, W) and labels (N × H × W) batch by batch, and says how much of them agrees.
 *
 * @example
 * const tally = new SegmentationTally({ ignore: [255] })
 * const { prob, label } = await net.forward({}, { blobs: ['prob', 'label'] })
 * tally.add(prob, label)
 * const { meanIou } = tally.scores()
 */
export class SegmentationTally {
  private readonly ignored: ReadonlySet<number>
  private confusion: Confusion | undefined

  constructor(options: { ignore?: readonly number[] } = {}) {
    checkOptions('new SegmentationTally', options, { ignore: anArray })
    this.ignored = new Set(options.ignore)
  }

  /** Scores, whose largest along axis 1 is the class (one channel: above 0.5 is class 1), and what it should be. */
  add(scores: ScoredValues, labels: ScoredValues): void {
    const [N = 0, channels = 0, ...sizes] = scores.shape
    const inner = sizes.reduce((product, size) => product * size, 1)
    const said = (what: string) =>
      new RistrettoError(`scores of ${scores.shape.join('×')} and labels of ${labels.shape.join('×')}: ${what}`)
    if (scores.shape.length < 2 || channels < 1) throw said('scores are N × C × places')
    if (labels.data.length !== N * inner) throw said(`there is a label for each of ${N * inner} places`)
    const classes = channels === 1 ? 2 : channels
    this.confusion ??= new Confusion(classes)
    if (this.confusion.classes !== classes)
      throw said(`${classes} classes now, ${this.confusion.classes} in the first batch`)
    for (let i = 0; i < labels.data.length; i++) {
      const label = labels.data[i]
      if (this.ignored.has(label)) continue
      if (!(Number.isInteger(label) && label >= 0 && label < classes))
        throw said(`label ${i} is ${label}; they count from 0 to ${classes - 1}, and those to be ignored are named`)
      this.confusion.add(label, bestClass(scores.data, channels, inner, i))
    }
  }

  /** Of all batches together. */
  scores(): SegmentationScores {
    return segmentationScores(this.confusion ?? new Confusion(0))
  }
}

/** What a confusion of pixels says of a segmentation. */
export function segmentationScores(confusion: Confusion): SegmentationScores {
  return {
    pixelAccuracy: confusion.accuracy,
    meanAccuracy: confusion.meanRecall,
    meanIou: confusion.meanIou,
    classes: confusion
      .scores()
      .map(({ label, items: places, recall: accuracy, iou }) => ({ label, places, accuracy, iou })),
  }
}
