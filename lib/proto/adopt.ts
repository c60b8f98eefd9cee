import type { LayerParameter } from '../generated/caffe.js'
import { keeping, keptOf } from './kept.js'
import { keepPlace, placeOf } from './places.js'
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
