import type { Blob } from '../blob.js'
import { NetError } from '../errors.js'
import type { ConvolutionParameter, LayerParameter, NetParameter } from '../generated/caffe.js'
import { InnerProductLayer } from '../layers/inner_product.js'
import type { NetNode } from '../net/node.js'
import { NET_RULES, type NetOptions } from '../net/options.js'
import { Net } from '../net.js'
import { mustBeNet } from '../system/arguments.js'
import { aText, checkOptions, names } from '../system/check_options.js'
import { listNames } from '../system/names.js'

/** Which layers `castToConvolution` takes, and the options of the net that it makes. */
export interface CastOptions extends NetOptions {
  /** The InnerProduct layers to cast; default: all. */
  layers?: readonly string[]
  /** What is added to the names of the layers and of their tops; default '-conv'. */
  suffix?: string
}

/**
 * The net with its InnerProduct layers as convolutions, so that it runs on inputs of any size and gives a map of what
 * it gave for one picture: weights out × (C·H·W) become out × C × H × W, with a kernel of H × W, the size that the
 * layer saw.
 *
 *     const full = await castToConvolution(net)
 *     full.blobs['data'].reshape([1, 3, 451, 451])
 *     const { prob } = await full.forward({ data: picture })            // 1 × classes × 8 × 8
 *     await full.save('full_conv.caffemodel')                           // the two files of the new net:
 *     await writeFile('full_conv.prototxt', printNet(full.filtered))
 *
 * The new net has its own copy of the weights; phase, level, stages, engine and seed are those of `net` unless the
 * options say otherwise.
 */
export async function castToConvolution(net: Net, given: CastOptions = {}): Promise<Net> {
  mustBeNet(net, 'castToConvolution')
  checkOptions('castToConvolution', given, { ...NET_RULES, layers: names, suffix: aText })
  const { layers, suffix = '-conv', ...options } = given
  const cast = chosen(net, layers)
  const full = await Net.create(castParam(net, cast, suffix), {
    phase: net.phase,
    level: net.built.state.level,
    stages: net.built.state.stages,
    engine: net.engine.name,
    seed: net.seed,
    near: net.built.context.files,
    log: net.built.context.log,
    ...options,
  })
  await net.pull()
  for (const node of cast) {
    transplant(node, full.params[node.name + suffix])
    full.built.context.log(`Casting layer ${node.name} to convolution ${node.name}${suffix}`)
  }
  // every other layer, by name; an optimized net folds what it has then
  if (net.layerNames.some(name => full.params[name])) await full.copyFrom(net)
  return full
}

/** The InnerProduct layers of these names, or all. */
function chosen(net: Net, names: readonly string[] | undefined): NetNode[] {
  const all = net.built.nodes.filter(node => node.layer instanceof InnerProductLayer)
  for (const name of names ?? [])
    if (!all.some(node => node.name === name))
      throw new NetError(
        `net '${net.name}' has no InnerProduct layer '${name}' to cast; it has ${listNames(
          all.map(node => node.name),
          'none',
        )}`,
      )
  return names ? all.filter(node => names.includes(node.name)) : all
}

/** The description with the layers replaced and their tops renamed wherever they are used. */
function castParam(net: Net, cast: readonly NetNode[], suffix: string): NetParameter {
  const nodes = new Map(cast.map(node => [node.name, node]))
  const renamed = new Map<string, string>()
  /** Tops that have spatial axes in the new net, where they had none. */
  const spatial = new Set<string>()
  const rename = (blobs: string[] | undefined) => blobs?.map(blob => renamed.get(blob) ?? blob)
  const layer = (net.param.layer ?? []).map((param): LayerParameter => {
    const node = nodes.get(param.name ?? '')
    const [bottom = ''] = param.bottom ?? []
    if (!node) {
      const sameShape = (top: string) => net.blobs[top]?.shape.join() === net.blobs[bottom]?.shape.join()
      if (spatial.has(bottom)) for (const top of param.top ?? []) if (sameShape(top)) spatial.add(top)
      return {
        ...param,
        ...(param.bottom && { bottom: rename(param.bottom) }),
        ...(param.top && { top: rename(param.top) }),
      }
    }
    const convolution = asConvolution(node, spatial.has(bottom))
    const [top] = param.top!
    const { inner_product_param: _, ...rest } = param
    const bottoms = rename(param.bottom)
    renamed.set(top, top + suffix)
    spatial.add(top)
    return {
      ...rest,
      name: param.name + suffix,
      type: 'Convolution',
      bottom: bottoms,
      top: [top + suffix],
      convolution_param: convolution,
    }
  })
  return { ...net.param, layer }
}

function asConvolution({ layer, bottom: [bottom] }: NetNode, castBefore: boolean): ConvolutionParameter {
  const { num_output, bias_term, weight_filler, bias_filler, axis = 1 } = layer.param.inner_product_param ?? {}
  if (bottom.canonicalAxis(axis) !== 1)
    throw layer.error(`cannot be cast to a convolution: it works from axis ${axis} on, a convolution from axis 1 on`)
  const size = bottom.shape.slice(2)
  if (!size.length && !castBefore)
    throw layer.error(
      `cannot be cast to a convolution: '${bottom.name}' (${bottom.shape.join('×')}) has no height and width`,
    )
  const kernel = size.every(length => length === size[0]) ? [size[0] ?? 1] : size
  return {
    num_output,
    ...(bias_term !== undefined && { bias_term }),
    kernel_size: kernel,
    ...(weight_filler && { weight_filler }),
    ...(bias_filler && { bias_filler }),
  }
}

/** Values of an inner product (out × in, or in × out with `transpose`) into a convolution, out × in. */
function transplant({ layer }: NetNode, into: readonly Blob[]): void {
  layer.blobs.forEach((blob, i) => {
    const { data } = into[i].memory
    const from = blob.memory.data.values
    data.claim()
    data.write(to => {
      if (i > 0 || !layer.param.inner_product_param?.transpose) {
        to.set(from)
        return
      }
      const [inputs, outputs] = blob.shape
      for (let k = 0; k < inputs; k++) for (let n = 0; n < outputs; n++) to[n * inputs + k] = from[k * outputs + n]
    })
  })
}
