/**
 * A small SegNet that says of every pixel what it belongs to: trained, its IoU measured, its segmentations drawn. From
 * the root of the repository:
 *
 *   npx tsx docs/examples/segnet/train.ts [iterations]
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import ndarray, { type NdArray } from 'ndarray'
import { AdamSolver, Net } from 'ristretto'
import { encodePicture, resizeImage, Transformer } from 'ristretto/pycaffe'
import { type SegmentationScores, SegmentationTally } from 'ristretto/tools'
import { randomFrom } from '../ssd/shapes.js'
import { makeScene, names, SIZE, writeScenes } from './pictures.js'

const folder = 'examples-output/segnet'
const model = 'docs/examples/segnet/net.prototxt'
/** Of the classes, as they are drawn. */
const colours = [
  [0.15, 0.15, 0.15],
  [0.9, 0.3, 0.25],
  [0.25, 0.6, 0.9],
  [0.95, 0.8, 0.25],
]

/** IoU and accuracies over the batches of the net's own data layer. */
export async function evaluate(net: Net, batches: number): Promise<SegmentationScores> {
  const tally = new SegmentationTally()
  for (let i = 0; i < batches; i++) {
    const { classifier, label } = await net.forward({}, { blobs: ['classifier', 'label'] })
    tally.add(classifier, label)
  }
  return tally.scores()
}

/** The most probable class of each pixel of a picture. */
export async function segment(net: Net, picture: NdArray<Float32Array>): Promise<Uint8Array> {
  const transformer = new Transformer({ data: net.blobs.data.shape })
  transformer.setTranspose('data', [2, 0, 1])
  transformer.setChannelSwap('data', [2, 1, 0])
  transformer.setRawScale('data', 255)
  transformer.setMean('data', new Float32Array([90, 90, 90]))
  transformer.setInputScale('data', 0.0156)
  const { prob } = await net.forward({ data: transformer.preprocess('data', picture) })
  return Uint8Array.from({ length: SIZE * SIZE }, (_, i) => {
    const scores = names.map((_, label) => prob.data[label * SIZE * SIZE + i])
    return scores.indexOf(Math.max(...scores))
  })
}

/** Picture, truth and prediction side by side, a row for each scene, twice as large. */
async function drawn(net: Net, scenes: number): Promise<NdArray> {
  const random = randomFrom(3)
  const sheet = ndarray(new Float32Array(scenes * SIZE * 3 * SIZE * 3), [scenes * SIZE, 3 * SIZE, 3])
  for (let row = 0; row < scenes; row++) {
    const { picture, labels } = makeScene(random)
    const found = await segment(net, ndarray(picture, [SIZE, SIZE, 3]))
    for (let i = 0; i < SIZE * SIZE; i++)
      for (let c = 0; c < 3; c++) {
        const values = [picture[3 * i + c], colours[labels[i]][c], colours[found[i]][c]]
        values.forEach((value, column) => {
          sheet.set(row * SIZE + Math.floor(i / SIZE), column * SIZE + (i % SIZE), c, value)
        })
      }
  }
  return resizeImage(sheet, [2 * scenes * SIZE, 6 * SIZE])
}

async function main(iterations?: string): Promise<void> {
  await writeScenes(folder, 'train', 300, 1)
  await writeScenes(folder, 'test', 160, 2)
  const solver = await AdamSolver.create('docs/examples/segnet/solver.prototxt')
  await solver.step(iterations === undefined ? solver.param.max_iter : Number(iterations))
  const weights = join(folder, 'segnet.caffemodel')
  await solver.net.save(weights)
  solver.dispose()

  const test = await Net.create(model, { phase: 'TEST', weights })
  const { classes, meanIou, pixelAccuracy } = await evaluate(test, 20)
  for (const { label, iou } of classes) console.log(`${names[label].padEnd(15)}${iou.toFixed(3)}`)
  console.log(`mean IoU       ${meanIou.toFixed(3)}`)
  console.log(`pixel accuracy ${pixelAccuracy.toFixed(3)}`)
  test.dispose()

  const net = await Net.create(model, { phase: 'TEST', stages: ['deploy'], weights })
  await writeFile(join(folder, 'segments.png'), await encodePicture(await drawn(net, 4)))
  console.log(`made ${folder}/segments.png`)
  net.dispose()
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(process.argv[2])
