/**
 * LeNet on MNIST with two layers of our own. From the root of the repository:
 *
 *   npx tsx docs/examples/custom-layer/train.ts [iterations]
 *
 * The same from the command line, which imports the layers itself (with Node 22.18 or later, which runs TypeScript):
 *
 *   npx ristretto train --solver docs/examples/custom-layer/lenet_solver.prototxt \
 *     --layers docs/examples/custom-layer/one_hot.ts,docs/examples/custom-layer/euclidean_loss.ts
 */
import { registerLayerModule, SGDSolver } from 'ristretto'
import { makeMnist } from '../mnist/databases.js'
import { EuclideanLossLayer } from './euclidean_loss.js'
import { OneHotLayer } from './one_hot.js'

registerLayerModule('one_hot', { OneHotLayer })
registerLayerModule('euclidean_loss', { EuclideanLossLayer })
await makeMnist()

const solver = await SGDSolver.create('docs/examples/custom-layer/lenet_solver.prototxt', { log: console.log })
const iterations = Number(process.argv[2] ?? solver.param.max_iter)
while (solver.iter < iterations) await solver.step(Math.min(100, iterations - solver.iter))

const [accuracy] = await solver.test()
console.log(`${(accuracy.value * 100).toFixed(2)} % of the 10,000 test pictures`)
await solver.net.save('examples-output/mnist/custom_final.caffemodel')
solver.dispose()
