import { type Command, Option } from 'commander'
import { RistrettoError } from '../errors.js'
import type { ApVersion } from '../generated/caffe.js'
import type { Net } from '../net.js'
import { loadLabelMap } from '../pycaffe/detect.js'
import { DetectionTally } from '../solver/average_precision.js'
import { g6 } from '../system/format.js'
import { addEvaluationOptions, type EvaluationOptions, testItems, wantsEvaluation } from './evaluation.js'
import { addGpuFlag } from './gpu_flag.js'
import { whole } from './options.js'
import { type Output, print, printJson, printLog } from './output.js'
import { ProgressBar } from './progress.js'
import { addBatchOptions, type BatchOptions, openNet } from './run_net.js'
import { type SegmentationOptions, testSegmentation } from './test_segmentation.js'

export function addTest(program: Command, output: Output): void {
  const command = program
    .command('test')
    .usage('--model <file> --weights <files> [options]')
    .description("Score a trained net: the mean of every output over the batches of the net's own data layer.")
  addBatchOptions(command, {
    phase: 'TEST',
    needsWeights: true,
    iterations: 'how many batches; options about items and classes look at all the data once without it',
    json: 'print the scores as one JSON object',
  })
  command
    .addOption(
      new Option(
        '--map [version]',
        'mean average precision of detections: 2007 (11point), 2012 (MaxIntegral) or Integral; without a value 2007 and 2012',
      ).choices(Object.keys(versions)),
    )
    .option('--iou <scores,labels>', 'how well a segmentation agrees: two blobs, N×C×H×W and a label for each pixel')
    .option('--ignore-label <n>', 'label that does not count for --iou; may be repeated', labelsUpTo, [])
    .option('--label-map <file>', 'labelmap.prototxt with the names of the classes, for --map and --iou')
  addGpuFlag(addEvaluationOptions(command), output).action((options: AllOptions) => {
    if (options.map !== undefined && options.iou !== undefined)
      command.error('error: --map is for detections, --iou for segmentations: give one of them')
    if (options.map !== undefined) return testDetection({ ...options, map: options.map }, output)
    if (options.iou !== undefined) return testSegmentation({ ...options, iou: options.iou }, output)
    if (!wantsEvaluation(options)) return test(options, output)
    const given = command.getOptionValueSource('iterations') !== 'default'
    return testItems(options, given ? options.iterations : undefined, output)
  })
  command.addHelpText(
    'after',
    `
Example:
  ristretto test --model lenet_train_test.prototxt --weights lenet_iter_10000.caffemodel --iterations 100
  ristretto test --model lenet_train_test.prototxt --weights lenet_iter_10000.caffemodel --confusion --per-class --hardest 20
  ristretto test --model ssd_test.prototxt --weights ssd.caffemodel --iterations 619 --map --label-map labelmap_voc.prototxt
  ristretto test --model segnet_train_test.prototxt --weights segnet.caffemodel --iterations 25 --iou classifier,label`,
  )
}

const labelsUpTo = (text: string, before: readonly number[]): number[] => [...before, whole(0)(text)]

/** Names of `--map`, and how each averages. */
const versions: Record<string, ApVersion> = {
  2007: '11point',
  2012: 'MaxIntegral',
  '11point': '11point',
  MaxIntegral: 'MaxIntegral',
  Integral: 'Integral',
}

type AllOptions = EvaluationOptions & Omit<SegmentationOptions, 'iou'> & { map?: string | true; iou?: string }

interface DetectionOptions extends BatchOptions {
  map?: string | true
  labelMap?: string
}

/** Mean average precision of the net's DetectionEvaluate, over all batches together. */
async function testDetection(options: DetectionOptions, output: Output): Promise<void> {
  const { model, weights = [], iterations, json, labelMap } = options
  const names = labelMap === undefined ? undefined : await loadLabelMap(labelMap)
  const wanted = typeof options.map === 'string' ? [options.map] : ['2007', '2012']
  const net = await openNet(model, weights, options, output, () => {})
  const bar = output.out.isTTY && !json ? new ProgressBar(output, 'Testing', iterations, []) : undefined
  try {
    const rows = net.outputs.filter(name => net.blobs[name].shape.length === 4 && net.blobs[name].shape[3] === 5)
    if (rows.length !== 1)
      throw new RistrettoError(
        `--map takes a net with one output of DetectionEvaluate, 1×1×rows×5; this one has ${rows.length} (outputs: ${net.outputs.join(', ')})`,
      )
    const tally = new DetectionTally()
    for (let i = 0; i < iterations; i++) {
      await net.exclusive(() => net.runner.forward())
      const blob = net.blobs[rows[0]]
      await blob.memory.data.pull()
      tally.add(blob.dataArray)
      bar?.update(i + 1)
    }
    bar?.stop()
    const scores = wanted.map(name => ({ name: versions[name], ...tally.scores(versions[name]) }))
    if (json) {
      printJson(output, {
        iterations,
        output: rows[0],
        scores: scores.map(({ name, ...rest }) => ({ version: name, ...rest })),
      })
      return
    }
    const line = (...cells: string[]) =>
      print(
        output,
        cells
          .map((cell, i) => (i ? cell.padStart(12) : cell.padEnd(20)))
          .join('')
          .trimEnd(),
      )
    line('class', 'truths', 'detections', ...scores.map(({ name }) => name))
    scores[0].classes.forEach(({ label, truths, detections }, k) =>
      line(
        names?.get(label) ?? String(label),
        String(truths),
        String(detections),
        ...scores.map(({ classes }) => g6(classes[k].ap)),
      ),
    )
    line('mean', '', '', ...scores.map(({ map }) => g6(map)))
  } finally {
    bar?.stop()
    net.dispose()
  }
}

/** One value of one output of the net. */
interface Score {
  name: string
  value: number
  lossWeight: number
}

async function test(options: BatchOptions, output: Output): Promise<void> {
  // on a terminal plain words, as train has them
  const isTerminal = output.out.isTTY ?? false
  const log = options.json
    ? () => {}
    : (line: string, tag?: string) => (isTerminal ? print(output, line) : printLog(output, line, tag))
  const { model, weights = [], iterations } = options
  const net = await openNet(model, weights, options, output, log)
  log(`Engine ${net.engine.name} (${net.engine.detail})`)
  const bar = isTerminal && !options.json ? new ProgressBar(output, 'Testing', iterations, []) : undefined
  const say = (line: string) => (bar ? bar.log(line) : log(line))
  try {
    if (!net.outputs.length)
      throw net.layers[net.layers.length - 1].error('the net has no output in this phase: nothing to average')
    say(`Running for ${iterations} iterations.`)
    const sums: Score[] = []
    let loss = 0
    for (let i = 0; i < iterations; i++) {
      await net.exclusive(() => net.runner.forward())
      loss += await net.loss()
      const scores = await outputScores(net)
      scores.forEach((score, k) => {
        if (!bar) log(`Batch ${i}, ${score.name} = ${g6(score.value)}`)
        if (i) sums[k].value += score.value
        else sums[k] = { ...score }
      })
      bar?.update(i + 1)
    }
    bar?.stop()
    const means = sums.map(sum => ({ ...sum, value: sum.value / iterations }))
    loss /= iterations
    if (options.json) printJson(output, { iterations, loss, outputs: means })
    else {
      log(`Loss: ${g6(loss)}`)
      for (const { name, value, lossWeight } of means)
        log(`${name} = ${g6(value)}${lossWeight ? ` (* ${g6(lossWeight)} = ${g6(lossWeight * value)} loss)` : ''}`)
    }
  } finally {
    bar?.stop()
    net.dispose()
  }
}

async function outputScores(net: Net): Promise<Score[]> {
  const weights = new Map(
    net.built.nodes.flatMap(node => node.top.map((blob, i) => [blob.name, node.lossWeights[i]] as const)),
  )
  const scores: Score[] = []
  for (const name of net.outputs) {
    const blob = net.blobs[name]
    await blob.memory.data.pull()
    for (const value of blob.dataArray) scores.push({ name, value, lossWeight: weights.get(name) ?? 0 })
  }
  return scores
}
