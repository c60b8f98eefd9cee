import { type Blob, gpuKernel, type Tensor, view } from 'ristretto'
import { OneHotLayer } from '../one_hot.js'

/** 1 where the label of item thread.y is class thread.x. */
const oneHot = gpuKernel('oneHot', function (labels: Tensor) {
  if (labels[0][0][this.thread.y] === this.thread.x) return 1
  return 0
})

/** Labels to one-hot rows that never leave the device. On other engines it is the layer that it extends. */
export class GpuOneHotLayer extends OneHotLayer {
  static override readonly gpu = [oneHot]

  override forward(bottom: Blob[], top: Blob[]): void {
    if (!this.onDevice) super.forward(bottom, top)
    else this.run(oneHot, [bottom[0].memory.data], view(top[0].memory.data, top[0].channels, top[0].num))
  }
}
