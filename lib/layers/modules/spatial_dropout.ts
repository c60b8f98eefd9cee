import { parseParamStr } from '../../proto/param_str.js'
import { SpatialDropoutLayer } from '../spatial_dropout.js'

/** ENet's spatial_dropout: SpatialDropout by its param_str, "{'phase': 'TRAIN', 'p': '0.1'}"; the net's own phase counts. */
export class PythonSpatialDropoutLayer extends SpatialDropoutLayer {
  static override readonly param = [] as const

  protected override readRatio(): number {
    const { p } = parseParamStr(this.paramStr)
    const ratio = Number(p)
    if (p === undefined || Number.isNaN(ratio))
      throw this.error(`param_str must give p, the share of channels that are dropped: "{'p': 0.1}"`, 'python_param')
    return ratio
  }
}
