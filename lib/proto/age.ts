import type { LayerParameter, NetParameter } from '../generated/caffe.js'

/** Whether `upgradeNet` would change the net. */
export const needsUpgrade = (net: NetParameter): boolean =>
  Boolean(net.layers?.length || net.input?.length || net.layer?.some(isOldBatchNorm))

/** Its three blobs used to need learning rates of 0 in the net, which the layer now sees to. */
export const isOldBatchNorm = (layer: LayerParameter): boolean =>
  layer.type === 'BatchNorm' &&
  layer.param?.length === 3 &&
  layer.param.some(spec => spec.lr_mult !== 0 || spec.decay_mult !== 0)
