import type { Shape } from '../../blob.js'
import { FedLayer } from '../parts/fed_tops.js'
import { settingsOf } from '../parts/python_settings.js'

/** fast-rcnn's and py-faster-rcnn's roi_data_layer.layer: pictures with their objects, or with regions and targets. */
export class RoIDataLayer extends FedLayer {
  override readonly topCount = { atLeast: 3, atMost: 6 }
  private readonly classes = settingsOf(this, { num_classes: 21 }).num_classes

  protected override shapeOf(top: number, _name: string, tops: number): Shape {
    const data = [1, 3, 600, 1000]
    if (tops === 3) return [data, [1, 3], [1, 5]][top]
    return [data, [1, 5], [1], [1, 4 * this.classes], [1, 4 * this.classes], [1, 4 * this.classes]][top]
  }
}
