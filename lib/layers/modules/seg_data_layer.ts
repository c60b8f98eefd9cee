import type { Shape } from '../../blob.js'
import { FedLayer } from '../parts/fed_tops.js'

/** Names of tops with one value a pixel: labels of FCN's data sets, and depth. */
const SINGLE = ['label', 'sem', 'geo', 'depth']

/** The data layers of FCN's repository: a picture, and labels of its pixels by the tops' names. */
export class SegDataLayer extends FedLayer {
  protected override shapeOf(_top: number, name: string): Shape {
    return [1, SINGLE.includes(name) ? 1 : 3, 500, 500]
  }
}
