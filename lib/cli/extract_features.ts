import { type Command, InvalidArgumentError } from 'commander'
import type { Blob } from '../blob.js'
import { LmdbWriter } from '../data/lmdb_writer.js'
import { RistrettoError } from '../errors.js'
import { writeNpy } from '../io/npy.js'
import { ndarrayOf } from '../ndarrays.js'
import { Net } from '../net.js'
import { writeDatum } from '../proto/datum.js'
import { writeFileSafely } from '../write_file.js'
import { mustExist } from './input_file.js'
import {
  addRunOptions,
  addStateOptions,
  copyText,
  list,
  phaseOption,
  type RunOptions,
  registerLayers,
  type StateOptions,
  whole,
} from './options.js'
import { type Output, print } from './output.js'
import { ProgressBar } from './progress.js'

interface ExtractOptions extends RunOptions, StateOptions {
  phase: 'TRAIN' | 'TEST'
  overwrite?: boolean
  json?: boolean
}

export function addExtractFeatures(program: Command, output: Output): void {
  const command = program
    .command('extract-features')
    .description("Run batches of the net's own data layer and store the values of blobs, one record an item: in LMDBs, or in .npy files.")
    .argument('<weights>', '.caffemodel')
    .argument('<model>', 'net prototxt with a data layer')
    .argument('<blobs>', 'names of blobs, separated by commas', list)
    .argument('<dbs>', 'for each blob the folder of an LMDB, or a file whose name ends in .npy, separated by commas', list)
    .argument('<batches>', 'how many batches', whole(1))
    .argument('[kind]', 'kind of database: lmdb', backend)
    .argument('[device...]', 'CPU, or GPU and its number, as Caffe writes them: GPU is --engine gpu')
    .option('--overwrite', 'replace LMDBs that are there already')
    .option('--json', 'print the result as one JSON object')
    .addOption(phaseOption('TEST'))
  addStateOptions(command)
  addRunOptions(command).action((weights, model, blobs: string[], dbs: string[], batches: number, _kind, device: string[], options) => {
    if (blobs.length !== dbs.length)
      command.error(`error: ${blobs.length} blobs (${blobs.join(', ')}) but ${dbs.length} places to put them (${dbs.join(', ')})`)
    const engine = device[0]?.toUpperCase() === 'GPU' ? 'gpu' : undefined
    return extract({ weights, model, blobs, dbs, batches }, { engine, ...options }, output)
  })
  command.addHelpText(
    'after',
    `
Records are numbered ('0000000000', '0000000001', …) and hold float values, as those of Caffe's extract_features.

Examples:
  ristretto extract-features net.caffemodel train_val.prototxt fc7 fc7_lmdb 10
  ristretto extract-features net.caffemodel train_val.prototxt fc7,prob fc7.npy,prob.npy 10`,
  )
}

function backend(text: string): string {
  if (text.toLowerCase() !== 'lmdb') throw new InvalidArgumentError('Only lmdb is written; a Data layer reads it with backend: LMDB.')
  return text
}

interface Extraction {
  weights: string
  model: string
  blobs: string[]
  dbs: string[]
  batches: number
}

async function extract({ weights, model, blobs, dbs, batches }: Extraction, options: ExtractOptions, output: Output): Promise<void> {
  await registerLayers(options, output)
  await mustExist(weights)
  const { engine, threads, seed, phase, level, stage: stages, overwrite, json } = options
  const net = await Net.create(model, { engine, threads, seed, phase, level, stages })
  const sinks: FeatureSink[] = []
  let bar: ProgressBar | undefined
  try {
    const report = copyText(weights, await net.copyFrom(weights))
    if (!json) print(output, report)
    for (const name of blobs)
      if (!net.blobs[name])
        throw new RistrettoError(`net '${net.name}' has no blob '${name}'; its blobs are ${Object.keys(net.blobs).join(', ')}`)
    for (const [i, path] of dbs.entries()) {
      const blob = net.blobs[blobs[i]]
      sinks.push(path.endsWith('.npy') ? new NpySink(path, blob, batches) : await LmdbSink.create(path, blob, overwrite))
    }
    if (output.out.isTTY && !json) bar = new ProgressBar(output, 'Extracting features', batches, [])
    for (let i = 0; i < batches; i++) {
      await net.exclusive(() => net.runForward())
      for (const sink of sinks) {
        await sink.blob.memory.data.pull()
        sink.add()
      }
      bar?.update(i + 1)
    }
    for (const sink of sinks) await sink.finish()
  } catch (error) {
    for (const sink of sinks) sink.abort()
    throw error
  } finally {
    bar?.stop()
    net.dispose()
  }
  if (json) print(output, JSON.stringify(sinks.map(({ path, blob, items }) => ({ path, blob: blob.name, items, shape: itemShape(blob) }))))
  else
    for (const { path, blob, items } of sinks)
      print(output, `${path}: ${items} records of blob '${blob.name}', ${itemShape(blob).join('×')} each`)
}

const itemShape = (blob: Blob): number[] => blob.shape.slice(1)

/** Where the values of one blob go, batch by batch. */
interface FeatureSink {
  readonly path: string
  readonly blob: Blob
  readonly items: number
  /** The items of the blob as it stands. */
  add(): void
  finish(): Promise<void>
  abort(): void
}

/** A Datum of float values an item, channels × height × width. */
class LmdbSink implements FeatureSink {
  items = 0

  private constructor(
    readonly path: string,
    readonly blob: Blob,
    private readonly writer: LmdbWriter,
  ) {}

  static async create(path: string, blob: Blob, overwrite?: boolean): Promise<LmdbSink> {
    if (blob.numAxes > 4)
      throw new RistrettoError(
        `blob '${blob.name}' is ${blob.shape.join('×')}: the records of an LMDB hold channels × height × width; use a .npy file`,
      )
    return new LmdbSink(path, blob, await LmdbWriter.create(path, { overwrite }))
  }

  add(): void {
    const { blob } = this
    const { num, channels, height, width } = blob
    const size = blob.count / num
    for (let n = 0; n < num; n++) {
      const float_data = blob.dataArray.slice(n * size, (n + 1) * size)
      this.writer.put(String(this.items++).padStart(10, '0'), writeDatum({ channels, height, width, float_data }))
    }
  }

  async finish(): Promise<void> {
    await this.writer.finish()
  }
  abort(): void {
    this.writer.abort()
  }
}

/** One array, items × the blob's other axes. */
class NpySink implements FeatureSink {
  items = 0
  private values = new Float32Array(0)
  private shape: number[] = []

  constructor(
    readonly path: string,
    readonly blob: Blob,
    private readonly batches: number,
  ) {}

  add(): void {
    const { blob, batches } = this
    const shape = itemShape(blob)
    const size = blob.count / blob.num
    if (!this.items) {
      this.shape = shape
      this.values = new Float32Array(batches * blob.count)
    } else if (shape.join() !== this.shape.join() || this.items * size + blob.count > this.values.length)
      throw new RistrettoError(`blob '${blob.name}' changed its shape to ${blob.shape.join('×')}: one .npy file holds items of one size`)
    this.values.set(blob.dataArray, this.items * size)
    this.items += blob.num
  }

  async finish(): Promise<void> {
    const size = this.shape.reduce((product, axis) => product * axis, 1)
    await writeFileSafely(this.path, writeNpy(ndarrayOf(this.values.subarray(0, this.items * size), [this.items, ...this.shape])))
  }
  abort(): void {}
}
