/** A digit, and beside it the gradient of its score to every pixel: npx tsx docs/examples/saliency/saliency.ts */
import { mkdir, writeFile } from 'node:fs/promises'
import { Net } from 'ristretto'
import { encodeLayerPicture, layerPicture } from 'ristretto/tools'

const net = await Net.load('models/digits/digits.zip', { forceBackward: true }) // down to the input

/** A four of three bars, 28 × 28 values, 0 … 1. */
const isInk = (x: number, y: number) =>
  (y > 5 && y < 15 && x > 7 && x < 11) || (y > 5 && y < 23 && x > 16 && x < 20) || (y > 12 && y < 16 && x > 7 && x < 20)
const pixels = Float32Array.from({ length: 784 }, (_, i) => (isInk(i % 28, Math.floor(i / 28)) ? 1 : 0))

const { prob } = await net.forward({ data: pixels })
const digit = prob.data.indexOf(Math.max(...prob.data))
const score = Float32Array.from({ length: 10 }, (_, i) => (i === digit ? 1 : 0)) // of this class alone
const { data: gradient } = await net.backward({ digit: score }, { start: 'digit' })

const both = { data: [...pixels, ...gradient.data.map(Math.abs)], shape: [1, 2, 28, 28] }
const picture = layerPicture(both, { eachPlane: true })
await mkdir('examples-output/saliency', { recursive: true })
await writeFile('examples-output/saliency/saliency.png', await encodeLayerPicture(picture))
console.log(`${net.labels?.[digit]}, ${prob.data[digit].toFixed(2)}: made examples-output/saliency/saliency.png`)
