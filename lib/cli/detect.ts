import type { Command } from 'commander'
import { RistrettoError } from '../errors.js'
import { Net } from '../net.js'
import { drawBoxes } from '../pycaffe/boxes_picture.js'
import { type DetectedBox, detect, loadLabelMap } from '../pycaffe/detect.js'
import { encodePicture, loadImage } from '../pycaffe/io/image.js'
import {
  assumption,
  optionsOf,
  type PreprocessOptions,
  preprocessingNotices,
  preprocessingOf,
} from '../pycaffe/preprocessing.js'
import { writeFileSafely } from '../system/write_file.js'
import { isArchiveFile, loadArchive } from './archive_file.js'
import { meanOf } from './classify.js'
import { addGpuSwitch } from './gpu_flag.js'
import { mustExist } from './input_file.js'
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

interface DetectCommandOptions extends RunOptions, StateOptions {
  labels?: string
  threshold: number
  mean?: string
  rawScale?: number
  inputScale?: number
  channelSwap?: number[]
  output?: string
  json?: boolean
  trust?: boolean
}

export function addDetect(program: Command, output: Output): void {
  const command = program
    .command('detect')
    .description('Find things in a picture: boxes with labels and scores, and a picture of them.')
    .argument(
      '<model>',
      'archive of a model (.zip), or a deploy prototxt, which starts with an Input layer and ends with a DetectionOutput layer',
    )
    .argument('<weights>', '.caffemodel; left out with an archive')
    .argument('[picture]', 'PNG or JPEG file')
    .option('--labels <file>', "names of the labels: SSD's labelmap.prototxt, or one a line, the first that of label 0")
    .option('--threshold <score>', 'leave out boxes of a smaller score', number, 0.5)
    .option('--mean <mean>', 'what is taken off: one value, one a channel (104,117,123), a .binaryproto or a .npy file')
    .option('--raw-scale <factor>', 'factor before the mean is taken off; pictures are 0 … 1 (default: 255)', number)
    .option('--input-scale <factor>', 'factor after the mean is taken off (default: 1)', number)
    .option(
      '--channel-swap <order>',
      'order of the channels (default: 2,1,0, which makes R G B into B G R)',
      (text: string) => text.split(',').map(whole(0)),
    )
    .option('--output <file>', 'write the picture with the boxes drawn on it, .png or .jpg')
    .option('--json', 'print the boxes as JSON')
    .option('--trust', 'run the custom layers that the archive holds: they are programs')
  addStateOptions(command)
  addGpuSwitch(addRunOptions(command)).action(
    (model, weights, picture: string | undefined, options: DetectCommandOptions) =>
      run(model, weights, picture, options, output),
  )
  command.addHelpText(
    'after',
    `
JPEG files and unusual PNGs are read by two packages: npm install ndarray-pixels sharp.

Example:
  ristretto detect deploy.prototxt VGG_VOC0712_SSD_300x300.caffemodel cat.jpg --mean 104,117,123 --labels labelmap_voc.prototxt --output boxes.png`,
  )
}

async function run(
  model: string,
  weights: string,
  third: string | undefined,
  options: DetectCommandOptions,
  output: Output,
): Promise<void> {
  await registerLayers(options, output)
  await mustExist(model)
  await mustExist(weights)
  const archive = await isArchiveFile(model)
  const picture = archive ? weights : third
  if (picture === undefined || (archive && third !== undefined))
    throw new RistrettoError('detect takes one picture, after the weights or after an archive')
  await mustExist(picture)
  const format = options.output === undefined ? undefined : formatOf(options.output)
  const labels = options.labels === undefined ? undefined : await loadLabelMap(options.labels)
  const { engine, threads, seed, level, stage: stages, outputs, threshold, rawScale, inputScale } = options
  const net = archive
    ? await loadArchive(model, options, output)
    : await Net.create(model, { engine, threads, seed, level, stages, outputs, phase: 'TEST' })
  try {
    if (!archive) {
      const { missing } = await net.copyFrom(weights)
      warnOfMissing(missing, weights, 'the boxes are not what was learned', output)
    }
    const channels = net.blobs[net.inputs[0]]?.shape[1] ?? 1
    const trained = archive ? await net.preparation() : undefined
    const archived: PreprocessOptions | undefined = trained && optionsOf(trained)
    // without a word on the command line, what the training did
    const own = archived ?? (options.mean === undefined && inputScale === undefined ? preprocessingOf(net) : undefined)
    const used = {
      rawScale: rawScale ?? 255,
      inputScale: inputScale ?? own?.inputScale,
      mean: options.mean === undefined ? own?.mean : await meanOf(options.mean, channels),
      channelSwap: options.channelSwap ?? (channels === 3 && !trained ? [2, 1, 0] : own?.channelSwap),
    }
    if (!trained && net.blobs[net.inputs[0]]?.numAxes === 4) {
      const [layer] = net.pictures.layers
      if (own) warn(output, `as layer '${layer.name}' (${layer.type}) of the training: ${assumption(used, net)}`)
      warnOfPreprocessing(net, preprocessingNotices(net, used), used, options, output)
    }
    const image = await loadImage(picture, channels !== 1)
    const boxes = await detect(net, image, { threshold, labels: labels ?? net.labels, ...used })
    if (options.json) printJson(output, boxes)
    else for (const box of boxes) print(output, line(box))
    if (options.output !== undefined)
      await writeFileSafely(options.output, await encodePicture(drawBoxes(image, boxes), format))
  } finally {
    net.dispose()
  }
}

function formatOf(file: string): 'png' | 'jpg' {
  const [, extension] = /\.(png|jpe?g)$/i.exec(file) ?? []
  if (!extension) throw new RistrettoError(`--output ${file}: a picture is written as .png or .jpg`)
  return extension.toLowerCase() === 'png' ? 'png' : 'jpg'
}

const line = ({ name, label, score, xmin, ymin, xmax, ymax }: DetectedBox): string =>
  `${score.toFixed(4)} - "${name ?? label}" at ${[xmin, ymin, xmax, ymax].map(Math.round).join(' ')}`
