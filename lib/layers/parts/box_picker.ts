import type { FilledMultiBoxLossParameter } from '../../generated/caffe.js'
import { withDefaults } from '../../proto/message.js'
import { codeLoss, scoreLoss } from './box_losses.js'
import { type Matches, matchBoxes, UNMATCHED } from './box_matching.js'
import { hardest } from './box_mining.js'
import { type BoxCoding, decodeBoxes, encodeBox } from './boxes.js'
import type { Truths } from './truths.js'

/** Predictions and what they are held against. A row of conf is an image's prior, C scores. */
export interface Predictions {
  readonly images: number
  readonly classes: number
  /** Boxes a prior: 1, or one for each class. */
  readonly perPrior: number
  readonly loc: Float32Array
  readonly conf: Float32Array
  /** What an image's codes are relative to. */
  codingOf(image: number): BoxCoding
  /** Two scores a row of conf; where the second is below `objectness_score`, nothing is mined. */
  readonly objectness?: Float32Array
  /** By which both sides of the loss of a code are divided, four for each prior. */
  readonly divisors: Float32Array | null
  readonly truths: Truths
}

/** Of one image. */
type Own = Predictions & { readonly coding: BoxCoding }

/** A box that has a truth. */
export interface MatchedBox {
  /** Its place among the boxes of loc. */
  readonly box: number
  /** Its row of conf. */
  readonly row: number
  readonly label: number
  /** How far each number of its code is off. */
  readonly offBy: Float32Array
}

/** What a pass learns from. */
export interface Picks {
  readonly matched: MatchedBox[]
  /** Rows of conf that should be background. */
  readonly negatives: number[]
}

/** Boxes of one image that were matched together, those of class `own` of each prior, and which prior found what. */
interface Group {
  readonly own: number
  readonly boxes: Float32Array
  readonly matches: Matches
}

/** Match boxes and truths, then mine, image by image. An image without truths gives nothing. */
export function pickBoxes(p: FilledMultiBoxLossParameter, given: Predictions): Picks {
  const matched: MatchedBox[] = []
  const negatives: number[] = []
  for (let image = 0; image < given.images; image++) {
    const truths = given.truths.ofImage.get(image)
    if (!truths) continue
    const own = { ...given, coding: given.codingOf(image) }
    const groups = matchImage(p, own, image, truths)
    const found = groups.flatMap(group => matchedOf(p, own, image, group))
    if (p.mining_type === 'NONE') matched.push(...found)
    else mine(p, own, image, groups[0], found, { matched, negatives })
  }
  return { matched, negatives }
}

function decode({ coding, loc, perPrior }: Own, image: number, own: number): Float32Array {
  const boxes = new Float32Array(coding.priors.length)
  decodeBoxes(coding, loc, (image * perPrior * coding.priors.length) / 4 + own, perPrior, boxes)
  return boxes
}

function matchImage(p: FilledMultiBoxLossParameter, given: Own, image: number, truths: readonly number[]): Group[] {
  const { boxes: truthBoxes, labels } = given.truths
  const rule = {
    threshold: p.match_type === 'PER_PREDICTION' ? p.overlap_threshold : undefined,
    ignoreCrossing: p.ignore_cross_boundary_bbox,
  }
  const own = Array.from({ length: given.perPrior }, (_, c) => c)
  const classes = p.share_location ? own : own.filter(c => c !== p.background_label_id)
  if (!p.use_prior_for_matching)
    return classes.map(c => {
      const boxes = decode(given, image, c)
      const those = p.share_location ? truths : truths.filter(g => labels[g] === c)
      return { own: c, boxes, matches: matchBoxes(boxes, truthBoxes, those, rule) }
    })
  const boxes = given.coding.priors
  const matches = matchBoxes(boxes, truthBoxes, truths, rule)
  if (p.share_location) return [{ own: 0, boxes, matches }]
  return classes.map(c => {
    const truth = matches.truth.map(g => (g < 0 || labels[g] === c ? g : UNMATCHED))
    return { own: c, boxes, matches: { ...matches, truth } }
  })
}

function matchedOf(p: FilledMultiBoxLossParameter, given: Own, image: number, group: Group): MatchedBox[] {
  const { truths, perPrior, coding, divisors, loc } = given
  const priors = coding.priors.length / 4
  const code = new Float32Array(4)
  const found: MatchedBox[] = []
  group.matches.truth.forEach((g, i) => {
    if (g < 0) return
    const row = image * priors + i
    const box = row * perPrior + group.own
    encodeBox(coding, i, truths.boxes, g, code)
    const offBy = code.map((wanted, s) => {
      const side = group.boxes[4 * i + s]
      // a side outside of the picture is to learn nothing
      if (p.bp_inside && (side < 0 || side > 1)) return 0
      return (loc[4 * box + s] - wanted) / (divisors ? divisors[4 * i + s] : 1)
    })
    found.push({ box, row, label: p.map_object_to_agnostic ? p.background_label_id + 1 : truths.labels[g], offBy })
  })
  return found
}

/** MAX_NEGATIVE adds the background boxes of largest loss, HARD_EXAMPLE takes the boxes of largest loss of all. */
function mine(
  p: FilledMultiBoxLossParameter,
  given: Own,
  image: number,
  { matches }: Group,
  found: MatchedBox[],
  picks: Picks,
): void {
  const { classes, conf, coding, objectness } = given
  const priors = matches.truth.length
  const first = image * priors
  const hard = p.mining_type === 'HARD_EXAMPLE'
  const matchOf = new Map(found.map(match => [match.row - first, match]))
  const least = Math.fround(p.objectness_score)
  const eligible = Int32Array.from({ length: priors }, (_, i) => i).filter(
    i =>
      (hard || (matches.truth[i] === UNMATCHED && matches.overlap[i] < Math.fround(p.neg_overlap))) &&
      !(objectness && objectness[2 * (first + i) + 1] < least),
  )
  const losses = new Float32Array(priors)
  for (const i of eligible) {
    const match = matchOf.get(i)
    const label = match?.label ?? p.background_label_id
    losses[i] = scoreLoss(p.conf_loss_type, conf, (first + i) * classes, classes, label)
    if (match) losses[i] += match.offBy.reduce((sum, d) => sum + codeLoss(p.loc_loss_type, d), 0)
  }
  const nms = p.nms_param && withDefaults('NonMaximumSuppressionParameter', p.nms_param)
  const suppression = nms &&
    nms.nms_threshold > 0 && {
      boxes: p.use_prior_for_nms ? coding.priors : decode(given, image, 0),
      threshold: Math.fround(nms.nms_threshold),
      topK: nms.top_k ?? -1,
    }
  const count = hard ? p.sample_size : Math.trunc(found.length * p.neg_pos_ratio)
  const taken = hardest(eligible, losses, count, suppression || undefined)
  if (!hard) picks.matched.push(...found)
  for (const i of taken) {
    const match = matchOf.get(i)
    if (match) picks.matched.push(match)
    else if (matches.truth[i] === UNMATCHED) picks.negatives.push(first + i)
  }
}
