/**
 * A small Faster R-CNN, trained end to end to find shapes on noise. From the root of the repository:
 *
 *   npx tsx docs/examples/faster-rcnn/train.ts [iterations]
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createSolver, Net, type Solver } from 'ristretto'
import { toPng } from '../net-surgery/picture.js'
import { averagePrecision, detect } from './detect.js'
import { drawn } from './draw.js'
import { CLASSES, drawScene, SIZE } from './shapes.js'

const folder = 'docs/examples/faster-rcnn'
const output = 'examples-output/faster-rcnn'

/** One picture an iteration, with as many objects as are on it. */
export async function train(solver: Solver, iterations: number, report = (_line: string) => {}): Promise<void> {
  const { net } = solver
  const { data, im_info, gt_boxes } = net.blobs
  data.reshape([1, 3, SIZE, SIZE])
  im_info.dataArray.set([SIZE, SIZE, 1])
  let loss = 0
  for (let i = 0; i < iterations; i++) {
    const scene = drawScene(1, solver.iter)
    data.dataArray.set(scene.pixels)
    gt_boxes.reshape([scene.objects.length, 5])
    gt_boxes.dataArray.set(scene.objects.flatMap(({ box, label }) => [...box, label]))
    await solver.step(1)
    const losses = ['rpn_cls_loss', 'rpn_loss_bbox', 'loss_cls', 'loss_bbox'].map(name => net.blobs[name].dataArray[0])
    loss += losses.reduce((a, b) => a + b)
    if ((i + 1) % 200 === 0) {
      report(`iteration ${solver.iter}, loss ${(loss / 200).toFixed(3)}`)
      loss = 0
    }
  }
}

/** mAP and recall on pictures that the training has not seen. */
export async function evaluate(net: Net, count: number) {
  const scenes = Array.from({ length: count }, (_, i) => drawScene(2, i))
  const found = []
  for (const scene of scenes) found.push(await detect(net, scene.pixels))
  return averagePrecision(scenes, found)
}

async function main(iterations: number): Promise<void> {
  // a picture at a time is too little work for threads to share
  const solver = await createSolver(`${folder}/solver.prototxt`, { threads: 1 })
  await train(solver, iterations, line => console.log(line))
  const net = await Net.create(`${folder}/net.prototxt`, { phase: 'TEST' })
  net.shareWith(solver.net)
  const { perClass, map, recall } = await evaluate(net, 100)
  perClass.forEach((area, c) => console.log(`average precision of ${CLASSES[c]}: ${area.toFixed(3)}`))
  console.log(`mAP ${map.toFixed(3)}, recall ${recall.toFixed(3)} at an overlap of 0.5`)

  await mkdir(output, { recursive: true })
  const scenes = [0, 1, 2, 3, 4].map(number => drawScene(3, number))
  const found = []
  for (const { pixels } of scenes) found.push(await detect(net, pixels, 0.5))
  await writeFile(join(output, 'detections.png'), await toPng(drawn(scenes, found), 2))
  await net.save(join(output, 'shapes.caffemodel'))
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main(Number(process.argv[2] ?? 2200))
