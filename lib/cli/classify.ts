import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { NdArray } from 'ndarray'
import { readLabels } from '../data/labels.js'
import { type Preparation, preparationText } from '../data/preparation.js'
import { RistrettoError } from '../errors.js'
import { isDeployed } from '../net/deploy_plan.js'
import { mainOutput } from '../net/main_output.js'
import { Net } from '../net.js'
import { bestClasses, Classifier, type ClassifierOptions, type Prediction } from '../pycaffe/classifier.js'
import { loadImage } from '../pycaffe/io/image.js'
import { writeNpy } from '../pycaffe/io/npy.js'
import { loadMean } from '../pycaffe/io/protos.js'
import { optionsOf, type Preprocessing } from '../pycaffe/preprocessing.js'
import { ndarrayOf, type Values } from '../system/ndarrays.js'
import { writeFileSafely } from '../system/write_file.js'
import { isArchiveFile, loadArchive } from './archive_file.js'
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
import { type Output, print, printJson, warn } from './output.js'
import { warnOfMissing, warnOfPreprocessing } from './preprocessing_warnings.js'
import { ProgressBar } from './progress.js'

interface ClassifyOptions extends RunOptions, StateOptions {
  labels?: string
  top: number
  mean?: string
  rawScale?: number
  inputScale?: number
  channelSwap?: number[]
  imagesDim?: number[]
  oversample?: boolean
  output?: string
  json?: boolean
  trust?: boolean
}

export function addClassify(program: Command, output: Output): void {
  const command = program
    .command('classify')
    .description('Classify pictures: the most probable classes of each.')
    .argument(
      '<model>',
      'archive of a model (.zip, or .tar.gz of DIGITS), which needs nothing else; or a prototxt: its first output is taken as the probabilities of the classes',
    )
    .argument('[weights]', '.caffemodel; left out with an archive')
    .argument('[pictures...]', 'PNG or JPEG files, or folders of them')
    .option('--labels <file>', 'names of the classes, one a line (default: those of the archive, or beside the data)')
    .option('--top <n>', 'how many classes to show', whole(1), 5)
    .option('--mean <mean>', 'what is taken off: one value, one a channel (104,117,123), a .binaryproto or a .npy file')
    .option('--raw-scale <factor>', 'factor before the mean is taken off; pictures are 0 … 1 (default: 255)', number)
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
    .option('--trust', 'run the custom layers that the archive holds: they are programs')
  addStateOptions(command)
  addGpuSwitch(addRunOptions(command)).action((model, weights, pictures, options: ClassifyOptions) =>
    classify(model, weights, pictures, options, output),
  )
  command.addHelpText(
    'after',
    `
What is done with pictures is what the data layer of the training did, as archive, prototxt or model say it; flags set it
otherwise. JPEGs and some PNGs are read by two packages: npm install ndarray-pixels sharp.

Examples:
  ristretto classify model.zip cat.jpg dog.jpg --json
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
  predictions: Prediction[]
}

async function classify(
  model: string,
  weights: string | undefined,
  pictures: string[],
  options: ClassifyOptions,
  output: Output,
): Promise<void> {
  await registerLayers(options, output)
  await mustExist(model)
  const archive = await isArchiveFile(model)
  if (!archive) mustBeNet(model, weights)
  if (archive && weights !== undefined) pictures.unshift(weights)
  if (!pictures.length)
    throw new RistrettoError(
      `which pictures? Files or folders follow ${archive ? `the archive: ristretto classify ${model} picture.png` : 'the weights'}`,
    )
  const files = (await Promise.all(pictures.map(pictureFiles))).flat()
  const given = options.labels === undefined ? undefined : readLabels(await readText(options.labels), options.labels)
  const net = archive ? await loadArchive(model, options, output) : await loadFiles(model, weights!, options, output)
  const json = options.json ?? false
  const bar =
    output.out.isTTY && !json && files.length > 1 ? new ProgressBar(output, 'Classifying', files.length, []) : undefined
  const results: Result[] = []
  const all: Float32Array[] = []
  try {
    const labels = given ?? net.labels
    const { perPass, rows } = await classifierOf(net, files.length, options, output)
    for (let i = 0; i < files.length; i += perPass) {
      const now = files.slice(i, i + perPass)
      for (const [k, probabilities] of (await rows(now)).entries()) {
        const classes = probabilities.length
        if (labels && labels.length !== classes)
          throw new RistrettoError(
            `${options.labels ?? 'the model'} has ${labels.length} labels, output '${mainOutput(net)}' has ${classes} classes`,
          )
        const result = { file: now[k], predictions: bestClasses(probabilities, options.top, labels) }
        results.push(result)
        if (options.output !== undefined) all.push(probabilities)
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
  if (options.output !== undefined) await writeFileSafely(options.output, writeNpy(stacked(all)))
  if (json) printJson(output, results)
}

/** What is no archive is a prototxt, and its weights follow. */
function mustBeNet(model: string, weights: string | undefined): void {
  if (PICTURE.test(model))
    throw new RistrettoError(
      `${model} is a picture: the model comes first, as in ristretto classify ${weights ?? 'model.zip'} ${model}`,
    )
  if (/\.onnx$/i.test(model))
    throw new RistrettoError(
      `${model} is an ONNX model: ristretto convert ${model} deploy.prototxt net.caffemodel makes a net of it, which classify takes`,
    )
  if (/\.caffemodel(\.h5)?$/i.test(model))
    throw new RistrettoError(`${model} has weights: the prototxt of their net comes first, then they, then pictures`)
  if (weights === undefined)
    throw new RistrettoError(
      `which weights? ${model} is no archive: its .caffemodel follows it, and pictures follow that`,
    )
  if (PICTURE.test(weights))
    throw new RistrettoError(
      `${weights} is a picture: ${model} is no archive, so its .caffemodel comes before pictures`,
    )
}

/** The net of a prototxt and its weights as it is used: a net for training becomes its deploy net. */
export async function loadFiles(
  model: string,
  weights: string,
  options: RunOptions & StateOptions,
  output: Output,
): Promise<Net> {
  await mustExist(weights)
  const { engine, threads, seed, level, stage: stages, outputs } = options
  const how = { engine, threads, seed, level, stages, outputs, phase: 'TEST' as const }
  const description = await Net.read(model)
  // a net for training is used through its deploy net
  const trains = stages === undefined && !(await isDeployed(description))
  const net = trains ? await Net.deploy(model, { ...how, weights }) : await Net.create(model, how)
  try {
    const known = net.pictures.layers
    const { missing } = await net.copyFrom(weights)
    if (trains && known.length) net.pictures.layers = known
    warnOfMissing(missing, weights, 'the classes are not what was learned', output)
    return net
  } catch (error) {
    net.dispose()
    throw error
  }
}

/** How many pictures fit into a pass, and what gives their rows of probabilities. */
async function classifierOf(net: Net, pictures: number, options: ClassifyOptions, output: Output) {
  const { rawScale, inputScale, mean, channelSwap, imagesDim, oversample } = options
  const trained = await trainedPreparation(net, mean !== undefined)
  const flags = [rawScale, inputScale, mean, channelSwap, imagesDim, oversample].some(flag => flag !== undefined)
  if (trained && !flags) {
    warn(output, `Pictures are ${preparationText(trained)}`)
    return { perPass: 32, rows: (files: readonly string[]) => net.predict(files) }
  }
  const input = net.inputs[0]
  const blob = net.blobs[input]
  if (imagesDim && imagesDim.length > 2)
    throw new RistrettoError(`--images-dim takes a height and a width, not ${imagesDim.join(',')}`)
  const [batch = 1, channels = 1] = blob?.shape ?? []
  const crops = oversample ? 10 : 1
  // deploy nets are written for ten pictures: fewer need not pay for them
  const needed = Math.min(batch, pictures * crops)
  if (blob && needed < batch) blob.reshape([needed, ...blob.shape.slice(1)])
  const assumed: Preprocessing = trained
    ? optionsOf(trained)
    : { rawScale: 255, ...(channels === 3 && { channelSwap: [2, 1, 0] }) }
  const used: Preprocessing & ClassifierOptions = {
    ...assumed,
    ...(mean !== undefined && { mean: await meanOf(mean, channels) }),
    ...(rawScale !== undefined && { rawScale }),
    ...(inputScale !== undefined && { inputScale }),
    ...(channelSwap !== undefined && { channelSwap }),
    ...(imagesDim && { imageDims: [imagesDim[0], imagesDim[1] ?? imagesDim[0]] as const }),
  } as Preprocessing & ClassifierOptions
  const classifier = await Classifier.create(net, used)
  warnOfPreprocessing(net, classifier.notices, used, options, output)
  const rows = async (files: readonly string[]): Promise<Float32Array[]> => {
    const images = await Promise.all(files.map(file => picture(file, channels !== 1)))
    const { data, shape } = await classifier.predict(images, oversample ?? false)
    const classes = data.length / shape[0]
    return files.map((_, k) => data.slice(k * classes, (k + 1) * classes))
  }
  return { perPass: Math.max(1, Math.floor(needed / crops)), rows }
}

/** What the training did with pictures; its mean file is not asked for where a flag gives the mean. */
async function trainedPreparation(net: Net, hasMean: boolean): Promise<Preparation | undefined> {
  if (net.blobs[net.inputs[0]]?.numAxes !== 4) return undefined
  try {
    return await net.preparation()
  } catch (error) {
    const [layer] = net.pictures.layers
    const { mean_file, ...transform_param } = layer?.transform_param ?? {}
    if (mean_file === undefined || !(error instanceof RistrettoError)) throw error
    if (!hasMean)
      throw new RistrettoError(
        `layer '${layer.name}' (${layer.type}) of the training took off the mean in ${mean_file}, which cannot be read: --mean names it where it is now, or gives values (${error.message})`,
        { cause: error },
      )
    net.pictures.layers = [{ ...layer, transform_param }]
    return net.preparation()
  }
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

const PICTURE = /\.(png|jpe?g)$/i

async function pictureFiles(path: string): Promise<string[]> {
  await mustExist(path)
  if (!(await isFolder(path))) return [path]
  const names = (await readdir(path)).filter(name => PICTURE.test(name)).sort()
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

/** As Caffe's classification example prints it. */
const resultLines = ({ file, predictions }: Result): string[] => [
  `---------- Prediction for ${file} ----------`,
  ...predictions.map(({ label, probability }) => `${probability.toFixed(4)} - "${label}"`),
]

function stacked(rows: readonly Float32Array[]): NdArray {
  const values = new Float32Array(rows.reduce((sum, row) => sum + row.length, 0))
  rows.forEach((row, i) => {
    values.set(row, i * row.length)
  })
  return ndarrayOf(values, [rows.length, rows[0].length])
}
