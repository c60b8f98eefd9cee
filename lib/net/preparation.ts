import { type ResizeMode, resizeModes } from '../data/picture_fit.js'
import type { Preparation } from '../data/preparation.js'
import { readMeanImage } from '../data/transformer.js'
import type { LayerParameter } from '../generated/caffe.js'
import type { LayerContext } from '../layer.js'
import type { Files } from '../system/files.js'
import { sourceShapes } from './deploy_shape.js'
import type { NetNode } from './node.js'

/**
 * How the data layer of a training prepared pictures for an input of C × H × W. Reads its mean file, and its source for
 * the size before a crop where nothing else says it.
 * @param reader the layer that reads the input: a Power layer that scales as the training's data layer did does it now
 */
export async function preparationOf(
  layer: LayerParameter,
  [channels, height, width]: readonly number[],
  context: LayerContext,
  reader?: NetNode,
): Promise<Preparation> {
  const { scale = 1, mean_file, mean_value = [], resize_param: [resized] = [] } = layer.transform_param ?? {}
  const mean = mean_file === undefined ? undefined : readMeanImage(await context.files.read(mean_file), mean_file)
  const { new_height = 0, new_width = 0 } = layer.image_data_param ?? {}
  const given = (h = 0, w = 0): [number, number] | undefined => (h && w ? [h, w] : undefined)
  const crops = !!layer.transform_param?.crop_size
  const resize =
    given(mean?.shape[1], mean?.shape[2]) ??
    given(new_height, new_width) ??
    given(resized?.height, resized?.width) ??
    (crops ? await recordSize(layer, context) : undefined) ??
    ([height, width] as const)
  return {
    channels,
    height,
    width,
    resize,
    fit: await fitBeside(layer, context),
    order: 'BGR',
    scale: reader && scalesBy(reader, scale) ? 1 : Math.fround(scale),
    meanValues: mean ? [] : mean_value.map(Math.fround),
    ...(mean && { mean }),
  }
}

/** Whether the net itself begins with what the data layer did at the end, as those of DIGITS. */
function scalesBy({ param }: NetNode, factor: number): boolean {
  const { power = 1, scale = 1, shift = 0 } = param.power_param ?? {}
  return factor !== 1 && power === 1 && shift === 0 && Math.abs(scale - factor) < 1e-6 * Math.abs(factor)
}

/** Height and width of what the layer reads, before its crop; undefined where it cannot be read. */
async function recordSize(layer: LayerParameter, context: LayerContext): Promise<[number, number] | undefined> {
  const { crop_size, ...transform_param } = layer.transform_param ?? {}
  const [shape] = (await sourceShapes({ ...layer, transform_param }, context).catch(() => undefined)) ?? []
  return shape?.length === 4 ? [shape[2], shape[3]] : undefined
}

/** How the pictures of a dataset got their size, as the summary.json beside its databases says. */
async function fitBeside(layer: LayerParameter, { files }: LayerContext): Promise<ResizeMode> {
  const text = await fileBeside(layer, 'summary.json', files).catch(() => undefined)
  try {
    const { resize } = JSON.parse(new TextDecoder().decode(text)) as { resize?: ResizeMode }
    return resize && resizeModes.includes(resize) ? resize : 'squash'
  } catch {
    return 'squash'
  }
}

/** A file of this name in the folder of what a data layer reads; undefined where there is none. */
export async function fileBeside(
  layer: LayerParameter | undefined,
  name: string,
  files: Files,
): Promise<Uint8Array | undefined> {
  const source = layer?.data_param?.source ?? layer?.image_data_param?.source
  if (!source) return undefined
  const path = source.replace(/[^/\\]*[/\\]*$/, name)
  const found = (await files.locate(path)) ?? ((await files.answers(path)) ? path : undefined)
  return found === undefined ? undefined : files.read(found)
}
