import { FormatError, NetError } from '../../errors.js'
import type { NetParameter, SolverParameter } from '../../generated/caffe.js'
import { printNet, printSolver } from '../../proto/print.js'
import {
  aCount,
  aFlag,
  aNumber,
  aPath,
  aSeed,
  aText,
  checkNeeded,
  type OptionRules,
} from '../../system/check_options.js'
import { type FileOptions, filesFor } from '../../system/files.js'
import { writeFilesSafely } from '../../system/write_file.js'
import type { DatasetSummary } from '../dataset/summary.js'
import { batchFor, type StandardNetName, standardNet, standardSolver, testBatchFor } from './standard_net.js'

/** A project to start from: what is trained on, and how. */
export interface NewProjectOptions {
  /** Folder of the project: net.prototxt and solver.prototxt are written there. */
  readonly folder: string
  /** Folder of a dataset of `makeDataset`. */
  readonly dataset: string
  readonly net: StandardNetName
  /** Default 10. */
  readonly epochs?: number
  /** SGD (default), Nesterov, AdaGrad, RMSProp, AdaDelta or Adam. */
  readonly solver?: string
  /** Pictures of a training batch; default: the net's own, less where an epoch would have fewer than sixteen steps. */
  readonly batch?: number
  /** The first rate. */
  readonly rate?: number
  /** Side of a square that is cut out of the pictures, at random in training. */
  readonly crop?: number
  /** Mirror half of the training's pictures. */
  readonly mirror?: boolean
  readonly seed?: number
}

const RULES: OptionRules<NewProjectOptions> = {
  folder: aPath,
  dataset: aPath,
  net: aText,
  epochs: aNumber,
  solver: aText,
  batch: aCount,
  rate: aNumber,
  crop: aNumber,
  mirror: aFlag,
  seed: aSeed,
}

/** What a project consists of, by path. */
export interface NewProject {
  readonly net: NetParameter
  readonly solver: SolverParameter
  readonly files: Readonly<Record<string, string>>
  /** What somebody may want to know of a training on this dataset. */
  readonly notes: readonly string[]
}

/**
 * The net and solver of a project, as messages and as texts; nothing is written. Sizes, classes, means and the number of
 * iterations come from the dataset's summary.json.
 */
export async function planProject(options: NewProjectOptions, access: FileOptions = {}): Promise<NewProject> {
  checkNeeded('newProject', options, RULES, ['folder', 'dataset', 'net'])
  const { folder, dataset, net: name, epochs = 10, solver: type, crop, mirror, rate, seed } = options
  const file = `${dataset}/summary.json`
  const summary = readSummary(await filesFor('planProject', access).text(file), file)
  const { channels, height, width, classes, mean } = summary
  const train = summary.sets.train?.records ?? 0
  const val = summary.sets.val?.records ?? 0
  if (!train) throw new NetError(`${file}: the dataset has no pictures to train on`)
  if (crop !== undefined && !(crop >= 1 && crop <= Math.min(height, width)))
    throw new NetError(`a crop of ${crop} does not fit into pictures of ${height}×${width}`)
  const batch = options.batch ?? batchFor(name, train)
  const testBatch = testBatchFor(val)
  const net = standardNet(name, {
    classes: classes.length,
    channels,
    size: crop ?? [height, width],
    batch,
    data: {
      train: `${dataset}/train_db`,
      ...(val > 0 && { val: `${dataset}/val_db`, testBatch }),
      mean: mean.map(value => Math.round(100 * value) / 100),
      crop: crop !== undefined,
      mirror,
    },
  })
  const path = `${folder}/net.prototxt`
  const solver = standardSolver(name, {
    net: path,
    epochs,
    train,
    val,
    batch,
    testBatch,
    type,
    rate,
    seed,
    prefix: `${folder}/snapshots/${name}`,
  })
  const notes = notesOf(classes.length, val, dataset)
  return { net, solver, notes, files: { [path]: printNet(net), [`${folder}/solver.prototxt`]: printSolver(solver) } }
}

function notesOf(classes: number, val: number, dataset: string): string[] {
  const notes: string[] = []
  if (classes === 1)
    notes.push(`${dataset} has one class: there is nothing to tell it from, and nothing will be learned`)
  if (!val)
    notes.push(`${dataset} has no val_db: nothing will be tested; make-dataset --val 0.25 keeps pictures for it`)
  return notes
}

/** The same, written: both files or none. */
export async function newProject(options: NewProjectOptions): Promise<NewProject> {
  const project = await planProject(options)
  const encoder = new TextEncoder()
  await writeFilesSafely(Object.entries(project.files).map(([path, text]) => [path, encoder.encode(text)] as const))
  return project
}

/** A summary.json, as far as it is needed here. */
function readSummary(text: string, file: string): DatasetSummary {
  let summary: Partial<DatasetSummary> | undefined
  try {
    summary = JSON.parse(text) as Partial<DatasetSummary>
  } catch (error) {
    throw new FormatError(`${file}: it is no JSON: ${(error as Error).message}`, { cause: error })
  }
  const count = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 1
  const { classes, channels, height, width, mean, sets } = summary ?? {}
  const fits =
    Array.isArray(classes) &&
    classes.length > 0 &&
    [channels, height, width].every(count) &&
    Array.isArray(mean) &&
    mean.length === channels &&
    mean.every(Number.isFinite) &&
    typeof sets === 'object' &&
    sets !== null &&
    Object.values(sets).every(set => set?.records === 0 || count(set?.records))
  if (!fits) throw new FormatError(`${file}: this is no summary of a dataset: make-dataset writes one`)
  return summary as DatasetSummary
}
