import type { Blob } from '../blob.js'
import { RistrettoError } from '../errors.js'
import { Layer } from '../layer.js'
import { RandomStream } from '../rng.js'
import { importPixels } from './image.js'
import { commonBase } from './image_list.js'
import type { AnyDescription } from './open_source.js'
import { AheadBatches, type Batches, canPrefetch, prefetch } from './prefetch.js'
import { type BatchSource, labelShape, type Place, type Position } from './source.js'
import { type TransformSpec, transformSpec } from './transformer.js'

/**
 * Values in a batch from which a worker pays. Below it (a batch of 64 MNIST digits has 50,176 and takes 0.1 ms) handing
 * a batch over costs about as much as making it, and a worker would take its time from the threads that compute.
 */
export const WORKER_FROM = 1_000_000

/**
 * Data, ImageData, WindowData, AnnotatedData, DenseImageData and ImageSegData: tops data (N, C, H, W) and, where there
 * are two, label; where labels are pictures a third one takes their sizes.
 */
export abstract class PrefetchingLayer extends Layer {
  override readonly bottomCount = { exactly: 0 }
  override readonly topCount: { atLeast?: number; atMost?: number; exactly?: number } = { atLeast: 1, atMost: 2 }

  private batches: Batches | undefined
  private position: Position = { item: 0, record: 0, epoch: 0 }
  private itemShape: readonly number[] = []
  private inWorker = false
  private failure: Error | undefined
  private place!: Place
  private names: Promise<((position: Position) => readonly string[]) | undefined> | undefined

  /** What to read; the parameters checked. */
  protected abstract describe(): Promise<AnyDescription>

  /** Record to start at: `rand_skip` draws it. */
  protected firstRecord(randSkip: number): number {
    return randSkip ? new RandomStream(this.context.seed, `rand_skip ${this.name}`).integer(randSkip) : 0
  }
  protected abstract readonly randSkip: number

  /** What to read, and which part of it. */
  private async shared(): Promise<AnyDescription> {
    const description = await this.describe()
    const { share } = this.context
    if (!share) return description
    if ('backend' in description && description.backend === 'LEVELDB')
      throw this.error(
        `the LevelDB database '${description.name}' lets one worker in, and ${share.size} train: convert it to LMDB (ristretto convert-imageset writes one) and write backend: LMDB`,
      )
    return { ...description, share }
  }

  override async setup(_bottom: Blob[], top: Blob[]): Promise<void> {
    const description = await this.shared()
    this.position = { item: 0, record: this.firstRecord(this.randSkip), epoch: 0 }
    const { batchSize } = description
    const source = await this.openSource(description)
    const { labelKind = 'numbers' } = source
    this.itemShape = await source.peek()
    const reshape = (itemShape: readonly number[], truths?: number) => {
      top[0].reshape([batchSize, ...itemShape])
      const labels = labelShape(labelKind, batchSize, itemShape, truths)
      const { labelDivisor = 1 } = description
      top[1]?.reshape(labels.map((size, axis) => (axis > 1 ? size / labelDivisor : size)))
      top[2]?.reshape([batchSize, 1, 1, 2])
    }
    reshape(this.itemShape)
    this.place = (itemShape, truths) => {
      reshape(itemShape, truths)
      return { data: top[0].dataArray, labels: top[1]?.dataArray, sizes: top[2]?.dataArray }
    }

    const values = top[0].count
    const ahead = this.slots > 0
    this.inWorker =
      ahead &&
      description.inFiles &&
      canPrefetch() &&
      (source.decodes || !!description.transform.augment || values >= WORKER_FROM)
    if (this.inWorker) source.close()
    else this.batches = this.onThisThread(source)
  }

  override reshape(): void {}

  override forward(): void | Promise<void> {
    if (this.failure) throw this.failure
    try {
      const wait = this.batches ? this.batches.next(this.place) : this.open().then(batches => batches.next(this.place))
      return wait?.catch(error => this.fail(error))
    } catch (error) {
      this.fail(error)
    }
  }

  override backward(): void {}

  override saveState(): Record<string, number> {
    return { ...(this.batches?.position ?? this.position) }
  }

  override restoreState(state: Record<string, number>): void {
    const { item = 0, record = 0, epoch = 0 } = state
    if (![item, record, epoch].every(value => Number.isSafeInteger(value) && value >= 0))
      throw this.error(`the stored position is damaged: item ${item}, record ${record}, epoch ${epoch}`)
    this.batches?.close()
    this.batches = undefined
    this.failure = undefined
    this.position = { item, record, epoch }
    // the seed, and with it the order, may be another
    this.names = undefined
  }

  override dispose(): void {
    this.batches?.close()
    this.batches = undefined
    this.failure = this.error('it was disposed')
  }

  /**
   * What the items of the next batch are called: files of a list, keys of a database. Undefined where they have no names,
   * or the names cannot be read while the database is open.
   */
  override async itemNames(): Promise<readonly string[] | undefined> {
    this.names ??= this.openNames()
    const names = await this.names
    return names?.(this.batches?.position ?? this.position)
  }

  private async openNames(): Promise<((position: Position) => readonly string[]) | undefined> {
    const description = await this.describe()
    const { openItemNames } = await import('./item_names.js')
    const names = await openItemNames(description, this.fileDoors())
    return names && (position => names(position, description.batchSize))
  }

  /** Batches that may wait in memory: data_param.prefetch, for every data layer, as in Caffe. */
  private get slots(): number {
    return this.param.data_param?.prefetch ?? 4
  }

  /** From `position` on. */
  private async open(): Promise<Batches> {
    // the seed may have changed with the snapshot that was restored
    const description = await this.shared()
    const batches = this.inWorker
      ? await prefetch(description, this.position, this.itemShape, this.slots, this.context.files.maxFile)
      : this.onThisThread(await this.openSource(description))
    if (this.failure) {
      batches.close()
      throw this.failure
    }
    this.batches = batches
    return batches
  }

  private onThisThread(source: BatchSource): Batches {
    return this.slots > 0 && source.decodes ? new AheadBatches(source, source.position) : source
  }

  /** The readers of databases and pictures are loaded by nets that read some: most pages have none. */
  private async openSource(description: AnyDescription): Promise<BatchSource> {
    const { openSource } = await import('./open_source.js')
    return openSource(description, { pixels: () => importPixels(), ...this.fileDoors() }, this.position)
  }

  private fileDoors() {
    const { files } = this.context
    return {
      readFile: (path: string) => files.read(path),
      openFile: (path: string) => files.open(path),
    }
  }

  /** Once something is wrong it stays wrong: what has been read ahead is out of step. */
  private fail(error: unknown): never {
    this.failure = error instanceof RistrettoError ? error : this.error((error as Error).message)
    throw this.failure
  }

  /** What every layer of a list of pictures says of it: the list's entries, where they lie, and how they are read. */
  protected async listDescription<List extends { readonly paths: readonly string[] }>(
    list: List,
    options: {
      source: string
      root_folder: string
      batch_size: number
      shuffle: boolean
      is_color: boolean
      new_height: number
      new_width: number
    },
  ) {
    const { source, root_folder, batch_size, shuffle, is_color, new_height, new_width } = options
    const { files, seed } = this.context
    const base = await commonBase(root_folder + list.paths[0], files)
    return {
      layer: `layer '${this.name}' (${this.type})`,
      name: source,
      list,
      prefix: (base ?? '') + root_folder,
      inFiles: base !== undefined,
      batchSize: batch_size,
      seed,
      shuffle,
      color: is_color,
      height: new_height,
      width: new_width,
    }
  }

  protected transformSpec(): Promise<TransformSpec> {
    return transformSpec(this.param.transform_param, {
      phase: this.phase,
      seed: this.context.seed,
      stream: `transform ${this.name}`,
      readFile: path => this.context.files.read(path),
    }).catch(error => {
      throw error instanceof RistrettoError ? this.error(error.message) : error
    })
  }
}
