import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { NdArray } from 'ndarray'
import { RistrettoError } from '../errors.js'
import { Net } from '../net.js'
import { Classifier } from '../pycaffe/classifier.js'
import { loadImage } from '../pycaffe/io/image.js'
import { writeNpy } from '../pycaffe/io/npy.js'
import { loadMean } from '../pycaffe/io/protos.js'
import { ndarrayOf, type Values } from '../system/ndarrays.js'
import { writeFileSafely } from '../system/write_file.js'
import { addGpuSwitch } from './gpu_flag.js'
import { isFolder, mustExist, readText } from './input_file.js'
import {
  addRunOptions,
  addStateOptions,
  number,
  type RunOptions,
  registerLayers,
  type StateOptions,
  whole,
} from './options.js'
import { type Output, print, printJson } from './output.js'
import { warnOfMissing, warnOfPreprocessing } from './preprocessing_warnings.js'
import { ProgressBar } from './progress.js'

interface ClassifyOptions extends RunOptions, StateOptions {
  labels?: string
  top: number
  mean?: string
  rawScale: number
  inputScale?: number
  channelSwap?: number[]
  imagesDim?: number[]
  oversample?: boolean
  output?: string
  json?: boolean
}

export function addClassify(program: Command, output: Output): void {
  const command = program
    .command('classify')
    .description('Classify pictures: the most probable classes of each.')
    .argument(
      '<model>',
      "deploy prototxt, which starts with an Input layer; its first output is taken as the classes' probabilities",
    )
    .argument('<weights>', '.caffemodel')
    .argument('<pictures...>', 'PNG or JPEG files, or folders of them')
    .option('--labels <file>', 'names of the classes, one a line')
    .option('--top <n>', 'how many classes to show', whole(1), 5)
    .option('--mean <mean>', 'what is taken off: one value, one a channel (104,117,123), a .binaryproto or a .npy file')
    .option('--raw-scale <factor>', 'factor before the mean is taken off; pictures are 0 … 1', number, 255)
    .option('--input-scale <factor>', 'factor after the mean is taken off (default: 1)', number)
    .option('--channel-swap <order>', 'order of the channels (default: 2,1,0, which makes R G B into B G R)', wholes(0))
    .option(
      '--images-dim <height,width>',
      'size that pictures are brought to before the crop (default: that of the input)',
      wholes(1),
    )
    .option('--oversample', 'average over the corners, the middle and their mirror images instead of the middle alone')
    .option('--output <file>', 'write all probabilities to a .npy file, pictures × classes')
    .option('--json', 'print the result as JSON')
  addStateOptions(command)
  addGpuSwitch(addRunOptions(command)).action((model, weights, pictures, options: ClassifyOptions) =>
    classify(model, weights, pictures, options, output),
  )
  command.addHelpText(
    'after',
    `
Pictures are read by two packages: npm install ndarray-pixels sharp.

Examples:
  ristretto classify deploy.prototxt bvlc_reference_caffenet.caffemodel cat.jpg --mean 104,117,123 --labels synset_words.txt
  ristretto classify deploy.prototxt net.caffemodel photos/ --mean ilsvrc_12_mean.npy --images-dim 256,256 --oversample --json
  ristretto classify lenet.prototxt lenet.caffemodel digit.png --input-scale 0.00390625`,
  )
}

const wholes =
  (least: number) =>
  (text: string): number[] =>
    text.split(',').map(whole(least))

/** One picture's classes, the most probable first. */
interface Result {
  file: string
  predictions: { index: number; label?: string; probability: number }[]
}

async function classify(
  model: string,
  weights: string,
  pictures: string[],
  options: ClassifyOptions,
  output: Output,
): Promise<void> {
  await registerLayers(options, output)
  const files = (await Promise.all(pictures.map(pictureFiles))).flat()
  await mustExist(weights)
  const labels = options.labels === undefined ? undefined : (await readText(options.labels)).trimEnd().split(/\r?\n/)
  const { engine, threads, seed, level, stage: stages, outputs } = options
  const net = await Net.create(model, { engine, threads, seed, level, stages, outputs, phase: 'TEST' })
  const json = options.json ?? false
  const bar =
    output.out.isTTY && !json && files.length > 1 ? new ProgressBar(output, 'Classifying', files.length, []) : undefined
  const results: Result[] = []
  const rows: Float32Array[] = []
  try {
    const { missing } = await net.copyFrom(weights)
    warnOfMissing(missing, weights, 'the classes are not what was learned', output)
    const { classifier, color, perPass, used } = await classifierOf(net, files.length, options)
    warnOfPreprocessing(net, classifier.notices, used, options, output)
    for (let i = 0; i < files.length; i += perPass) {
      const now = files.slice(i, i + perPass)
      const images = await Promise.all(now.map(file => picture(file, color)))
      const { data, shape } = await classifier.predict(images, options.oversample ?? false)
      const classes = data.length / shape[0]
      if (labels && labels.length !== classes)
        throw new RistrettoError(
          `${options.labels} has ${labels.length} labels, output '${net.outputs[0]}' has ${classes} classes`,
        )
      for (const [k, file] of now.entries()) {
        const probabilities = data.slice(k * classes, (k + 1) * classes)
        const result = { file, predictions: best(probabilities, options.top, labels) }
        results.push(result)
        if (options.output !== undefined) rows.push(probabilities)
        if (json) continue
        if (bar) bar.log(...resultLines(result))
        else for (const line of resultLines(result)) print(output, line)
      }
      bar?.update(Math.min(i + perPass, files.length))
    }
  } finally {
    bar?.stop()
    net.dispose()
  }
  if (options.output !== undefined) await writeFileSafely(options.output, writeNpy(stacked(rows)))
  if (json) printJson(output, results)
}

/** The classifier, whether the net sees colours, and how many pictures fit into a pass. */
async function classifierOf(net: Net, pictures: number, options: ClassifyOptions) {
  const input = net.inputs[0]
  const blob = net.blobs[input]
  const { mean, rawScale, inputScale, imagesDim, oversample } = options
  if (imagesDim && imagesDim.length > 2)
    throw new RistrettoError(`--images-dim takes a height and a width, not ${imagesDim.join(',')}`)
  const [batch = 1, channels = 1] = blob?.shape ?? []
  const channelSwap = options.channelSwap ?? (channels === 3 ? [2, 1, 0] : undefined)
  const crops = oversample ? 10 : 1
  // deploy nets are written for ten pictures: fewer need not pay for them
  const needed = Math.min(batch, pictures * crops)
  if (blob && needed < batch) blob.reshape([needed, ...blob.shape.slice(1)])
  const used = {
    mean: mean === undefined ? undefined : await meanOf(mean, channels),
    rawScale,
    inputScale,
    channelSwap,
    imageDims: imagesDim && ([imagesDim[0], imagesDim[1] ?? imagesDim[0]] as const),
  }
  const classifier = await Classifier.create(net, used)
  return { classifier, used, color: channels !== 1, perPass: Math.max(1, Math.floor(needed / crops)) }
}

/** A mean of `--mean`: values, or the file that has them. */
export async function meanOf(text: string, channels: number): Promise<Values> {
  if (!/^[-+.\deE,\s]+$/.test(text)) {
    await mustExist(text)
    return loadMean(text)
  }
  const values = text.split(',').map(number)
  return values.length === 1 ? Array<number>(channels).fill(values[0]) : values
}

async function pictureFiles(path: string): Promise<string[]> {
  await mustExist(path)
  if (!(await isFolder(path))) return [path]
  const names = (await readdir(path)).filter(name => /\.(png|jpe?g)$/i.test(name)).sort()
  if (!names.length) throw new RistrettoError(`folder '${path}' holds no .png or .jpg`)
  return names.map(name => join(path, name))
}

async function picture(file: string, color: boolean): Promise<NdArray> {
  try {
    return await loadImage(file, color)
  } catch (error) {
    throw new RistrettoError(`${file}: ${(error as Error).message}`, { cause: error })
  }
}

function best(
  probabilities: Float32Array,
  count: number,
  labels: readonly string[] | undefined,
): Result['predictions'] {
  const order = Uint32Array.from(probabilities.keys()).sort((a, b) => probabilities[b] - probabilities[a] || a - b)
  return [...order.subarray(0, count)].map(index => ({
    index,
    ...(labels && { label: labels[index] }),
    probability: probabilities[index],
  }))
}

/** As Caffe's classification example prints it. */
const resultLines = ({ file, predictions }: Result): string[] => [
  `---------- Prediction for ${file} ----------`,
  ...predictions.map(({ index, label, probability }) => `${probability.toFixed(4)} - "${label ?? index}"`),
]

function stacked(rows: readonly Float32Array[]): NdArray {
  const values = new Float32Array(rows.reduce((sum, row) => sum + row.length, 0))
  rows.forEach((row, i) => {
    values.set(row, i * row.length)
  })
  return ndarrayOf(values, [rows.length, rows[0].length])
}
