import { NetError } from '../errors.js'
import type { BatchSampler, EmitConstraint, SampleConstraint, Sampler } from '../generated/caffe.js'
import { withDefaults } from '../proto/message.js'
import type { RandomStream } from '../rng.js'
import { type Box, coverageOf, overlapOf } from './boxes.js'

/** Numbers between two bounds, in either order. */
export const between = (random: RandomStream, low: number, high: number): number =>
  low + (high - low) * random.uniform()

/**
 * Windows of a picture, as SSD draws them: each sampler tries `max_trials` times, and keeps up to `max_sample` windows
 * that fulfil its constraint with one of the truths.
 */
export function sampleWindows(samplers: readonly BatchSampler[], truths: readonly Box[], random: RandomStream): Box[] {
  const windows: Box[] = []
  for (const param of samplers) {
    const { use_original_image, sampler, sample_constraint, max_sample, max_trials } = withDefaults(
      'BatchSampler',
      param,
    )
    if (!use_original_image) continue
    let found = 0
    for (let trial = 0; trial < max_trials && (max_sample === undefined || found < max_sample); trial++) {
      const window = drawWindow(sampler, random)
      if (!fulfils(window, truths, sample_constraint)) continue
      windows.push(window)
      found++
    }
  }
  return windows
}

/** SSD's own samplers try 50 times each; nothing that trains needs as many as this for every picture. */
const MOST_TRIALS = 10_000

/** Throws a NetError for samplers that would never end, or whose numbers are none. */
export function checkSamplers(samplers: readonly BatchSampler[]): void {
  const trials = samplers.reduce((sum, param) => sum + withDefaults('BatchSampler', param).max_trials, 0)
  if (trials > MOST_TRIALS)
    throw new NetError(`batch_sampler: max_trials come to ${trials} for every picture; at most ${MOST_TRIALS} are made`)
  samplers.forEach(({ sampler }, i) => {
    // a scale is a share of the picture, an aspect ratio a factor
    for (const [name, value] of Object.entries(withDefaults('Sampler', sampler)))
      if (!(Number.isFinite(value) && value >= 0))
        throw new NetError(`batch_sampler ${i}: sampler.${name} is ${value}; it is a finite number from 0 on`)
  })
}

/** A window of area scale² whose sides are as aspect ratio : 1, anywhere in the picture. */
function drawWindow(param: Sampler | undefined, random: RandomStream): Box {
  const { min_scale, max_scale, min_aspect_ratio, max_aspect_ratio } = withDefaults('Sampler', param)
  const scale = between(random, min_scale, max_scale)
  // within the picture
  const ratio = between(
    random,
    Math.max(min_aspect_ratio, scale * scale),
    Math.min(max_aspect_ratio, 1 / (scale * scale)),
  )
  const width = Math.min(1, scale * Math.sqrt(ratio))
  const height = Math.min(1, scale / Math.sqrt(ratio))
  const xmin = between(random, 0, 1 - width)
  const ymin = between(random, 0, 1 - height)
  return { xmin, ymin, xmax: xmin + width, ymax: ymin + height }
}

/** Whether one truth fulfils every bound that is written. */
function fulfils(window: Box, truths: readonly Box[], constraint: SampleConstraint = {}): boolean {
  const {
    min_jaccard_overlap,
    max_jaccard_overlap,
    min_sample_coverage,
    max_sample_coverage,
    min_object_coverage,
    max_object_coverage,
  } = constraint
  const within = (value: number, least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY) =>
    value >= least && value <= most
  return (
    Object.values(constraint).every(bound => bound === undefined) ||
    truths.some(
      truth =>
        within(overlapOf(window, truth), min_jaccard_overlap, max_jaccard_overlap) &&
        within(coverageOf(window, truth), min_sample_coverage, max_sample_coverage) &&
        within(coverageOf(truth, window), min_object_coverage, max_object_coverage),
    )
  )
}

/** Whether a truth still belongs to what a window shows; without a constraint any part of it will do. */
export function emitted(truth: Box, window: Box, constraint: EmitConstraint | undefined): boolean {
  if (!constraint) return true
  const { emit_type, emit_overlap = 0 } = withDefaults('EmitConstraint', constraint)
  if (emit_type === 'MIN_OVERLAP') return coverageOf(truth, window) > emit_overlap
  const x = (truth.xmin + truth.xmax) / 2
  const y = (truth.ymin + truth.ymax) / 2
  return x >= window.xmin && x <= window.xmax && y >= window.ymin && y <= window.ymax
}
