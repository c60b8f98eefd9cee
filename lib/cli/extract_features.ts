import { type Command, InvalidArgumentError } from 'commander'
import type { NdArray } from 'ndarray'
import type { Blob } from '../blob.js'
import { LmdbWriter } from '../data/lmdb_writer.js'
import { RistrettoError } from '../errors.js'
import { writeDatum } from '../proto/datum.js'
import { writeNpy } from '../pycaffe/io/npy.js'
import { ndarrayOf } from '../system/ndarrays.js'
import { writeFileSafely } from '../system/write_file.js'
import { extractFeatures } from '../tools/extract_features.js'
import {
  addRunOptions,
  addStateOptions,
  list,
  phaseOption,
  type RunOptions,
  type StateOptions,
  whole,
} from './options.js'
import { type Output, print, printJson, resultDatabase, resultFile } from './output.js'
import { ProgressBar } from './progress.js'
import { openNet } from './run_net.js'

interface ExtractOptions extends RunOptions, StateOptions {
  phase: 'TRAIN' | 'TEST'
  overwrite?: boolean
  json?: boolean
}

export function addExtractFeatures(program: Command, output: Output): void {
  const command = program
    .command('extract-features')
    .description(
      "Run batches of the net's own data layer and store the values of blobs, one record an item: in LMDBs, or in .npy files.",
    )
    .argument('<weights>', '.caffemodel')
    .argument('<model>', 'net prototxt with a data layer')
    .argument('<blobs>', 'names of blobs, separated by commas', list)
    .argument(
      '<dbs>',
      'for each blob the folder of an LMDB, or a file whose name ends in .npy, separated by commas',
      list,
    )
    .argument('<batches>', 'how many batches', whole(1))
    .argument('[kind]', 'kind of database: lmdb', backend)
    .argument('[device...]', 'CPU, or GPU and its number, as Caffe writes them: GPU is --engine gpu')
    .option('--overwrite', 'replace LMDBs that are there already')
    .option('--json', 'print the result as one JSON object')
    .addOption(phaseOption('TEST'))
  addStateOptions(command)
  addRunOptions(command).action(
    (weights, model, blobs: string[], dbs: string[], batches: number, _kind, device: string[], options) => {
      if (blobs.length !== dbs.length)
        command.error(
          `error: ${blobs.length} blobs (${blobs.join(', ')}) but ${dbs.length} places to put them (${dbs.join(', ')})`,
        )
      const engine = device[0]?.toUpperCase() === 'GPU' ? 'gpu' : undefined
      return extract({ weights, model, blobs, dbs, batches }, { engine, ...options }, output)
    },
  )
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
  if (text.toLowerCase() !== 'lmdb')
    throw new InvalidArgumentError('Only lmdb is written; a Data layer reads it with backend: LMDB.')
  return text
}

interface Extraction {
  weights: string
  model: string
  blobs: string[]
  dbs: string[]
  batches: number
}

async function extract(
  { weights, model, blobs, dbs, batches }: Extraction,
  options: ExtractOptions,
  output: Output,
): Promise<void> {
  const { overwrite, json } = options
  const say = json ? () => {} : (line: string) => print(output, line)
  for (const path of dbs) await (path.endsWith('.npy') ? resultFile : resultDatabase)(output, path)
  const net = await openNet(model, [weights], options, output, say)
  const sinks: FeatureSink[] = []
  let bar: ProgressBar | undefined
  try {
    const passes = extractFeatures(net, blobs, batches)
    for (const [i, path] of dbs.entries()) {
      const blob = net.blobs[blobs[i]]
      sinks.push(
        path.endsWith('.npy') ? new NpySink(path, blob, batches) : await LmdbSink.create(path, blob, overwrite),
      )
    }
    if (output.out.isTTY && !json) bar = new ProgressBar(output, 'Extracting features', batches, [])
    let done = 0
    for await (const values of passes) {
      for (const sink of sinks) sink.add(values[sink.blob.name])
      bar?.update(++done)
    }
    for (const sink of sinks) await sink.finish()
  } catch (error) {
    for (const sink of sinks) sink.abort()
    throw error
  } finally {
    bar?.stop()
    net.dispose()
  }
  if (json)
    printJson(
      output,
      sinks.map(({ path, blob, items }) => ({ path, blob: blob.name, items, shape: itemShape(blob) })),
    )
  for (const { path, blob, items } of sinks)
    say(`${path}: ${items} records of blob '${blob.name}', ${itemShape(blob).join('×')} each`)
}

const itemShape = ({ shape }: { readonly shape: readonly number[] }): number[] => shape.slice(1)

/** Where the values of one blob go, batch by batch. */
interface FeatureSink {
  readonly path: string
  readonly blob: Blob
  readonly items: number
  /** The items of one batch. */
  add(values: NdArray<Float32Array>): void
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

  add({ data, shape: [num = 1, channels = 1, height = 1, width = 1], size: count }: NdArray<Float32Array>): void {
    const size = count / num
    for (let n = 0; n < num; n++) {
      const float_data = data.slice(n * size, (n + 1) * size)
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

  add(values: NdArray<Float32Array>): void {
    const { blob, batches } = this
    const shape = itemShape(values)
    const [num = 1] = values.shape
    const size = values.size / num
    if (!this.items) {
      this.shape = shape
      this.values = new Float32Array(batches * values.size)
    } else if (shape.join() !== this.shape.join() || this.items * size + values.size > this.values.length)
      throw new RistrettoError(
        `blob '${blob.name}' changed its shape to ${values.shape.join('×')}: one .npy file holds items of one size`,
      )
    this.values.set(values.data, this.items * size)
    this.items += num
  }

  async finish(): Promise<void> {
    const size = this.shape.reduce((product, axis) => product * axis, 1)
    await writeFileSafely(
      this.path,
      writeNpy(ndarrayOf(this.values.subarray(0, this.items * size), [this.items, ...this.shape])),
    )
  }
  abort(): void {}
}
