import type { CostVolumeShape } from '../engine.js'
import type { FilledCorrelationParameter } from '../generated/caffe.js'
import { CorrelationLayer } from './correlation.js'

/**
 * DispNet's cost volume along rows: a, b (N, C, H, W) → (N, D, h, w), for each displacement of b across: to both sides, or
 * from 0 to the right with single_direction: 1. Only left and right are padded.
 */
export class Correlation1DLayer extends CorrelationLayer {
  protected override checkDirection({ single_direction }: FilledCorrelationParameter): void {
    if (single_direction === -1)
      throw this.error(
        'single_direction: -1 begins a step beyond max_displacement in the fork, and reads what is beside the row there: exchange the bottoms and write 1',
      )
    if (single_direction !== 0 && single_direction !== 1)
      throw this.error(`single_direction: ${single_direction} must be 0 (both sides) or 1 (to the right)`)
  }

  protected override displacements(): Pick<CostVolumeShape, 'shift' | 'shifts' | 'start'> {
    const { max_displacement = 0, stride_2, pad, single_direction } = this.fields
    const radius = Math.trunc(max_displacement / stride_2)
    const isSingle = single_direction === 1
    return {
      shift: [0, isSingle ? 0 : -radius * stride_2],
      shifts: [1, isSingle ? radius + 1 : 2 * radius + 1],
      start: [0, max_displacement - pad],
    }
  }
}
