/**
 * Net surgery: a picture of any size through one convolution whose filters are designed by hand.
 *
 *   npx tsx docs/examples/net-surgery/designer_filters.ts [picture.png] [output folder]
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { NdArray } from 'ndarray'
import ops from 'ndarray-ops'
import { type Blob, Net, parseNet } from 'ristretto'
import { loadImage, Transformer } from 'ristretto/pycaffe'
import { joined, toPng } from './picture.js'

/** One convolution of three 5 × 5 filters, on a picture of any size: the 100 × 100 here is only where it starts. */
export const convolution = `
  name: "convolution"
  layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 1 dim: 100 dim: 100 } } }
  layer {
    name: "conv" type: "Convolution" bottom: "data" top: "conv"
    convolution_param {
      num_output: 3 kernel_size: 5
      weight_filler { type: "gaussian" std: 0.01 } bias_filler { type: "constant" value: 0 }
    }
  }`

/**
 * Filter 0 ← a Gaussian that adds up to 1, filters 1 and 2 ← Sobel's two edge detectors. @param weight 3 × 1 × 5 × 5
 */
export function designFilters(weight: Blob, sigma = 1): void {
  const { data } = weight
  const [, , height, width] = weight.shape
  ops.assigns(data, 0)

  const gaussian = data.pick(0, 0)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const squared = (y - (height >> 1)) ** 2 + (x - (width >> 1)) ** 2
      gaussian.set(y, x, Math.exp(-squared / (2 * sigma ** 2)))
    }
  ops.divseq(gaussian, ops.sum(gaussian))

  // the middle 3 × 3 of filter 1, and the same turned over its diagonal in filter 2
  const middle = (filter: number) =>
    data
      .pick(filter, 0)
      .lo((height >> 1) - 1, (width >> 1) - 1)
      .hi(3, 3)
  const sobel = middle(1)
  for (const [y, sign] of [
    [0, -1],
    [2, 1],
  ])
    for (const [x, value] of [1, 2, 1].entries()) sobel.set(y, x, sign * value)
  ops.assign(middle(2), sobel.transpose(1, 0))
}

/**
 * The net's input takes the shape of a picture, H × W × 1, and its values. Gives what the filters make of it: 1 × 3 ×
 * H' × W'.
 */
export async function filterPicture(net: Net, picture: NdArray<Float32Array>): Promise<NdArray<Float32Array>> {
  const [height, width, channels] = picture.shape
  const input = net.blobs['data']
  input.reshape([1, channels, height, width])
  net.reshape()
  const transformer = new Transformer({ data: input.shape })
  transformer.setTranspose('data', [2, 0, 1])
  const { conv } = await net.forward({ data: transformer.preprocess('data', picture) })
  return conv
}

async function main(
  file = 'test/golden/walkthroughs/net_surgery/picture.png',
  folder = 'examples-output/net-surgery',
): Promise<void> {
  const picture = await loadImage(file, false)
  const net = await Net.create(parseNet(convolution), { seed: 1 })
  await mkdir(folder, { recursive: true })
  const save = async (name: string, values: NdArray<Float32Array>) => {
    const maps = [0, 1, 2].map(filter => values.pick(0, filter, null, null))
    // the picture itself first, without the border that the filters do not reach
    const [height, width] = maps[0].shape
    const middle = picture
      .pick(null, null, 0)
      .lo((picture.shape[0] - height) >> 1, (picture.shape[1] - width) >> 1)
      .hi(height, width)
    await writeFile(join(folder, name), await toPng(joined([middle, ...maps]), 3))
    console.log(
      `${join(folder, name)}: means of the three maps ${maps.map(map => (ops.sum(map) / map.size).toFixed(4)).join(', ')}`,
    )
  }
  const [weight, bias] = net.params['conv']

  await save('before.png', await filterPicture(net, picture))

  // a bias of 1 for the first filter alone raises the mean of its map by 1
  ops.addseq(bias.data.pick(0), 1)
  await save('bias.png', await filterPicture(net, picture))

  ops.assigns(bias.data, 0)
  designFilters(weight)
  await save('after.png', await filterPicture(net, picture))
  net.dispose()
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(...process.argv.slice(2))
