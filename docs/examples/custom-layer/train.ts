/**
 * LeNet on MNIST with two layers of our own. `npm run mnist` makes the databases; then
 *
 *   npx tsx docs/examples/custom-layer/train.ts
 *
 * The same from the command line, which imports the layers itself:
 *
 *   npx ristretto train --solver docs/examples/custom-layer/lenet_solver.prototxt \
 *     --layers docs/examples/custom-layer/one_hot.ts --layers docs/examples/custom-layer/euclidean_loss.ts
 */
import { registerLayerModule, SGDSolver } from 'ristretto'
import { EuclideanLossLayer } from './euclidean_loss.js'
import { OneHotLayer } from './one_hot.js'

registerLayerModule('one_hot', { OneHotLayer })
registerLayerModule('euclidean_loss', { EuclideanLossLayer })

const solver = await SGDSolver.create('docs/examples/custom-layer/lenet_solver.prototxt', { log: console.log })
const iterations = Number(process.argv[2] ?? solver.param.max_iter)
while (solver.iter < iterations) await solver.step(Math.min(100, iterations - solver.iter))

const [accuracy] = await solver.test()
console.log(`${(accuracy.value * 100).toFixed(2)} % of the 10,000 test pictures`)
await solver.net.save('examples-output/mnist/custom_final.caffemodel')
solver.dispose()
