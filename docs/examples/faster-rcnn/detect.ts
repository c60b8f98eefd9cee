import type { Net } from 'ristretto'
import { type Box, CLASSES, type Scene, SIZE } from './shapes.js'

/** A box that was found. */
export interface Found extends Box {
  readonly score: number
}

/** Boxes are learned in units of these: ProposalTargetLayer's bbox_normalize_stds. */
const STDS = [0.1, 0.1, 0.2, 0.2]

export function overlap(a: Box['box'], b: Box['box']): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]) + 1
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]) + 1
  if (width <= 0 || height <= 0) return 0
  const area = (box: Box['box']) => (box[2] - box[0] + 1) * (box[3] - box[1] + 1)
  return (width * height) / (area(a) + area(b) - width * height)
}

/** Region `rois[r]` moved by the four numbers that the net gives for a class. */
function moved(roi: ArrayLike<number>, moves: ArrayLike<number>): Box['box'] {
  const [w, h] = [roi[2] - roi[0] + 1, roi[3] - roi[1] + 1]
  const [dx, dy, dw, dh] = STDS.map((std, i) => std * moves[i])
  const [x, y] = [roi[0] + w / 2 + dx * w, roi[1] + h / 2 + dy * h]
  const [halfW, halfH] = [(w * Math.exp(dw)) / 2, (h * Math.exp(dh)) / 2]
  const cut = (v: number) => Math.min(Math.max(v, 0), SIZE - 1)
  return [cut(x - halfW), cut(y - halfH), cut(x + halfW), cut(y + halfH)]
}

/** What the net finds on a picture: for each class the best boxes that overlap little. */
export async function detect(net: Net, pixels: Float32Array, threshold = 0.05): Promise<Found[]> {
  await net.forward({ data: pixels, im_info: [SIZE, SIZE, 1] })
  await net.pull()
  const { rois, cls_prob, bbox_pred } = net.blobs
  const classes = CLASSES.length + 1
  const all: Found[] = []
  for (let label = 1; label < classes; label++) {
    const candidates: Found[] = []
    for (let r = 0; r < rois.dim(0); r++) {
      const score = cls_prob.dataArray[r * classes + label]
      if (score <= threshold) continue
      const at = 4 * (r * classes + label)
      const box = moved(rois.dataArray.subarray(5 * r + 1, 5 * r + 5), bbox_pred.dataArray.subarray(at, at + 4))
      candidates.push({ box, label, score })
    }
    const kept: Found[] = []
    for (const found of candidates.sort((a, b) => b.score - a.score))
      if (kept.every(other => overlap(found.box, other.box) <= 0.3)) kept.push(found)
    all.push(...kept)
  }
  return all.sort((a, b) => b.score - a.score)
}

/** Average precision of each class at an overlap of ½ (the area below the precision that is still reached), and their mean. */
export function averagePrecision(scenes: readonly Scene[], found: readonly (readonly Found[])[]) {
  const perClass = CLASSES.map((_, c) => {
    const used = scenes.map(() => new Set<Box>())
    const there = scenes.flatMap(scene => scene.objects).filter(object => object.label === c + 1).length
    const hits = found
      .flatMap((list, scene) => list.map(box => ({ ...box, scene })))
      .filter(box => box.label === c + 1)
      .sort((a, b) => b.score - a.score)
      .map(({ box, label, scene }) => {
        const same = scenes[scene].objects.filter(object => object.label === label)
        const best = same.sort((a, b) => overlap(b.box, box) - overlap(a.box, box))[0]
        if (!best || overlap(best.box, box) < 0.5 || used[scene].has(best)) return false
        used[scene].add(best)
        return true
      })
    let right = 0
    const precision = hits.map((hit, i) => (right += hit ? 1 : 0) / (i + 1))
    for (let i = precision.length - 2; i >= 0; i--) precision[i] = Math.max(precision[i], precision[i + 1])
    const area = hits.reduce((sum, hit, i) => sum + (hit ? precision[i] : 0), 0) / there
    return { area, recall: right / there }
  })
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length
  return {
    perClass: perClass.map(({ area }) => area),
    map: mean(perClass.map(({ area }) => area)),
    recall: mean(perClass.map(({ recall }) => recall)),
  }
}
