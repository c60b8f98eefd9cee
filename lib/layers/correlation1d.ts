import type { CostVolumeShape } from '../engine.js'
import type { FilledCorrelationParameter } from '../generated/caffe.js'
import { CorrelationLayer } from './correlation.js'

/**
 * DispNet's cost volume along rows: a, b (N, C, H, W) → (N, D, h, w), for each displacement of b across: to both sides, or
 * from 0 to the right with single_direction: 1, or to the left with −1, which begins a step beyond max_displacement and
 * ends a step before 0, as the fork has it. Only left and right are padded.
 */
export class Correlation1DLayer extends CorrelationLayer {
  protected override checkDirection({ single_direction }: FilledCorrelationParameter): void {
    if (![-1, 0, 1].includes(single_direction))
      throw this.error(
        `single_direction: ${single_direction} must be 0 (both sides), 1 (to the right) or -1 (to the left)`,
      )
  }

  protected override displacements(): Pick<CostVolumeShape, 'shift' | 'shifts' | 'start'> {
    const { max_displacement = 0, stride_2, pad, single_direction } = this.fields
    const radius = Math.trunc(max_displacement / stride_2)
    const first = { '-1': -radius - 1, 0: -radius, 1: 0 }[single_direction as -1 | 0 | 1]
    return {
      shift: [0, first * stride_2],
      shifts: [1, single_direction === 0 ? 2 * radius + 1 : radius + 1],
      start: [0, max_displacement - pad],
    }
  }
}
