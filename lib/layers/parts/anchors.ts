import { suppress } from './boxes.js'
import { decodePixels } from './pixel_boxes.js'

/** Half away from zero for positive numbers, as C rounds; and to the even neighbour, as numpy does. */
export const roundUp = (v: number): number => Math.floor(v + 0.5)
export const roundEven = (v: number): number => {
  const up = Math.floor(v + 0.5)
  return up - v === 0.5 && up % 2 !== 0 ? up - 1 : up
}

/**
 * Boxes around the pixels 0 … base − 1, ratio (height / width) by ratio and scale by scale within it: of the square's area
 * with whole sides, then scaled.
 */
export function anchorsOf(
  base: number,
  ratios: readonly number[],
  scales: readonly number[],
  round: (v: number) => number,
): Float64Array {
  const centre = (base - 1) / 2
  const boxes = ratios.flatMap(ratio => {
    const width = round(Math.sqrt((base * base) / ratio))
    const height = round(width * ratio)
    return scales.flatMap(scale => {
      const [x, y] = [(width * scale - 1) / 2, (height * scale - 1) / 2]
      return [centre - x, centre - y, centre + x, centre + y]
    })
  })
  return Float64Array.from(boxes)
}

/** The anchors at every place of a feature map: row by row, place by place, anchor by anchor. */
export function anchorGrid(anchors: Float64Array, stride: number, H: number, W: number): Float64Array {
  const grid = new Float64Array(H * W * anchors.length)
  for (let h = 0, o = 0; h < H; h++)
    for (let w = 0; w < W; w++)
      for (let i = 0; i < anchors.length; i++, o++) grid[o] = anchors[i] + stride * (i % 2 ? h : w)
  return grid
}

/** What becomes of anchors. */
export interface ProposalRule {
  readonly stride: number
  readonly anchors: Float64Array
  /** Shortest side, in pixels of the picture before it was scaled. */
  readonly minSize: number
  /** Candidates before suppression, and proposals after it; 0: all. */
  readonly before: number
  readonly after: number
  readonly threshold: number
  /** Equal scores: all places of an anchor first, where the others take all anchors of a place first. */
  readonly anchorFirst?: boolean
}

/** The values that a picture's proposals are made of: scores and moves start at `score` and `move` in theirs. */
export interface ProposalInput {
  readonly scores: Float32Array
  readonly score: number
  readonly moves: Float32Array
  readonly move: number
  readonly size: readonly [H: number, W: number]
  /** Height and width of the picture, and how much larger each is than before it was scaled. */
  readonly picture: readonly [height: number, width: number, scaleH: number, scaleW: number]
}

/** Boxes with their scores, best first: anchors moved, cut to the picture, none too small, none that overlap much. */
export function propose(rule: ProposalRule, input: ProposalInput): { boxes: Float64Array; scores: Float64Array } {
  const { scores, moves } = input
  const [H, W] = input.size
  const [height, width, scaleH, scaleW] = input.picture
  const places = H * W
  const K = rule.anchors.length / 4
  const grid = anchorGrid(rule.anchors, rule.stride, H, W)
  const boxes = new Float64Array(grid.length)
  const found = new Float64Array(places * K)
  const candidates: number[] = []
  const consider = (place: number, k: number) => {
    const i = place * K + k
    const at = input.move + 4 * k * places + place
    const move = [moves[at], moves[at + places], moves[at + 2 * places], moves[at + 3 * places]] as const
    decodePixels(grid, i, move, [width, height], boxes, 4 * i)
    found[i] = scores[input.score + k * places + place]
    const tall = boxes[4 * i + 3] - boxes[4 * i + 1] + 1 >= rule.minSize * scaleH
    const wide = boxes[4 * i + 2] - boxes[4 * i] + 1 >= rule.minSize * scaleW
    if (tall && wide && !Number.isNaN(found[i])) candidates.push(i)
  }
  if (rule.anchorFirst) for (let k = 0; k < K; k++) for (let place = 0; place < places; place++) consider(place, k)
  else for (let place = 0; place < places; place++) for (let k = 0; k < K; k++) consider(place, k)
  candidates.sort((a, b) => found[b] - found[a])
  if (rule.before > 0) candidates.length = Math.min(candidates.length, rule.before)
  const items = Int32Array.from(candidates)
  const most = rule.after > 0 ? rule.after : items.length
  const kept = [...items.subarray(0, suppress(boxes, items, items.length, rule.threshold, { pixel: 1, most }))]
  return {
    boxes: Float64Array.from(kept.flatMap(i => [...boxes.subarray(4 * i, 4 * i + 4)])),
    scores: Float64Array.from(kept, i => found[i]),
  }
}
