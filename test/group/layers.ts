/** Layers of a program's own, as BVLC/caffe 2936 has them, and layers that go wrong. */
import { type Blob, Layer } from '../../lib/index.js'

/** top (N, classes) ← rows of zeros with a one in the place that the label says. */
export class OneHot extends Layer {
  override reshape(bottom: Blob[], top: Blob[]): void {
    top[0].reshape([bottom[0].num, 10])
  }
  override forward(bottom: Blob[], top: Blob[]): void {
    top[0].dataArray.fill(0)
    bottom[0].dataArray.forEach((label, i) => {
      top[0].dataArray[10 * i + label] = 1
    })
  }
  override backward(): void {}
}

/** Σ (a − b)² / 2N. */
export class MyEuclidean extends Layer {
  override readonly isLoss = true
  private difference = new Float32Array(0)

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.requireSameCount(bottom[0], bottom[1])
    top[0].reshape([])
  }
  override forward(bottom: Blob[], top: Blob[]): void {
    this.difference = bottom[0].dataArray.map((value, i) => value - bottom[1].dataArray[i])
    top[0].dataArray[0] = this.difference.reduce((sum, d) => sum + d * d, 0) / (2 * bottom[0].num)
  }
  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    const scale = top[0].diffArray[0] / bottom[0].num
    bottom.forEach((blob, i) => {
      if (propagateDown[i]) blob.diffArray.set(this.difference.map(d => (i ? -scale : scale) * d))
    })
  }
}

/** (func (export "f") (param i32) (result i32) (i32.load (local.get 0))), over a page of memory. */
const loader = new Uint8Array([
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 5, 1, 1, 102, 0, 0],
  ...[10, 9, 1, 7, 0, 32, 0, 40, 2, 0, 11],
])

/** Passes values on, until the last member does in pass 20 what TROUBLE in its environment says. */
export class Trouble extends Layer {
  private readonly kept: unknown[] = []

  override reshape(bottom: Blob[], top: Blob[]): void {
    top[0].reshapeLike(bottom[0])
  }
  override forward(bottom: Blob[], top: Blob[]): void {
    top[0].dataArray.set(bottom[0].dataArray)
    const { rank, size } = this.share
    if (rank === size - 1 && this.random.iteration >= 20) this.trouble()
  }
  override backward(top: Blob[], _propagateDown: boolean[], bottom: Blob[]): void {
    bottom[0].diffArray.set(top[0].diffArray)
  }

  private trouble(): void {
    switch (process.env.TROUBLE) {
      case 'throw':
        throw new Error('no more of this')
      case 'reject':
        Promise.reject(new Error('too late'))
        break
      case 'exit':
        process.exit(0)
        break
      case 'exit 3':
        process.exit(3)
        break
      case 'heap':
        for (;;) this.kept.push(new Array(1e5).fill(Math.random()))
      case 'stop':
        for (;;) this.kept[0] = Math.random()
      case 'weights':
        this.netWeights()
        break
      case 'wasm': {
        const { f } = new WebAssembly.Instance(new WebAssembly.Module(loader)).exports as { f(at: number): number }
        try {
          f(2 ** 30)
        } catch (error) {
          if (error instanceof WebAssembly.RuntimeError) return
          throw error
        }
        throw new Error('an access outside of the memory went well')
      }
    }
  }

  /** What a layer that draws numbers of its own does to its weights. */
  private netWeights(): void {
    this.blobs[0].dataArray[0] = Math.random()
  }
  override setup(): void {
    this.addBlob([1])
    this.param.param = [{ lr_mult: 0 }]
  }
}
