import type { Blob, Shape } from '../blob.js'
import { fillBlob } from '../filler.js'
import type { FilledDummyDataParameter, FillerParameter } from '../generated/caffe.js'
import { Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'

const legacyFields = ['num', 'channels', 'height', 'width'] as const

/** Tops from fillers: constants once at set-up, random values anew before every forward. */
export class DummyDataLayer extends Layer {
  static override readonly atDeploy = 'stays' as const
  static override readonly param = ['dummy_data_param'] as const
  /** It computes nothing on the device, but naming a kernel says that constant tops may stay there. */
  static override readonly uses = ['copy'] as const
  override readonly bottomCount = { exactly: 0 }
  override readonly topCount = { atLeast: 1 }

  private fillers: readonly FillerParameter[] = []

  override setup(_bottom: Blob[], top: Blob[]): void {
    const param = withDefaults('DummyDataParameter', this.param.dummy_data_param)
    const fillers = param.data_filler.length ? param.data_filler : [{}]
    this.requireOneOrEach('data_filler', fillers.length, top.length)
    this.fillers = top.map((_, i) => fillers[fillers.length === 1 ? 0 : i])
    top.forEach((blob, i) => {
      blob.reshape(this.shapeOf(param, i, top.length))
      // random fillers too, so that a wrong one is refused here and not in the first pass
      fillBlob(blob, this.fillers[i], this.random)
    })
  }

  override reshape(): void {}

  override forward(_bottom: Blob[], top: Blob[]): void {
    top.forEach((blob, i) => {
      if (!isConstant(this.fillers[i])) fillBlob(blob, this.fillers[i], this.random)
    })
  }

  override backward(): void {}

  private shapeOf(param: FilledDummyDataParameter, i: number, tops: number): Shape {
    if (!legacyFields.some(field => param[field].length)) {
      this.requireOneOrEach('shape', param.shape.length, tops)
      return param.shape[param.shape.length === 1 ? 0 : i].dim ?? []
    }
    if (param.shape.length)
      throw this.error('shape and num, channels, height, width say the same: write only one of the two forms')
    return legacyFields.map(field => {
      this.requireOneOrEach(field, param[field].length, tops)
      return param[field][param[field].length === 1 ? 0 : i]
    })
  }

  private requireOneOrEach(field: string, given: number, tops: number): void {
    if (given !== 1 && given !== tops)
      throw this.error(`${field} is given ${given} times for ${tops} tops: give it once or once per top`)
  }
}

function isConstant(filler: FillerParameter): boolean {
  return withDefaults('FillerParameter', filler).type === 'constant'
}
