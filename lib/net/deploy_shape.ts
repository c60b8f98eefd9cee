import { Blob } from '../blob.js'
import type { LayerParameter, TransformationParameter } from '../generated/caffe.js'
import type { LayerContext } from '../layer.js'
import { createLayer, fetchClasses, fetchKernelsOf } from '../registry.js'

/** Channels, height and width, each as far as something says it. */
export interface PartialItem {
  readonly channels?: number
  readonly height?: number
  readonly width?: number
}

/** What a layer's text says of the items of its first top: `transform_param` (or another one in its place) and sizes. */
export function declaredSizes(layer: LayerParameter | undefined, transform = layer?.transform_param): PartialItem {
  const messages = Object.entries(layer ?? {}).flatMap(([name, value]) =>
    name.endsWith('_param') && typeof value === 'object' ? [value as Record<string, unknown>] : [],
  )
  const said = (...names: string[]): number | undefined =>
    [transform as Record<string, unknown> | undefined, ...messages]
      .flatMap(message => names.map(name => message?.[name]))
      .find((n): n is number => typeof n === 'number' && n > 0)
  const { resize_param: [resize] = [] } = transform ?? {}
  const crop = said('crop_size')
  return {
    channels: declaredChannels(layer, transform) ?? said('channels'),
    height: crop ?? said('crop_h', 'crop_height', 'new_height') ?? (resize?.height || undefined) ?? said('height'),
    width: crop ?? said('crop_w', 'crop_width', 'new_width') ?? (resize?.width || undefined) ?? said('width'),
  }
}

function declaredChannels(
  layer: LayerParameter | undefined,
  transform: TransformationParameter | undefined,
): number | undefined {
  if (transform?.force_gray) return 1
  if (transform?.force_color || transform?.mean_value?.length === 3) return 3
  const pictures = layer?.image_data_param ?? layer?.dense_image_data_param
  if (pictures) return pictures.is_color === false ? 1 : 3
  return layer?.window_data_param ? 3 : undefined
}

/** The shape of an item of top `index`, if the layer's text alone says it. */
export function declaredItem(
  layer: LayerParameter | undefined,
  index: number,
  transform?: TransformationParameter,
): readonly number[] | undefined {
  const shapes = layer?.input_param?.shape
  const dims = shapes?.[shapes.length === 1 ? 0 : index]?.dim
  if (dims?.length) return dims.slice(1)
  if (index > 0) return undefined
  const { channels, height, width } = declaredSizes(layer, transform ?? layer?.transform_param)
  return channels && height && width ? [channels, height, width] : undefined
}

/** Shapes of the tops of a data layer, found by opening what it reads. */
export async function sourceShapes(param: LayerParameter, context: LayerContext): Promise<number[][]> {
  await fetchClasses([param])
  await fetchKernelsOf([param], context.engine)
  const layer = createLayer({ ...param }, { ...context, phase: 'TEST' })
  const tops = (param.top ?? []).map(name => new Blob([], context.engine.heap, name))
  try {
    await layer.setup([], tops)
    layer.reshape([], tops)
    return tops.map(({ shape }) => [...shape])
  } finally {
    layer.dispose()
    for (const top of tops) top.dispose()
  }
}
