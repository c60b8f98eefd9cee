import type { LayerParameter, NetParameter } from '../generated/caffe.js'
import { keeping, keptOf } from './kept.js'
import { keepPlace, placeOf } from './places.js'
import { messageInfo } from './schema.js'
import { parseText } from './text.js'

/** A layer in which the fields that it keeps as text, and that `isKnown` says are known now, are read. */
export function adoptKept(layer: LayerParameter, isKnown: (name: string) => boolean): LayerParameter {
  const known = keptOf(layer).filter(({ name }) => isKnown(name))
  if (!known.length) return layer
  const rest = keeping(
    layer,
    keptOf(layer).filter(field => !known.includes(field)),
  )
  const read = known.map(({ name, text }) => {
    const place = placeOf(layer, name)
    // so that mistakes have their line
    return parseText('LayerParameter', '\n'.repeat((place?.line ?? 1) - 1) + text, { file: place?.file })
  })
  return keepPlace(layer, Object.assign({}, rest, ...read))
}

/** Kept fields that a class of layers has declared since the text was read become fields. */
export function adoptDeclared(net: NetParameter): NetParameter {
  const { byName } = messageInfo('LayerParameter')
  const isDeclared = (name: string): boolean => byName.get(name)?.declared === true
  if (!net.layer?.some(layer => keptOf(layer).some(({ name }) => isDeclared(name)))) return net
  return { ...net, layer: net.layer.map(layer => adoptKept(layer, isDeclared)) }
}
