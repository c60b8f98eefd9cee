import { RistrettoError } from '../errors.js'
import { loadLabelMap } from '../pycaffe/detect.js'
import { g6 } from '../system/format.js'
import { evaluate } from '../tools/evaluate.js'
import { segmentationScores } from '../tools/segmentation_scores.js'
import { type Output, print, printJson } from './output.js'
import { ProgressBar } from './progress.js'
import { type BatchOptions, openNet } from './run_net.js'

export interface SegmentationOptions extends BatchOptions {
  iou: string
  ignoreLabel: number[]
  labelMap?: string
}

/** `test --iou`: IoU and accuracy of each class, over all batches together. */
export async function testSegmentation(options: SegmentationOptions, output: Output): Promise<void> {
  const { model, weights = [], iterations, json, labelMap, ignoreLabel } = options
  const pair = options.iou.split(',')
  if (pair.length !== 2) throw new RistrettoError(`--iou ${options.iou}: give two blobs, scores,labels`)
  const names = labelMap === undefined ? undefined : await loadLabelMap(labelMap)
  const [scores, labels] = pair
  const net = await openNet(model, weights, options, output, () => {})
  const bar = output.out.isTTY && !json ? new ProgressBar(output, 'Testing', iterations, []) : undefined
  let batches = 0
  try {
    const { confusion } = await evaluate(net, iterations, {
      ...{ scores, labels, ignored: ignoreLabel, hardest: 0 },
      onBatch: () => bar?.update(++batches),
    })
    bar?.stop()
    const { classes, pixelAccuracy, meanAccuracy, meanIou } = segmentationScores(confusion)
    if (json) return printJson(output, { iterations, pixelAccuracy, meanAccuracy, meanIou, classes })
    const line = (name: string, ...cells: string[]) =>
      print(output, [name.padEnd(20), ...cells.map(cell => cell.padStart(12))].join('').trimEnd())
    line('class', 'pixels', 'accuracy', 'IoU')
    for (const { label, places, accuracy, iou } of classes)
      line(names?.get(label) ?? String(label), String(places), g6(accuracy), g6(iou))
    line('mean', '', g6(meanAccuracy), g6(meanIou))
    line('pixel accuracy', '', g6(pixelAccuracy))
  } finally {
    bar?.stop()
    net.dispose()
  }
}
