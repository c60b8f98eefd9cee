import type { CostVolumeShape } from '../../lib/engine.js'

/** Zeros above and left of a picture, and its size with all of them: whatever is compared lies within. */
export interface Frame {
  readonly before: readonly [number, number]
  readonly size: readonly [number, number]
}

/** What pictures are surrounded by so that no patch, moved or not, reaches beyond. */
export function frameOf(s: CostVolumeShape): Frame {
  const along = (axis: 0 | 1) => {
    const farthest = s.shift[axis] + (s.shifts[axis] - 1) * s.step
    const before = Math.max(0, -(s.start[axis] + Math.min(0, s.shift[axis])))
    const end = s.start[axis] + (s.output[axis] - 1) * s.stride + s.kernel + Math.max(0, farthest)
    return { before, size: before + Math.max(s.input[axis], end) }
  }
  const [rows, columns] = [along(0), along(1)]
  return { before: [rows.before, columns.before], size: [rows.size, columns.size] }
}
