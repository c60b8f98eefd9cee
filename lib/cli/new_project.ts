import { access } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { RistrettoError } from '../errors.js'
import { newProject } from '../tools/standard/project.js'
import { type StandardNetName, standardNetNames } from '../tools/standard/standard_net.js'
import { mustExist } from './input_file.js'
import { number, whole } from './options.js'
import { type Output, print, warn } from './output.js'

interface NewOptions {
  dataset: string
  net: StandardNetName
  epochs: number
  solver: string
  batch?: number
  rate?: number
  crop?: number
  mirror?: boolean
  seed?: number
  overwrite?: boolean
}

export function addNew(program: Command, output: Output): void {
  program
    .command('new')
    .description('Start a project: a standard net and its solver for a dataset.')
    .argument('<folder>', 'folder that gets net.prototxt and solver.prototxt')
    .requiredOption('--dataset <folder>', 'folder that make-dataset wrote')
    .addOption(new Option('--net <name>', 'standard net').choices(standardNetNames).default('lenet'))
    .option('--epochs <n>', 'how often every picture is trained on', number, 10)
    .addOption(
      new Option('--solver <type>', 'how gradients become steps')
        .choices(['SGD', 'Nesterov', 'AdaGrad', 'RMSProp', 'AdaDelta', 'Adam'])
        .default('SGD'),
    )
    .option('--batch <n>', "pictures of a training batch (default: the net's own, less for small sets)", whole(1))
    .option('--rate <rate>', "first learning rate (default: the net's own)", number)
    .option('--crop <side>', 'cut squares out of the pictures, at random in training', whole(1))
    .option('--mirror', "mirror half of the training's pictures")
    .option('--seed <n>', 'seed of the training (default: drawn)', whole(0))
    .option('--overwrite', 'replace a project that is there')
    .action((folder, options: NewOptions) => run(folder, options, output))
    .addHelpText(
      'after',
      `
net.prototxt is one description for training, tests and use (stage deploy); max_iter, test_iter, test_interval, snapshot and
stepsize of solver.prototxt come from the epochs and the sizes of the sets.

Example:
  ristretto new digits --dataset data --net lenet --epochs 10 && ristretto train --solver digits/solver.prototxt`,
    )
}

async function run(folder: string, { overwrite, ...options }: NewOptions, output: Output): Promise<void> {
  await mustExist(options.dataset)
  if (!(await exists(`${options.dataset}/summary.json`)))
    throw new RistrettoError(
      `'${options.dataset}' has no summary.json, so make-dataset did not write it. Make a dataset of your pictures first: ristretto make-dataset ${options.dataset} --output data; then --dataset data`,
    )
  for (const name of ['net.prototxt', 'solver.prototxt'])
    if (!overwrite && (await exists(`${folder}/${name}`)))
      throw new RistrettoError(`${folder}/${name} is there already: --overwrite replaces it`)
  const { solver, files, notes } = await newProject({ folder: folder.replace(/[/\\]+$/, '') || folder, ...options })
  for (const path of Object.keys(files)) print(output, path)
  const tests = solver.test_interval ? `, a test and a snapshot every ${solver.test_interval}` : ''
  print(output, `${solver.max_iter} iterations at a rate of ${solver.base_lr}${tests}`)
  for (const note of notes) warn(output, `note: ${note}`)
  print(output, `Next: npx ristretto train --solver ${Object.keys(files)[1]}`)
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
