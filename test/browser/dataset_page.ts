/** What a page does with pictures of its visitor's: a dataset, a training on it, an archive, answers. */
import { createSolver, Net, type NetParameter, parseSolver, printNet } from '../../lib/index.js'
import { loadImage } from '../../lib/pycaffe/index.js'
import { blobSource, makeDataset, standardNet } from '../../lib/tools/index.js'

const bytesOf = (list: readonly number[]): Uint8Array => Uint8Array.from(list)

/** One layer that reads a data base of one of the sets. */
const netOf = (classes: number, channels: number, size: number): NetParameter =>
  standardNet('lenet', {
    classes,
    channels,
    size,
    batch: 8,
    data: { train: 'train_db', val: 'val_db', testBatch: 4, mean: [128] },
  })

export const tests = {
  /** A zip of class folders → a dataset in memory → a training → an archive → what it says of pictures. */
  async fromZip(zip: number[], pictures: number[][]) {
    const { files, classes, sets, width, channels } = await makeDataset(
      { zip: bytesOf(zip) },
      { size: 28, val: 0.25, gray: true },
    )
    const all = files!
    const param = netOf(classes.length, channels, width)
    const solver = await createSolver(
      parseSolver('base_lr: 0.003 momentum: 0.9 lr_policy: "fixed" random_seed: 1 net: "net.prototxt" max_iter: 40'),
      { files: path => (path === 'net.prototxt' ? new TextEncoder().encode(printNet(param)) : all[path]) },
    )
    await solver.solve()
    solver.net.labels = [...classes]
    const archive = await solver.net.toBytes({ format: 'zip', labels: [...classes] })
    solver.dispose()
    const net = await Net.load(archive)
    const rows = await net.predict(pictures.map(bytesOf))
    const drawn = document.createElement('canvas')
    drawn.width = drawn.height = 40
    const pen = drawn.getContext('2d')!
    pen.fillStyle = 'white'
    pen.fillRect(0, 0, 40, 40)
    const [white] = await net.predict([pen.getImageData(0, 0, 40, 40)])
    return {
      files: Object.keys(all).sort(),
      classes,
      sets: Object.fromEntries(Object.entries(sets).map(([name, set]) => [name, set.records])),
      said: rows.map(row => net.labels![row.indexOf(Math.max(...row))]),
      white: net.labels![white.indexOf(Math.max(...white))],
      archive: archive.length,
    }
  },

  /** In a worker, where a file of the visitor's is read piece by piece. */
  inWorker(zip: number[]): Promise<{ classes: string[]; records: number }> {
    const worker = new Worker('/main.js', { type: 'module' })
    return new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data))
      worker.onerror = event => reject(new Error(event.message))
      worker.postMessage(new File([bytesOf(zip) as Uint8Array<ArrayBuffer>], 'photos.zip'))
    })
  },

  /** Arrays → a dataset. */
  async fromArrays() {
    const data = Uint8Array.from({ length: 20 * 64 }, (_, i) => (Math.floor(i / 64) % 2 ? 200 : 20) + (i % 13))
    const labels = Array.from({ length: 20 }, (_, i) => (i % 2 ? 'light' : 'dark'))
    const { files, mean } = await makeDataset({ data, shape: [20, 8, 8], labels }, { val: 0.2 })
    return { mean, files: Object.keys(files!).sort(), labels: new TextDecoder().decode(files!['labels.txt']) }
  },

  /** A photograph: the size that it is seen in, and the corner that is red. */
  async photograph(jpeg: number[]) {
    const { shape, data } = await loadImage(bytesOf(jpeg))
    const [height, width] = shape
    const red = (y: number, x: number) => data[3 * (y * width + x)] > 0.5
    return { shape, corners: [red(0, 0), red(0, width - 1), red(height - 1, 0), red(height - 1, width - 1)] }
  },
}

Object.assign(globalThis, { tests })
if (typeof document === 'undefined')
  globalThis.onmessage = async ({ data }) => {
    const answer = await makeDataset({ zip: blobSource(data as File, 'photos.zip') }, { size: 28 }).then(
      ({ classes, sets }) => ({ classes, records: sets.train!.records }),
      (error: Error) => ({ error: String(error) }),
    )
    globalThis.postMessage(answer)
  }
