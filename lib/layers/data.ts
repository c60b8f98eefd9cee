import type { AnyDescription } from '../data/open_source.js'
import { PrefetchingLayer } from '../data/prefetching_layer.js'
import { EngineError } from '../errors.js'
import { withDefaults } from '../proto/message.js'

/**
 * data (N, C, H, W) and label (N) ← the next N records of an LMDB database of Datum messages, transformed by `transform_param`;
 * from the start again after the last one.
 */
export class DataLayer extends PrefetchingLayer {
  private readonly options = withDefaults('DataParameter', this.param.data_param)
  protected override readonly randSkip = this.options.rand_skip

  protected override async describe(): Promise<AnyDescription> {
    const { source, batch_size, backend } = this.options
    if (!source) throw this.error('data_param.source is missing: name the database')
    if (!batch_size) throw this.error('data_param.batch_size must be 1 or more')
    if (backend !== 'LMDB')
      throw new EngineError(
        `layer '${this.name}' (Data): the ${backend} database '${source}' cannot be read; convert it to LMDB and write \`backend: LMDB\` (left out, it means LEVELDB)`,
      )
    return {
      kind: 'datum',
      layer: `layer '${this.name}' (${this.type})`,
      name: source,
      path: await this.context.files.locate(source),
      batchSize: batch_size,
      seed: this.context.seed,
      transform: await this.transformSpec(),
    }
  }
}
