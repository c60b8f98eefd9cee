import { type Blob, shapeText } from '../../blob.js'
import { type Count, Layer } from '../../layer.js'
import { type ProposalRule, propose } from './anchors.js'

/**
 * scores (N, 2K, H, W), the second K those of objects; moves (N, 4K, H, W); im_info (N, 3): height, width, scale, or its
 * scales → regions (n, 5): picture, x1, y1, x2, y2 [, scores]. How many there are depends on values. Plain host code.
 */
export abstract class ProposingLayer extends Layer {
  override readonly bottomCount: Count = { exactly: 3 }
  override readonly topCount: Count = { atLeast: 1, atMost: 2 }
  override readonly passesGradient = false
  protected abstract readonly rule: ProposalRule
  /** Shape of the scores of n regions. */
  protected readonly scoreShape = (n: number): number[] => [n]
  private rows = 1

  override reshape(bottom: Blob[], top: Blob[]): void {
    const [scores, moves, info] = bottom
    for (const blob of [scores, moves])
      if (blob.numAxes !== 4)
        throw this.error(`'${blob.name}' (${shapeText(blob.shape)}) must have four axes: N, C, H, W`)
    const K = this.rule.anchors.length / 4
    const [N, , H, W] = scores.shape
    const wants = (blob: Blob, channels: number) => {
      if (blob.shape.join() !== [N, channels, H, W].join())
        throw this.error(
          `'${blob.name}' (${shapeText(blob.shape)}) must be ${shapeText([N, channels, H, W])}: there are ${K} anchors at each of ${H}×${W} places, ratios × scales`,
        )
    }
    wants(scores, 2 * K)
    wants(moves, 4 * K)
    if (info.count < 3 * N || info.count % N)
      throw this.error(
        `'${info.name}' (${shapeText(info.shape)}) must hold height, width and scale of each picture: ${N}×3`,
      )
    this.shapeTops(top, this.rows)
  }

  override allowsForceBackward(): boolean {
    return false
  }

  /** Each box that is tried may be compared with every one that is kept. */
  override work(bottom: Blob[], top: Blob[]): number {
    const { before, after } = this.rule
    const all = bottom[0].size(1) / 2
    const tried = before > 0 ? Math.min(before, all) : all
    return super.work(bottom, top) + bottom[0].dim(0) * tried * (after > 0 ? Math.min(after, tried) : tried)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const [scores, moves, info] = bottom
    const [N, channels, H, W] = scores.shape
    const width = info.count / N
    const rows: number[] = []
    const found: number[] = []
    for (let n = 0; n < N; n++) {
      const [height, across, scaleH, scaleW = scaleH] = info.dataArray.subarray(n * width, (n + 1) * width)
      const proposals = propose(this.rule, {
        scores: scores.dataArray,
        score: (n + 0.5) * channels * H * W,
        moves: moves.dataArray,
        move: n * moves.size(1),
        size: [H, W],
        picture: [height, across, scaleH, scaleW],
      })
      proposals.scores.forEach((score, i) => {
        rows.push(n, ...proposals.boxes.subarray(4 * i, 4 * i + 4))
        found.push(score)
      })
    }
    this.rows = found.length
    this.shapeTops(top, this.rows)
    top[0].dataArray.set(rows)
    top[1]?.dataArray.set(found)
  }

  private shapeTops(top: Blob[], rows: number): void {
    top[0].reshape([rows, 5])
    top[1]?.reshape(this.scoreShape(rows))
  }

  override backward(): void {}
}
