import type { Share } from '../group.js'
import type { BatchSource, Place, Position } from './source.js'

/**
 * One worker's part of the batches that several share: between rounds all of them stand at the same place, so that any
 * number of workers may go on from there.
 */
export class SharedSource implements BatchSource {
  readonly decodes: boolean
  readonly batchSize: number
  readonly labelKind: BatchSource['labelKind']
  /** Batches of this round that were read. */
  private taken = 0

  constructor(
    private readonly source: BatchSource,
    private readonly share: Share,
  ) {
    this.decodes = source.decodes
    this.batchSize = source.batchSize
    this.labelKind = source.labelKind
  }

  get position(): Position {
    return this.source.position
  }

  peek(): readonly number[] | Promise<readonly number[]> {
    return this.source.peek()
  }

  async next(place: Place): Promise<void> {
    const { source, share, batchSize } = this
    if (this.taken === 0) await source.skip(share.before * batchSize)
    await source.next(place)
    if (++this.taken < share.own) return
    this.taken = 0
    await source.skip(share.after * batchSize)
  }

  skip(items: number): void | Promise<void> {
    return this.source.skip(items)
  }

  close(): void {
    this.source.close()
  }
}
