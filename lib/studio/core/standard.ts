import type { LayerParameter } from '../../generated/caffe.js'
import { printNet } from '../../proto/print.js'
import { standardNets } from '../../tools/standard/nets.js'
import { batchFor, type StandardNetName, standardNet, standardNetNames } from '../../tools/standard/standard_net.js'
import type { ModelForm, StudioInfo } from '../api/index.js'
import type { DatasetFacts } from './facts.js'

/** The standard nets as a list to choose from. */
export const standardList: StudioInfo['standardNets'] = standardNetNames.map(name => {
  const { title, least } = standardNets[name]
  return { name, title, note: `pictures from ${least}×${least}` }
})

/** The text of a standard net for a dataset, and settings that suit it; a NetError for one that does not fit. */
export function standardModel(
  name: string,
  { classes, channels, height, width, sets }: DatasetFacts,
): { net: string; form: Partial<ModelForm> } {
  const net = standardNet(name as StandardNetName, {
    ...{ classes: Math.max(1, classes.length), channels, size: [height, width] as const },
    data: { train: 'train_db', ...((sets.val?.records ?? 0) > 0 && { val: 'val_db' }) },
  })
  const { rate, decay } = standardNets[name as StandardNetName]
  const policy = { policy: 'step', gamma: 0.1, share: 1 / 3 } as const
  return {
    net: printNet({ ...net, layer: net.layer?.map(withoutSource) }),
    form: {
      mean: 'pixel',
      batch: batchFor(name as StandardNetName, sets.train?.records ?? 0),
      solver: { type: 'SGD', rate, policy, momentum: 0.9, decay },
    },
  }
}

/** Databases are put in when a model is made. */
function withoutSource(layer: LayerParameter): LayerParameter {
  if (!layer.data_param) return layer
  const { source, backend, ...rest } = layer.data_param
  return { ...layer, data_param: rest }
}
