/** A member of a group on a page: a module worker with a layer of its own. */
import { type Blob, createSolver, joinGroup, Layer, parseSolver, registerLayer } from '../../lib/index.js'

class Halve extends Layer {
  override reshape(bottom: Blob[], top: Blob[]): void {
    top[0].reshapeLike(bottom[0])
  }
  override forward(bottom: Blob[], top: Blob[]): void {
    if (this.name === 'broken' && this.share.rank === 1) throw new Error('no more of this')
    top[0].dataArray.set(bottom[0].dataArray.map(value => value / 2))
  }
  override backward(top: Blob[], _propagateDown: boolean[], bottom: Blob[]): void {
    bottom[0].diffArray.set(top[0].diffArray.map(value => value / 2))
  }
}
registerLayer('Halve', Halve)

const group = await joinGroup()
self.postMessage({ joined: group.name })
self.addEventListener('message', async ({ data }: MessageEvent<{ solver?: string }>) => {
  if (!data.solver) return
  const solver = await createSolver(parseSolver(data.solver), { group, threads: 1 })
  await solver.step(5)
  self.postMessage({ weights: [...solver.net.params['ip'][0].dataArray], size: group.size })
  await group.close()
})
