/**
 * A small SSD that finds shapes: trained, its mean average precision measured, its boxes drawn. From the root of the
 * repository:
 *
 *   npx tsx docs/examples/ssd/train.ts [iterations]
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import ndarray, { type NdArray } from 'ndarray'
import { AdamSolver, Net } from 'ristretto'
import { detect, drawBoxes, encodePicture, resizeImage } from 'ristretto/pycaffe'
import { type DetectionScores, DetectionTally } from 'ristretto/tools'
import { makeBatch, makePicture, names, randomFrom, SIZE } from './shapes.js'

const folder = 'examples-output/ssd'
const model = 'docs/examples/ssd/ssd.prototxt'
const BATCH = 16

/** Average precision of each class and their mean, over `batches` new batches: DetectionEvaluate's rows, gathered. */
export async function evaluate(net: Net, batches: number, random: () => number): Promise<DetectionScores> {
  const tally = new DetectionTally()
  for (let b = 0; b < batches; b++) tally.add((await net.forward(makeBatch(BATCH, random))).found.data)
  return tally.scores('Integral')
}

/** One input of batch after batch. */
function* batches(seed: number, input: 'data' | 'label') {
  const random = randomFrom(seed)
  for (;;) yield makeBatch(BATCH, random)[input]
}

/** What the net finds in one picture, drawn four times as large. */
async function drawn(net: Net, random: () => number): Promise<NdArray<Float32Array>> {
  const planes = ndarray(makePicture(random).data, [3, SIZE, SIZE])
  const large = resizeImage(planes.transpose(1, 2, 0), [4 * SIZE, 4 * SIZE])
  return drawBoxes(large, await detect(net, large, { labels: names }))
}

async function main(iterations?: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const solver = await AdamSolver.create('docs/examples/ssd/solver.prototxt')
  // from one seed, so that both inputs speak of the same pictures
  for (const input of ['data', 'label'] as const) solver.net.feed(input, batches(1, input))
  await solver.step(iterations === undefined ? solver.param.max_iter : Number(iterations))
  const weights = join(folder, 'ssd.caffemodel')
  await solver.net.save(weights)
  solver.dispose()

  const test = await Net.create(model, { phase: 'TEST', weights })
  const { classes, map } = await evaluate(test, 32, randomFrom(2))
  for (const { label, ap } of classes) console.log(`${names[label].padEnd(9)}${ap.toFixed(3)}`)
  console.log(`mAP      ${map.toFixed(3)}`)
  test.dispose()

  const net = await Net.create(model, { phase: 'TEST', stages: ['deploy'], weights })
  const some = randomFrom(3)
  const row = ndarray(new Float32Array(4 * SIZE * 12 * SIZE * 3), [4 * SIZE, 12 * SIZE, 3])
  for (let i = 0; i < 3; i++) {
    const picture = await drawn(net, some)
    for (let y = 0; y < 4 * SIZE; y++)
      for (let x = 0; x < 4 * SIZE; x++)
        for (let c = 0; c < 3; c++) row.set(y, 4 * SIZE * i + x, c, picture.get(y, x, c))
  }
  await writeFile(join(folder, 'boxes.png'), await encodePicture(row))
  console.log(`made ${folder}/boxes.png`)
  net.dispose()
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(process.argv[2])
