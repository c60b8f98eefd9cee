import type { AnyDescription } from '../data/open_source.js'
import { PrefetchingLayer } from '../data/prefetching_layer.js'
import { withDefaults } from '../proto/message.js'

/**
 * data (N, C, H, W) and label (N) ← the next N records of an LMDB (or LevelDB) database of Datum messages, transformed
 * by `transform_param`; from the start again after the last one.
 */
export class DataLayer extends PrefetchingLayer {
  static override readonly param: readonly ['data_param'] | readonly ['data_param', 'annotated_data_param'] = [
    'data_param',
  ]
  private readonly options = withDefaults('DataParameter', this.param.data_param)
  protected override readonly randSkip = this.options.rand_skip

  protected override async describe(): Promise<AnyDescription> {
    const { source, batch_size, backend } = this.options
    if (!source) throw this.error('data_param.source is missing: name the database')
    if (!batch_size) throw this.error('data_param.batch_size must be 1 or more')
    const { files } = this.context
    // a database is named by its directory, and what answers for files may have its one file
    const path = files.asks && (await files.answers(`${source}/data.mdb`)) ? undefined : await files.locate(source)
    if (backend === 'LEVELDB' && path === undefined && files.asks)
      throw this.error(`the LevelDB database '${source}' is not in the file system as the option files has it`)
    return {
      kind: 'datum',
      layer: `layer '${this.name}' (${this.type})`,
      name: source,
      path,
      backend,
      // LevelDB lets nobody else open what is open here
      inFiles: path !== undefined && backend === 'LMDB',
      batchSize: batch_size,
      seed: this.context.seed,
      transform: await this.transformSpec(),
    }
  }
}
