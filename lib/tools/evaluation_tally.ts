import { RistrettoError } from '../errors.js'
import { Confusion } from '../layers/parts/confusion.js'
import { aFlag, anything, checkOptions, type OptionRules } from '../system/check_options.js'

/** What is counted, and what is kept. */
export interface TallyOptions {
  /** Up to which k the share of labels among the k best scores is counted; default 5. */
  readonly top?: number
  /** How many of the items with the highest loss are kept; default 20. */
  readonly hardest?: number
  /** A label that stands for no class, or several: their places are left out. */
  readonly ignored?: number | readonly number[]
  /**
   * Whether scores are probabilities already; false: a softmax makes them such. Default: they are where those of every
   * place of a batch are non-negative with the sum 1.
   */
  readonly probabilities?: boolean
}

export const TALLY_RULES: OptionRules<TallyOptions> = {
  top: anything,
  hardest: anything,
  ignored: [v => [v].flat().every(Number.isSafeInteger), 'a label, or a list of labels'],
  probabilities: aFlag,
}

/** Scores of `items` × `classes` × `places`, and labels of `items` × `places`: places are 1, or the pixels of a map. */
export interface ScoredBatch {
  readonly items: number
  readonly classes: number
  readonly places: number
  readonly scores: ArrayLike<number>
  readonly labels: ArrayLike<number>
}

/** One item as the net saw it. */
export interface EvaluatedItem {
  /** Number of the item, from 0. */
  readonly index: number
  /** Its file or key, where the data layer knows. */
  readonly name?: string
  /** Left out where every pixel has a label of its own. */
  readonly label?: number
  readonly prediction?: number
  /** Of the label; e^−loss for an item of many places. */
  readonly probability: number
  /** −ln probability of the label, the mean over its places. */
  readonly loss: number
}

/** How good a net is. */
export interface Evaluation {
  readonly items: number
  /** Labels that were compared: as many as items, unless every pixel has one or some are ignored. */
  readonly places: number
  readonly confusion: Confusion
  /** The share of the places whose class has the highest score. */
  readonly accuracy: number
  /** Element k − 1: the share whose label is among the k highest scores. */
  readonly topShares: readonly number[]
  /** Mean of −ln probability of the label. */
  readonly loss: number
  /** Items with the highest loss, the worst first. */
  readonly hardest: readonly EvaluatedItem[]
  /** Items that were taken for another class, in order; none where every pixel has a label. */
  readonly wrong: readonly EvaluatedItem[]
}

/** No probability is taken for less, as in Caffe's losses: one item must not make the mean infinite. */
const LEAST = 1.17549435e-38

/** Adds up, batch by batch, what an `Evaluation` says. */
export class EvaluationTally {
  items = 0
  private places = 0
  private loss = 0
  private confusion: Confusion | undefined
  private readonly top: number
  private readonly kept: number
  private readonly ignored: ReadonlySet<number>
  private readonly probabilities: boolean | undefined
  private readonly ranks: number[] = []
  private hardest: EvaluatedItem[] = []
  private readonly wrong: EvaluatedItem[] = []

  /** @throws RistrettoError for a `top` or `hardest` that is no number of items */
  constructor(options: TallyOptions = {}) {
    checkOptions('EvaluationTally', options, TALLY_RULES)
    const { top = 5, hardest = 20, ignored, probabilities } = options
    for (const [name, value, least] of [
      ['top', top, 1],
      ['hardest', hardest, 0],
    ] as const)
      if (!Number.isSafeInteger(value) || value < least)
        throw new RistrettoError(`${name} is a whole number from ${least} on, not ${value}`)
    this.top = top
    this.kept = hardest
    this.ignored = new Set(ignored === undefined ? [] : [ignored].flat())
    this.probabilities = probabilities
  }

  /** Take in the first `count` items of a batch, called `names`. */
  add(batch: ScoredBatch, names?: readonly string[], count = batch.items): void {
    this.confusion ??= new Confusion(batch.classes)
    if (batch.classes !== this.confusion.classes)
      throw new RistrettoError(`a batch has ${batch.classes} classes, the ones before have ${this.confusion.classes}`)
    const areProbabilities = this.probabilities ?? sumToOne(batch)
    for (let n = 0; n < count; n++) this.addItem(batch, n, areProbabilities, names?.[n])
  }

  /** Of everything so far. NaN is a share or a mean of nothing. */
  result(): Evaluation {
    const { items, places, confusion = new Confusion(1), ranks, wrong } = this
    let within = 0
    return {
      ...{ items, places, confusion, wrong },
      accuracy: confusion.accuracy,
      topShares: Array.from({ length: Math.min(this.top, confusion.classes) }, (_, k) => {
        within += ranks[k] ?? 0
        return within / places
      }),
      loss: this.loss / places,
      hardest: this.hardest.sort(byLoss).slice(0, this.kept),
    }
  }

  private addItem(batch: ScoredBatch, n: number, areProbabilities: boolean, name: string | undefined): void {
    const { classes, places, labels } = batch
    let sum = 0
    let counted = 0
    let last: { label: number; prediction: number } | undefined
    for (let place = 0; place < places; place++) {
      const label = labels[n * places + place]
      if (this.ignored.has(label)) continue
      if (!(Number.isInteger(label) && label >= 0 && label < classes))
        throw new RistrettoError(`item ${this.items} has the label ${label}: labels are 0 to ${classes - 1}`)
      const { prediction, rank, probability } = judge(batch, n * classes * places + place, label, areProbabilities)
      this.confusion!.add(label, prediction)
      this.ranks[rank] = (this.ranks[rank] ?? 0) + 1
      sum -= Math.log(Math.max(probability, LEAST))
      counted++
      last = { label, prediction }
    }
    const index = this.items++
    this.places += counted
    this.loss += sum
    if (!counted) return
    const loss = sum / counted
    const single = places === 1 ? last : undefined
    const item = { index, ...(name !== undefined && { name }), ...single, probability: Math.exp(-loss), loss }
    if (single && single.label !== single.prediction) this.wrong.push(item)
    this.keep(item)
  }

  private keep(item: EvaluatedItem): void {
    this.hardest.push(item)
    // now and then, so that a long run neither sorts all the time nor keeps everything
    if (this.hardest.length >= 2 * this.kept + 100) this.hardest = this.hardest.sort(byLoss).slice(0, this.kept)
  }
}

/** The worst first; a loss that is no number is worse than any. */
const byLoss = (a: EvaluatedItem, b: EvaluatedItem): number => {
  const [x, y] = [a, b].map(({ loss }) => (Number.isNaN(loss) ? Number.POSITIVE_INFINITY : loss))
  return x === y ? a.index - b.index : y - x
}

function sumToOne({ items, classes, places, scores }: ScoredBatch): boolean {
  for (let n = 0; n < items; n++)
    for (let place = 0; place < places; place++) {
      let sum = 0
      for (let c = 0; c < classes; c++) {
        const score = scores[(n * classes + c) * places + place]
        if (score < 0) return false
        sum += score
      }
      if (!(Math.abs(sum - 1) < 1e-3)) return false
    }
  return true
}

/** The highest score's class, how many scores are above the label's (of equal ones the lower class counts first), and the label's probability. */
function judge(
  { classes, places, scores }: ScoredBatch,
  at: number,
  label: number,
  areProbabilities: boolean,
): { prediction: number; rank: number; probability: number } {
  const own = scores[at + label * places]
  let prediction = 0
  let rank = 0
  for (let c = 0; c < classes; c++) {
    const score = scores[at + c * places]
    if (score > scores[at + prediction * places]) prediction = c
    if (score > own || (score === own && c < label)) rank++
  }
  if (areProbabilities) return { prediction, rank, probability: own }
  const highest = scores[at + prediction * places]
  let sum = 0
  for (let c = 0; c < classes; c++) sum += Math.exp(scores[at + c * places] - highest)
  return { prediction, rank, probability: Math.exp(own - highest) / sum }
}
