import type { LayerParameter } from '../generated/caffe.js'

/** Marks the description of a layer whose params do not learn, however many it turns out to have. */
export const frozenMark: unique symbol = Symbol('frozen')

type Marked = LayerParameter & { [frozenMark]?: true }

/** The layer with `lr_mult: 0` on all its params, those too that its text does not list. Copies keep it. */
export const frozen = (layer: LayerParameter): LayerParameter => ({ ...layer, [frozenMark]: true }) as Marked

/** Whether `frozen` gave this description, or one that it was copied from. */
export const isFrozen = (layer: LayerParameter): boolean => (layer as Marked)[frozenMark] === true
