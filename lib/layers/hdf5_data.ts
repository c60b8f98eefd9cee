import type { Blob } from '../blob.js'
import { type Hdf5Array, loadHdf5 } from '../data/hdf5.js'
import { isHdf5 } from '../data/is_hdf5.js'
import { withoutPath, withPrefix } from '../data/source.js'
import { FormatError } from '../errors.js'
import type { Share } from '../group.js'
import { Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { RandomStream } from '../rng.js'
import { textFrom } from '../system/read_file.js'

/**
 * top[i] (N, …) ← the next N rows of the dataset named like top i, through all files of the list and from the first
 * again. One file is in memory at a time. `shuffle` draws an order of the files and of the rows of each, anew in every
 * epoch.
 */
export class HDF5DataLayer extends Layer {
  static override readonly param = ['hdf5_data_param'] as const
  override readonly bottomCount = { exactly: 0 }
  override readonly topCount = { atLeast: 1 }

  private readonly options = withDefaults('HDF5DataParameter', this.param.hdf5_data_param)
  private files: string[] = []
  private order = new Uint32Array(0)
  /** Place in `order`, row in the file at that place, times the list has ended. */
  private file = 0
  private row = 0
  private epoch = 0
  /** Batches of this round that were read, where several workers share them. */
  private taken = 0
  /** The file in memory: its number, one array per top, the order of its rows. */
  private open = -1
  private arrays: Hdf5Array[] = []
  private rows = new Uint32Array(0)

  override async setup(_bottom: Blob[], top: Blob[]): Promise<void> {
    const { source, batch_size } = this.options
    if (this.param.transform_param)
      throw this.error('it takes no transform_param: transform the data before writing the files')
    if (!source) throw this.error('hdf5_data_param.source is missing: name the list of files')
    if (!batch_size) throw this.error('hdf5_data_param.batch_size must be 1 or more')
    const bytes = await this.context.files.read(source)
    if (isHdf5(bytes))
      throw this.error(
        `${source} is an HDF5 file itself; hdf5_data_param.source is a text file that lists such files, one in each line`,
      )
    const list = textFrom(bytes, source)
    this.files = list.split(/\s+/).filter(name => name !== '')
    if (this.files.length === 0) throw this.error(`the list ${source} names no files`)
    this.arrangeFiles()
    await this.load(top)
    top.forEach((blob, j) => {
      blob.reshape([batch_size, ...this.arrays[j].shape.slice(1)])
    })
  }

  override reshape(): void {}

  override forward(_bottom: Blob[], top: Blob[]): void | Promise<void> {
    return this.context.share ? this.forwardShare(top, this.context.share) : this.fill(top, 0)
  }

  /** Between rounds every worker stands at the same row. */
  private async forwardShare(top: Blob[], { before, own, after }: Share): Promise<void> {
    if (this.taken === 0) await this.skip(top, before * this.options.batch_size!)
    await this.fill(top, 0)
    if (++this.taken < own) return
    this.taken = 0
    await this.skip(top, after * this.options.batch_size!)
  }

  /** Over the next `rows` rows; files are read for their number of rows. */
  private async skip(top: Blob[], rows: number): Promise<void> {
    while (rows > 0) {
      if (this.open >= 0 && this.row >= this.rows.length) this.nextFile()
      if (this.open < 0) await this.load(top)
      const step = Math.min(rows, this.rows.length - this.row)
      this.row += step
      rows -= step
    }
  }

  override backward(): void {}

  override saveState(): Record<string, number> {
    return { file: this.file, row: this.row, epoch: this.epoch }
  }

  override restoreState({ file = 0, row = 0, epoch = 0 }: Record<string, number>): void {
    if (![file, row, epoch].every(value => Number.isSafeInteger(value) && value >= 0) || file >= this.files.length)
      throw this.error(
        `the stored position does not fit its ${this.files.length} files: file ${file}, row ${row}, epoch ${epoch}`,
      )
    this.file = file
    this.row = row
    this.epoch = epoch
    this.open = -1
    this.taken = 0
    this.rows = new Uint32Array(0)
    this.arrangeFiles()
  }

  /** Items i … of the batch. Waits only where a file has to be read. */
  private fill(top: Blob[], i: number): void | Promise<void> {
    for (; i < this.options.batch_size!; i++) {
      if (this.open >= 0 && this.row >= this.rows.length) this.nextFile()
      if (this.open < 0) return this.load(top).then(() => this.fill(top, i))
      const from = this.rows[this.row++]
      for (let j = 0; j < top.length; j++) {
        const n = top[j].size(1)
        top[j].dataArray.set(this.arrays[j].data.subarray(from * n, (from + 1) * n), i * n)
      }
    }
  }

  private nextFile(): void {
    this.row = 0
    if (++this.file === this.files.length) {
      this.file = 0
      this.epoch++
      this.arrangeFiles()
    }
    if (this.order[this.file] === this.open) this.arrangeRows()
    else this.open = -1
  }

  /** Read the file that is due. */
  private async load(top: Blob[]): Promise<void> {
    const number = this.order[this.file]
    const name = this.files[number]
    const hdf5 = await loadHdf5()
    // any file may be named as the list: its words are not for everybody who gets the error, unless they name HDF5 files
    const hidden = `layer '${this.name}' (${this.type}): file ${number + 1} of ${this.options.source}`
    const bytes = await this.context.files.read(name).catch(error => {
      throw withPrefix(hidden, withoutPath(error))
    })
    const where = isHdf5(bytes) ? `layer '${this.name}' (${this.type}): ${name}` : hidden
    const reader = hdf5.open(bytes, where, this.context.files.maxFile)
    try {
      this.arrays = top.map(blob => reader.read(blob.name))
    } finally {
      reader.close()
    }
    const count = this.arrays[0].shape[0]
    this.arrays.forEach(({ shape }, j) => {
      if (shape.length === 0 || shape[0] === 0) throw new FormatError(`${where}: dataset '${top[j].name}' has no rows`)
      if (shape[0] !== count)
        throw new FormatError(
          `${where}: '${top[0].name}' has ${count} rows, '${top[j].name}' ${shape[0]}: they must have as many`,
        )
      if (top[j].numAxes > 0 && shape.slice(1).join() !== top[j].shape.slice(1).join())
        throw new FormatError(
          `${where}: rows of '${top[j].name}' are ${shape.slice(1).join('×')}, in the first file ${top[j].shape.slice(1).join('×')}`,
        )
    })
    this.open = number
    this.rows = new Uint32Array(count)
    this.arrangeRows()
  }

  private arrangeFiles(): void {
    this.order = this.arranged(this.files.length, 'files', this.epoch)
  }

  private arrangeRows(): void {
    this.rows = this.arranged(this.rows.length, 'rows', this.epoch * this.files.length + this.file)
  }

  /** 0 … n−1, shuffled if asked for: a function of (seed, what, iteration), so that it can be resumed. */
  private arranged(n: number, what: string, iteration: number): Uint32Array<ArrayBuffer> {
    const order = Uint32Array.from({ length: n }, (_, i) => i)
    if (!this.options.shuffle) return order
    const stream = new RandomStream(this.context.seed, `shuffle ${what} ${this.name}`)
    stream.iteration = iteration
    stream.shuffle(order)
    return order
  }
}
