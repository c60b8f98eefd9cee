import { type Blob, shapeText } from '../../blob.js'
import type { PoolingParameter } from '../../generated/caffe.js'
import type { Layer } from '../../layer.js'
import { withDefaults } from '../../proto/message.js'

type Pair = readonly [number, number]

/** What pooling_param says about space: pairs are [height, width]. No kernel: the whole picture. */
export interface PoolingWindow {
  readonly kernel: Pair | undefined
  readonly stride: Pair
  readonly pad: Pair
  readonly roundUp: boolean
}

/** Reads kernel, stride and pad, each once or as _h and _w. */
export function poolingWindow(layer: Layer): PoolingWindow {
  const written = layer.param.pooling_param ?? {}
  const param = withDefaults('PoolingParameter', written)
  const kernel = pair(layer, written, 'kernel_size', 'kernel_h', 'kernel_w')
  const stride = pair(layer, written, 'stride', 'stride_h', 'stride_w') ?? [1, 1]
  const pad = pair(layer, written, 'pad', 'pad_h', 'pad_w') ?? [0, 0]
  if (stride[0] < 1 || stride[1] < 1) throw layer.error(`stride ${shapeText(stride)} must be at least 1`)
  if (param.global_pooling) {
    if (kernel) throw layer.error('global_pooling takes the whole picture: leave the kernel size out')
    if (pad[0] || pad[1] || stride[0] !== 1 || stride[1] !== 1)
      throw layer.error('global_pooling goes with pad: 0 and stride: 1 only')
  } else {
    if (!kernel) throw layer.error('it needs a kernel_size, or kernel_h and kernel_w, or global_pooling: true')
    if (kernel[0] < 1 || kernel[1] < 1) throw layer.error(`kernel size ${shapeText(kernel)} must be at least 1`)
    if (pad[0] >= kernel[0] || pad[1] >= kernel[1])
      throw layer.error(`pad ${shapeText(pad)} must be smaller than the kernel size ${shapeText(kernel)}`)
  }
  const { ceil_mode: ceil, round_mode: rounding } = written
  if (ceil !== undefined && rounding !== undefined && ceil !== (rounding === 'CEIL'))
    throw layer.error(`ceil_mode: ${ceil} and round_mode: ${rounding} contradict each other: write one of them`)
  if (param.pool === 'STOCHASTIC' && (pad[0] || pad[1])) throw layer.error('pool: STOCHASTIC takes no padding')
  return { kernel, stride, pad, roundUp: param.round_mode === 'CEIL' && ceil !== false }
}

/**
 * ⌈(size + 2·pad − kernel) / stride⌉ + 1, or ⌊…⌋ + 1; with padding, a last window that starts behind size + pad is
 * dropped.
 */
export function pooledSize(
  layer: Layer,
  bottom: Blob,
  window: PoolingWindow & { readonly kernel: Pair },
): [number, number] {
  const along = (i: 0 | 1): number => {
    const size = bottom.dim(2 + i)
    const steps = (size + 2 * window.pad[i] - window.kernel[i]) / window.stride[i]
    let out = (window.roundUp ? Math.ceil(steps) : Math.floor(steps)) + 1
    if ((window.pad[0] || window.pad[1]) && (out - 1) * window.stride[i] >= size + window.pad[i]) out--
    if (out < 1 || size < 1)
      throw layer.error(
        `kernel size ${shapeText(window.kernel)} is too large for '${bottom.name}' (${shapeText(bottom.shape)})`,
      )
    return out
  }
  return [along(0), along(1)]
}

/** [h, w] from the single field or the pair of fields; undefined if none is written. */
function pair<K extends keyof PoolingParameter>(
  layer: Layer,
  param: PoolingParameter,
  both: K,
  h: K,
  w: K,
): Pair | undefined {
  const value = param[both] as number | undefined
  const height = param[h] as number | undefined
  const width = param[w] as number | undefined
  if (height === undefined && width === undefined) return value === undefined ? undefined : [value, value]
  if (value !== undefined) throw layer.error(`${both} and ${h}, ${w} say the same: write only one of the two forms`)
  if (height === undefined || width === undefined) throw layer.error(`${h} and ${w} go together: write both`)
  return [height, width]
}
