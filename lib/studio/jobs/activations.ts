import type { Blob } from '../../blob.js'
import type { NetNode } from '../../net/node.js'
import { statisticsOf } from '../../net/statistics.js'
import type { Net } from '../../net.js'
import { layerPicture } from '../../tools/layer_picture.js'
import type { LayerRow } from '../api/index.js'

/** Pixels of a row's picture: beyond it nobody sees anything in it, and it takes its time. */
const MOST = 2 ** 22

/** The nodes that were written, without the splits that a net puts in. */
const nodesOf = (net: Net): NetNode[] => {
  const own = new Set((net.param.layer ?? []).map(({ name }) => name ?? ''))
  return net.built.nodes.filter(({ name }) => own.has(name))
}

/**
 * Rows of what every layer gave for item 0, one a blob: what works in place shows in the blob that it works on.
 * @param typeOf the type of a layer as it was written: inputs stand for data layers
 * @param times milliseconds of the layers
 */
export function* activationRows(
  net: Net,
  typeOf: (key: string) => string | undefined,
  times: ReadonlyMap<string, number>,
): Generator<LayerRow> {
  const seen = new Set<string>()
  for (const { key, layer, param, top } of nodesOf(net))
    for (const [i, blob] of top.entries()) {
      // the name before splits, which readers know
      const name = param.top?.[i] ?? blob.name
      if (seen.has(name)) continue
      seen.add(name)
      const type = typeOf(key) ?? layer.type
      const milliseconds = i === 0 ? times.get(key) : undefined
      const named = { layer: key, type, blob: name, kind: 'activation' as const }
      yield rowOf(milliseconds === undefined ? named : { ...named, milliseconds }, blob, net.outputs.includes(name))
    }
}

/** Rows of the weights, each once where layers share them. */
export function* weightRows(net: Net): Generator<LayerRow> {
  for (const { key, layer, params } of nodesOf(net))
    for (const [i, id] of params.entries()) {
      if (net.built.params[id].owner >= 0) continue
      yield rowOf({ layer: key, type: layer.type, blob: `${key}[${i}]`, kind: 'weights' }, layer.blobs[i], false)
    }
}

type Named = Pick<LayerRow, 'layer' | 'type' | 'blob' | 'kind' | 'milliseconds'>

/** A blob in numbers and as a picture; what cannot be drawn says why, and spares the others. */
function rowOf(named: Named, blob: Blob, isOutput: boolean): LayerRow {
  const { shape } = blob
  const weights = named.kind === 'weights'
  const data = blob.dataArray
  // a vector over the batch has one value an item, and one axis; a scalar is whole
  const items = weights || shape.length < 1 ? 1 : shape[0]
  const own = items > 1 ? data.subarray(0, data.length / items) : data
  const statistics = statisticsOf(own)
  // JSON knows no NaN and no −0; `notFinite` says where there is nothing else
  const plain = (value: number) => (Number.isFinite(value) ? value + 0 : 0)
  const { mean, std, min, max } = statistics
  const numbers = { mean: plain(mean), std: plain(std), min: plain(min), max: plain(max) }
  const row = { ...named, shape: [...shape], ...statistics, ...numbers }
  const reason = !own.length
    ? 'it has no values'
    : own.length > MOST
      ? `it has ${own.length} values; pictures are drawn of up to ${MOST}`
      : undefined
  if (reason !== undefined) return { ...row, reason }
  const isShare = isOutput && statistics.min >= 0 && statistics.max <= 1
  const itemShape = weights ? shape : [1, ...(shape.length ? shape.slice(1) : [1])]
  try {
    const drawn = layerPicture(
      { shape: itemShape, data: own },
      { weights, statistics, ...(isShare && { range: [0, 1] as const }) },
    )
    const { width, height, channels, columns, rows, plane, pixels } = drawn
    return { ...row, picture: { width, height, channels, columns, rows, plane, pixels } }
  } catch (error) {
    return { ...row, reason: (error as Error).message }
  }
}
