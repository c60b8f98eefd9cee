import type { Blob } from '../blob.js'
import { type Hdf5, loadHdf5 } from '../data/hdf5.js'
import { Layer } from '../layer.js'
import { isNode } from '../system/nodejs.js'

/**
 * An HDF5 file ← datasets "data" and "label" with the values of the two bottoms, each with 4 axes (N, C, H, W).
 * The file holds one forward pass, as in Caffe, and is written below the working directory, or where the options `outputs`
 * and `files` say. In a browser its content is in `bytes`.
 */
export class HDF5OutputLayer extends Layer {
  static override readonly atDeploy = 'goes' as const
  static override readonly param = ['hdf5_output_param'] as const
  override readonly bottomCount = { exactly: 2 }
  override readonly topCount = { exactly: 0 }

  /** The file, as it was last written. */
  bytes: Uint8Array | undefined
  private hdf5!: Hdf5
  private fileName = ''

  override async setup(): Promise<void> {
    if (this.context.share)
      throw this.error(`${this.context.share.size} workers would write one file, each its own batches: train with one`)
    this.fileName = this.param.hdf5_output_param?.file_name ?? ''
    if (!this.fileName) throw this.error('hdf5_output_param.file_name is missing')
    if (isNode || this.context.files.asks)
      await this.context.files.mustBeWritable(this.fileName).catch(error => {
        throw this.error(error.message)
      })
    this.hdf5 = await loadHdf5()
  }

  override reshape(bottom: Blob[]): void {
    if (bottom[0].num !== bottom[1].num)
      throw this.error(
        `'${bottom[0].name}' has ${bottom[0].num} items, '${bottom[1].name}' ${bottom[1].num}: they must have as many`,
      )
  }

  override async forward(bottom: Blob[]): Promise<void> {
    if (this.bytes)
      throw this.error(
        `'${this.fileName}' has been written: it holds one forward pass, so run one, with a batch that holds everything`,
      )
    const dataset = ({ num, channels, height, width, dataArray }: Blob) => ({
      shape: [num, channels, height, width],
      data: dataArray,
    })
    const bytes = this.hdf5.write([
      ['data', dataset(bottom[0])],
      ['label', dataset(bottom[1])],
    ])
    if (isNode || this.context.files.asks) await this.context.files.write(this.fileName, bytes)
    // a write that failed may be tried again
    this.bytes = bytes
  }

  override backward(): void {}
}
