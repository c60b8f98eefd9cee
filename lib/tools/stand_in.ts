import type { LayerParameter, NetParameter, TransformationParameter } from '../generated/caffe.js'
import { unknownFieldsOf } from '../proto/kept.js'
import { keepPlace } from '../proto/places.js'
import { classOfType } from '../registry.js'

/** An input in the place of data that is somewhere else. */
export interface StandIn {
  /** The layer that it stands for; left out for a blob that nothing makes. */
  readonly layer?: string
  readonly type?: string
  readonly top: string
  readonly shape: readonly number[]
}

/** Sizes of pictures that are tried where nothing says one: channels, height, width. */
export const guesses: readonly (readonly [number, number, number])[] = [
  [3, 224, 224],
  [1, 28, 28],
  [3, 32, 32],
  [3, 300, 300],
  [3, 227, 227],
  [2, 28, 28],
  // CamVid's: SegNet's unpooling names sizes that no other picture has
  [3, 360, 480],
]

/** A batch larger than this says no more about a net. */
const MOST_ITEMS = 2
const MOST_SEGMENTS = 32

/** The net with inputs in place of its data layers, and for blobs that nothing makes; and what they stand for. */
export function withStandIns(
  net: NetParameter,
  guess: readonly [number, number, number],
  shapes: Readonly<Record<string, readonly number[]>> = {},
): { net: NetParameter; standIns: StandIn[] } {
  const standIns: StandIn[] = []
  const made = new Set<string>()
  const readersOf = (top: string): Reader[] =>
    (net.layer ?? [])
      .filter(({ bottom }) => bottom?.includes(top))
      .map(layer => ({
        layer,
        map: /^(YoloSeg|Segm)/.test(layer.type ?? '') ? mapOf(net, layer.bottom![0]) : undefined,
      }))
  const layers = (net.layer ?? []).flatMap(layer => {
    const unmade = (layer.bottom ?? []).filter(name => !made.has(name))
    const inputs = unmade.map(top => {
      const shape = shapes[top] ?? shapeOf(top, 0, 1, guess, undefined, readersOf(top))
      standIns.push({ top, shape })
      return inputOf({ name: top, top: [top] }, [shape])
    })
    for (const top of [...(layer.top ?? []), ...unmade]) made.add(top)
    if (!isData(layer)) return [...inputs, layer]
    const size = pictureSize(layer, guess)
    const tops = layer.top ?? []
    const offsets = offsetsOf(net, tops)
    const all = tops.map(
      (top, i) => shapes[top] ?? shapeOf(top, i, size.items, size.picture, layer, readersOf(top), offsets),
    )
    tops.forEach((top, i) => {
      standIns.push({ layer: layer.name ?? '', type: layer.type ?? '', top, shape: all[i] })
    })
    return [inputOf(layer, all)]
  })
  return { net: { ...net, layer: layers }, standIns }
}

const inputOf = (layer: LayerParameter, shapes: readonly (readonly number[])[]): LayerParameter => {
  const { name, top, include, exclude, phase } = layer
  const input_param = { shape: shapes.map(dim => ({ dim: [...dim] })) }
  return keepPlace(layer, { name, top, include, exclude, phase, type: 'Input', input_param })
}

/** What reads a top, and the map that it is to be compared with. */
interface Reader {
  readonly layer: LayerParameter
  readonly map?: { readonly channels: number; readonly shrunk: number }
}

/** Channels of a blob, and by how much it is smaller than the picture, by the convolutions and poolings before it. */
function mapOf(net: NetParameter, blob: string): { channels: number; shrunk: number } {
  let [channels, shrunk, wanted] = [0, 1, blob]
  for (const layer of [...(net.layer ?? [])].reverse()) {
    if (!layer.top?.includes(wanted) || !layer.bottom?.length) continue
    const { type = '', convolution_param: convolution, pooling_param: pooling, upsample_param: upsample } = layer
    const stride = Number(convolution?.stride?.[0] ?? convolution?.stride_h ?? pooling?.stride ?? 1)
    channels ||=
      layer.psroi_pooling_param?.output_dim ?? convolution?.num_output ?? layer.inner_product_param?.num_output ?? 0
    shrunk *= type === 'Deconvolution' ? 1 / stride : type === 'Upsample' ? 1 / (upsample?.scale ?? 1) : stride
    wanted = layer.bottom[0]
  }
  return { channels, shrunk }
}

/** Values of a region that a loss holds against one of these tops: R-FCN's are not of each class. */
function offsetsOf(net: NetParameter, tops: readonly string[]): number | undefined {
  const loss = net.layer?.find(({ type = '', bottom }) => /^SmoothL1/.test(type) && bottom?.some(b => tops.includes(b)))
  return loss && mapOf(net, loss.bottom![0]).channels
}

/** What reads data: it has no bottoms, and is no input, no filled blob and no param. */
export function isData(layer: LayerParameter): boolean {
  if (layer.bottom?.length || !layer.top?.length) return false
  const known = classOfType(layer.type ?? '')
  return known?.atDeploy !== 'stays' && known?.isInput !== true
}

/** What a data layer says of its pictures. */
function pictureSize(
  layer: LayerParameter,
  guess: readonly [number, number, number],
): { items: number; picture: readonly [number, number, number] } {
  const { transform_param: transform = {}, memory_data_param: memory } = layer
  const messages = Object.entries(layer).flatMap(([name, value]) =>
    name.endsWith('_param') && typeof value === 'object' ? [value as Record<string, unknown>] : [],
  )
  const said = (...names: string[]): number | undefined =>
    messages
      .flatMap(message => names.map(name => message[name]))
      .find((n): n is number => typeof n === 'number' && n > 0)
  const crop = said('crop_size')
  const [height, width] = resized(transform)
  const grey = transform.force_gray || layer.image_data_param?.is_color === false
  const channels = memory?.channels ?? (transform.mean_value?.length === 3 ? 3 : grey ? 1 : guess[0])
  return {
    items: Math.min(said('batch_size') ?? 1, MOST_ITEMS),
    picture: [
      channels,
      crop ?? said('crop_h', 'crop_height', 'new_height', 'height') ?? height ?? guess[1],
      crop ?? said('crop_w', 'crop_width', 'new_width', 'width') ?? width ?? guess[2],
    ],
  }
}

function resized({ resize_param: [resize] = [] }: TransformationParameter): (number | undefined)[] {
  return [resize?.height || undefined, resize?.width || undefined]
}

/** The shape of a top, by its name and place: the first is the pictures, the others say something of each. */
function shapeOf(
  top: string,
  place: number,
  items: number,
  [channels, height, width]: readonly [number, number, number],
  layer?: LayerParameter,
  readers: readonly Reader[] = [],
  offsets?: number,
): readonly number[] {
  const isPython = layer?.type === 'Python'
  const says = place > 0 || /label|target/.test(top)
  const isReadBy = (pattern: RegExp, bottoms?: number): boolean =>
    says &&
    readers.some(
      ({ layer: { type = '', bottom } }) => pattern.test(type) && (bottoms ?? bottom?.length) === bottom?.length,
    )
  const map = readers.find(reader => reader.map)?.map
  if (map && says) return [items, map.channels || 1, Math.ceil(height / map.shrunk), Math.ceil(width / map.shrunk)]
  if (isReadBy(/^(Region|Yolo)/)) return [items, 1, BOXES, 5]
  if (isReadBy(/^(MultiBox|DetectionEvaluate|EvalDetection)/)) return [1, 1, BOXES, 8]
  // as many labels as are said, padded
  if (isReadBy(/ctc|^Labelseq/i, 2)) return [items, BOXES]
  if (/im_?info/.test(top)) return [1, 3]
  if (/gt_?boxes/.test(top)) return [BOXES, 5]
  if (/rois/.test(top)) return [BOXES, 5]
  // Fast R-CNN's sampled regions
  if (layer?.top?.includes('rois')) {
    const classes = Number(/num_classes['"]?\s*:\s*(\d+)/.exec(layer.python_param?.param_str ?? '')?.[1] ?? 21)
    if (/bbox|weights/.test(top)) return [BOXES, offsets || 4 * classes]
    if (/label/.test(top)) return isReadBy(/OHEM$/) ? [BOXES, 1, 1, 1] : [BOXES]
  }
  if (/^(clip|cont)/.test(top)) return [1, items]
  if (says) {
    if (layer?.type === 'AnnotatedData') return [1, 1, BOXES, 8]
    const isDense = layer?.image_data_param?.label_type === 'PIXEL' || /Dense|Seg|Labelmap/.test(layer?.type ?? '')
    if (isDense && place === 2) return [items, 1, 1, 2]
    const divisor = layer?.dense_image_data_param?.label_divide_factor ?? 1
    if (isDense || isPython) return [isPython ? 1 : items, 1, Math.floor(height / divisor), Math.floor(width / divisor)]
    return [items]
  }
  const pictures = isPython ? 1 : items * segmentsOf(layer)
  return reshapedTo(readers, pictures) ?? [pictures, channels, height, width]
}

/** Pictures that a source of videos takes of each (num_segments of the temporal segment networks' fork). */
function segmentsOf(layer: LayerParameter | undefined): number {
  const messages = Object.values(layer ?? {}).filter(value => typeof value === 'object' && value !== null)
  const fields = messages.flatMap(message => unknownFieldsOf(message))
  const text = fields.find(({ name }) => name === 'num_segments')?.text
  return Math.min(Number(/\d+/.exec(text ?? '')?.[0] ?? 1), MOST_SEGMENTS) || 1
}

/** The size that a Reshape gives to pictures: a source of videos puts several of them beside each other. */
function reshapedTo(readers: readonly Reader[], items: number): number[] | undefined {
  for (const {
    layer: { reshape_param: { shape } = {} },
  } of readers) {
    const [batch = 0, ...picture] = shape?.dim ?? []
    if (batch === -1 && picture.length === 3 && picture.every(size => size > 0)) return [items, ...picture]
  }
  return undefined
}

const BOXES = 4

/** Values that each kind of input may have: pictures are noise, labels the first class, boxes lie in the picture. */
export function valuesFor({ top, shape }: StandIn, random: () => number): Float32Array {
  const count = shape.reduce((product, size) => product * size, 1)
  const values = new Float32Array(count)
  if (/im_?info/.test(top)) values.set([224, 224, 1])
  else if (shape.length === 4 && shape[3] === 8) for (let i = 0; i < count; i += 8) values.set([0, 1, 0, ...BOX, 0], i)
  else if (shape.length === 4 && shape[3] === 5)
    for (let i = 0; i < count; i += 5) values.set([0, 0.5, 0.5, 0.3, 0.3], i)
  else if (/gt_?boxes/.test(top)) for (let i = 0; i < count; i += 5) values.set([16, 16, 100, 100, 1], i)
  else if (/rois/.test(top)) for (let i = 0; i < count; i += 5) values.set([0, 16, 16, 100, 100], i)
  else if (!/label|target|cont/.test(top) && shape.length !== 1)
    for (let i = 0; i < count; i++) values[i] = random() - 0.5
  return values
}

const BOX = [0.2, 0.2, 0.7, 0.8]

/**
 * Drawing the weights of a large net takes seconds, and nobody looks at them where only shapes are wanted. What a layer is
 * told by its fillers stays: BN is one of two by their names.
 */
export function withoutFillers(net: NetParameter): NetParameter {
  const strip = (layer: LayerParameter): LayerParameter =>
    keepPlace(
      layer,
      Object.fromEntries(
        Object.entries(layer).map(([key, value]) => {
          const isParam = key.endsWith('_param') && typeof value === 'object' && !Array.isArray(value)
          return [key, isParam ? withoutOwn(value as Record<string, unknown>) : value]
        }),
      ),
    )
  return { ...net, layer: net.layer?.map(strip) }
}

const withoutOwn = (message: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(message).map(([field, value]) => {
      const isDrawn = /^(.*_)?filler$/.test(field) && field !== 'data_filler'
      return [field, isDrawn ? {} : value]
    }),
  )
