import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Command } from 'commander'
import { preparationText } from '../data/preparation.js'
import { RistrettoError } from '../errors.js'
import { mainOutput } from '../net/main_output.js'
import { Net } from '../net.js'
import { parseSolver } from '../proto/text.js'
import { upgradeSolver } from '../proto/upgrade_solver.js'
import { createFiles } from '../system/files.js'
import { isFolder, mustExist, readText } from './input_file.js'
import { layersOption, type RunOptions, registerLayers } from './options.js'
import { type Output, print, warn } from './output.js'
import { snapshotPrefix } from './snapshot_prefix.js'

interface ArchiveCommandOptions {
  solver?: string
  model?: string
  weights?: string
  output: string
  labels?: string
  layers?: string[]
}

export function addArchive(program: Command, output: Output): void {
  program
    .command('archive')
    .description('Put a trained model with everything that its use needs into one file.')
    .option('--solver <file>', 'solver prototxt, which names the net')
    .option('--model <file>', "the net's prototxt, where there is no solver")
    .option('--weights <file>', ".caffemodel (default: the solver's last snapshot)")
    .requiredOption('--output <file>', 'archive to write, .zip')
    .option('--labels <file>', 'names of the classes, one a line (default: labels.txt beside the data)')
    .addOption(layersOption())
    .action((options: ArchiveCommandOptions) => run(options, output))
    .addHelpText(
      'after',
      `
In it are the deploy net, weights, classes, mean, what was done with pictures, solver, net of the training, and the files of
--layers. classify and detect take it in place of prototxt and weights, Net.load and Classifier.load do in programs.

Example:
  ristretto archive --solver solver.prototxt --output model.zip
  ristretto archive --solver solver.prototxt --weights snapshots/lenet_iter_10000.caffemodel --output model.zip`,
    )
}

async function run(options: ArchiveCommandOptions, output: Output): Promise<void> {
  const { output: file, labels, layers = [] } = options
  await registerLayers({ layers } as RunOptions, output)
  const weights = options.weights ?? (await lastSnapshot(options.solver))
  await mustExist(weights)
  if (!/\.zip$/i.test(file)) throw new RistrettoError(`--output ${file}: an archive is written as .zip`)
  if (await isFolder(file)) throw new RistrettoError(`--output ${file} is a folder`)
  const { net: path, solver } = await netPath(options)
  const files = solver === undefined ? createFiles() : createFiles().near(options.solver!)
  const trainVal = await files.text(path)
  const near = files.near(path)
  const sources = Object.fromEntries(
    await Promise.all(layers.map(async name => [basename(name), await readText(name)])),
  )
  if (Object.keys(sources).length < layers.length)
    throw new RistrettoError('--layers: two files have the same name, under which they cannot both be in an archive')
  const net = await Net.deploy(await Net.read(path, files), { weights, near, ...(labels !== undefined && { labels }) })
  try {
    const classes = net.blobs[mainOutput(net)]?.shape[1]
    if (labels !== undefined && classes !== undefined && net.labels?.length !== classes)
      throw new RistrettoError(
        `${labels} has ${net.labels?.length} labels, output '${mainOutput(net)}' has ${classes} classes`,
      )
    await net.save(file, { solver, trainVal, layers: sources })
    const preparation = net.inputs.length ? await net.preparation() : undefined
    print(
      output,
      `${file}: ${net.name || 'net'}${options.weights === undefined ? ` of ${weights}` : ''}, ${net.labels ? `${net.labels.length} classes` : 'classes have no names'}`,
    )
    if (preparation) print(output, `Pictures are ${preparationText(preparation)}`)
    else warn(output, 'The net does not say how pictures become its input: classify will not know either')
  } finally {
    net.dispose()
  }
}

/** The model of a training's last snapshot: the one that was written last, since an earlier training may have gone farther. */
async function lastSnapshot(solver: string | undefined): Promise<string> {
  if (solver === undefined) throw new RistrettoError('which weights? --weights names them, or --solver has snapshots')
  const prefix = await snapshotPrefix(upgradeSolver(parseSolver(await readText(solver), { file: solver })), solver)
  const stem = `${basename(prefix)}_iter_`
  const names = (await readdir(dirname(prefix)).catch(() => [])).filter(
    name => name.startsWith(stem) && /^\d+\.caffemodel(\.h5)?$/.test(name.slice(stem.length)),
  )
  const found = await Promise.all(
    names.map(async name => {
      const path = join(dirname(prefix), name)
      return { path, written: (await stat(path)).mtimeMs, iter: Number.parseInt(name.slice(stem.length), 10) }
    }),
  )
  // what was copied may have one time
  const last = found.sort((a, b) => a.written - b.written || a.iter - b.iter).at(-1)
  if (last === undefined)
    throw new RistrettoError(`there is no snapshot ${prefix}_iter_….caffemodel yet: train first, or give --weights`)
  return last.path
}

/** The net that is trained, and the text of its solver. */
async function netPath({ solver, model }: ArchiveCommandOptions): Promise<{ net: string; solver?: string }> {
  if (model !== undefined) return { net: model, ...(solver !== undefined && { solver: await readText(solver) }) }
  if (solver === undefined) throw new RistrettoError('which net? --solver names one that does, --model the net itself')
  const text = await readText(solver)
  const param = upgradeSolver(parseSolver(text, { file: solver }))
  const net = param.test_net?.[0] ?? param.net ?? param.train_net
  if (net === undefined) throw new RistrettoError(`${solver} names no file of a net: --model does`)
  return { net, solver: text }
}
