import { NetError } from '../errors.js'
import type { LayerParameter, NetParameter, ParamSpec } from '../generated/caffe.js'
import { frozen } from '../proto/frozen.js'
import type { FreezeOptions } from './import_options.js'

/** A text as a regular expression of itself. */
const escaped = (text: string): string => text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')

const FIXED: ParamSpec = { lr_mult: 0, decay_mult: 0 }

/** Tells whether a name fits one of the patterns; a pattern that fits no layer at all is a NetError. */
function matcher(patterns: readonly string[] | undefined, layers: readonly LayerParameter[], option: string) {
  const tests = (patterns ?? []).map(pattern => {
    const test = new RegExp(`^${pattern.split('*').map(escaped).join('.*')}$`, 's')
    if (!layers.some(({ name = '' }) => test.test(name)))
      throw new NetError(`${option}: '${pattern}' fits the name of no layer; * stands for anything`)
    return test
  })
  return (name: string): boolean => tests.some(test => test.test(name))
}

/**
 * The net with lr_mult: 0 on the params of the layers that are named. BatchNorm layers among them use their statistics as
 * they are. A pattern that fits nothing is a NetError. `own`: the layers that the model has, where others were added.
 */
export function freeze(net: NetParameter, options: FreezeOptions, own?: ReadonlySet<string | undefined>): NetParameter {
  const { layer: layers = [] } = net
  const { batchNorm = 'live', train } = options
  const isFrozen = matcher(options.freeze, layers, 'freeze')
  const isTrained = train ? matcher(train, layers, 'train') : () => true
  const normalized = new Set<string>()
  const all = layers.map(layer => {
    const { name = '', type, bottom = [], top = [] } = layer
    const isStatistics = type === 'BatchNorm'
    const isBehind = type === 'Scale' && bottom.length === 1 && normalized.has(bottom[0])
    // another layer that writes the blob makes it another value
    for (const blob of top) normalized.delete(blob)
    if (isStatistics) for (const blob of top) normalized.add(blob)
    // a head that has just been put on is there to learn
    const stays = (own?.has(name) ?? true) && (isFrozen(name) || !isTrained(name))
    const stands = batchNorm === 'frozen' && (isStatistics || isBehind)
    return stays || stands ? fixed(layer) : layer
  })
  return { ...net, layer: all }
}

function fixed(layer: LayerParameter): LayerParameter {
  if (layer.type === 'BatchNorm')
    return frozen({ ...layer, batch_norm_param: { ...layer.batch_norm_param, use_global_stats: true } })
  return frozen(written(layer))
}

/** With what is known of its params, so that it is there in its text, too. */
function written(layer: LayerParameter): LayerParameter {
  const count = Math.max(layer.blobs?.length ?? 0, layer.param?.length ?? 0)
  if (!count) return layer
  return { ...layer, param: Array.from({ length: count }, (_, i) => ({ ...layer.param?.[i], ...FIXED })) }
}
