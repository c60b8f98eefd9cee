import { type Blob, gpuKernel, type Tensor, view } from 'ristretto'
import { BlankSquareLayer } from '../../occlusion/blank_square.js'

/** x, but 0 in the square whose upper left corner is (left, top). */
const blanked = gpuKernel('blankSquare', function (x: Tensor, left: number, top: number) {
  const column = this.thread.x - left
  const row = this.thread.y - top
  if (column >= 0 && column < this.constants.columns && row >= 0 && row < this.constants.rows) return 0
  return x[this.thread.z][this.thread.y][this.thread.x]
})

/** Occlusion on the device: the corner is drawn on the host, the pictures stay where they are. */
export class GpuBlankSquareLayer extends BlankSquareLayer {
  static override readonly gpu = [blanked]

  override forward(bottom: Blob[], top: Blob[]): void {
    if (!this.onDevice) {
      super.forward(bottom, top)
      return
    }
    const [height, width] = [bottom[0].dim(-2), bottom[0].dim(-1)]
    const [rows, columns] = [Math.floor(height / 2), Math.floor(width / 2)]
    const [y, x] = this.corner(height - rows + 1, width - columns + 1)
    const planes = bottom[0].count / (height * width)
    const pictures = view(bottom[0].memory.data, width, height, planes)
    // in place, too: a kernel never writes to what it reads, `run` puts the new values in its place
    this.run(blanked, [pictures, x, y], { ...pictures, memory: top[0].memory.data }, { rows, columns })
  }
}
