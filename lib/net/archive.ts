/** A model with everything that its use needs, in one file. */
import { MOST_UNPACKED, readArchive, writeZip } from '../data/archive.js'
import { readLabels } from '../data/labels.js'
import { type ResizeMode, resizeModes } from '../data/picture_fit.js'
import { type Preparation, readPreparation } from '../data/preparation.js'
import { type MeanImage, readMeanImage } from '../data/transformer.js'
import { FormatError, RistrettoError } from '../errors.js'
import type { NetParameter, TransformationParameter } from '../generated/caffe.js'
import { toBlobProto } from '../proto/blob_proto.js'
import { printNet } from '../proto/print.js'
import { parseNet } from '../proto/text.js'
import { upgradeNet } from '../proto/upgrade.js'
import { writeMessage } from '../proto/wire.js'
import { listNames } from '../system/names.js'
import { pictureLayers } from './picture_layers.js'

/** What an archive has beside the net: texts as they stand in files, sources of custom layers by file name. */
export interface ArchiveExtras {
  /** The solver's prototxt. */
  readonly solver?: string
  /** The prototxt of the training. */
  readonly trainVal?: string
  /** Sources of custom layers, by file name. */
  readonly layers?: Readonly<Record<string, string>>
}

/** What is written into an archive. */
export interface ModelParts extends ArchiveExtras {
  readonly name: string
  readonly deploy: NetParameter
  /** A .caffemodel. */
  readonly weights: Uint8Array
  readonly labels?: readonly string[]
  readonly preparation?: Preparation
}

/** What an archive holds. */
export interface ModelArchive extends ModelParts {
  /** info.json as it is. */
  readonly info: Readonly<Record<string, unknown>>
}

const FORM = 'ristretto model'

/** The names that DIGITS gave the files of its archives, which stand in info.json as there. */
const NAMES = {
  deploy: 'deploy.prototxt',
  weights: 'model.caffemodel',
  labels: 'labels.txt',
  mean: 'mean.binaryproto',
  solver: 'solver.prototxt',
  trainVal: 'train_val.prototxt',
  info: 'info.json',
  layers: 'layers/',
} as const

/** A zip of a model: info.json, deploy.prototxt, model.caffemodel and what else is known. */
export const modelArchive = async (parts: ModelParts): Promise<Uint8Array> => writeZip(await modelFiles(parts))

/** The files of an archive, by name. */
export async function modelFiles(parts: ModelParts): Promise<Map<string, Uint8Array>> {
  const { deploy, weights, labels, preparation, solver, trainVal, layers = {} } = parts
  const { mean, ...preprocessing } = preparation ?? {}
  const broken = labels?.findIndex(label => /[\r\n]/.test(label)) ?? -1
  if (broken >= 0)
    throw new FormatError(
      `the name of class ${broken} has a line break: ${NAMES.labels} has one name a line, so the classes after it would have others' names`,
    )
  const files = new Map<string, Uint8Array>()
  const put = (name: string, content: string | Uint8Array | undefined) => {
    if (content === undefined) return
    files.set(name, typeof content === 'string' ? new TextEncoder().encode(content) : content)
  }
  const code: { file: string; sha256: string }[] = []
  const sources = new Map<string, string>()
  for (const [name, source] of Object.entries(layers)) {
    const file = `${NAMES.layers}${name.split(/[\\/]/).pop()}`
    if (/\/\.{0,2}$/.test(file)) throw new RistrettoError(`'${name}' is no name of a file with a custom layer`)
    if (sources.has(file))
      throw new RistrettoError(`two files of custom layers would both be '${file}' in the archive: rename one`)
    sources.set(file, source)
    code.push({ file, sha256: await sha256(source) })
  }
  const info = {
    format: FORM,
    version: 1,
    name: parts.name,
    framework: 'ristretto',
    'deploy file': NAMES.deploy,
    'snapshot file': NAMES.weights,
    ...(labels && { 'labels file': NAMES.labels }),
    ...(mean && { 'mean file': NAMES.mean }),
    ...(solver !== undefined && { 'solver file': NAMES.solver }),
    ...(trainVal !== undefined && { 'train_val file': NAMES.trainVal }),
    ...(preparation && {
      'image dimensions': [...preparation.resize, preparation.channels],
      'image resize mode': preparation.fit.replace('-', '_'),
      preprocessing,
    }),
    layers: code,
  }
  put(NAMES.info, `${JSON.stringify(info, undefined, 2)}\n`)
  put(NAMES.deploy, printNet(deploy))
  put(NAMES.labels, labels && `${labels.join('\n')}\n`)
  put(NAMES.mean, mean && writeMessage('BlobProto', toBlobProto([1, ...mean.shape], mean.data)))
  put(NAMES.solver, solver)
  put(NAMES.trainVal, trainVal)
  for (const [file, source] of sources) put(file, source)
  put(NAMES.weights, weights)
  return files
}

/** SHA-256 of a text, in hexadecimal digits. */
export async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return [...new Uint8Array(digest)].map(byte => byte.toString(16).padStart(2, '0')).join('')
}

/**
 * What is in an archive of `net.save` or `ristretto archive`, or in one that DIGITS made of a Caffe model (.tar.gz, .zip).
 * Nothing in it is run. A FormatError where something that is needed is missing or damaged.
 */
export async function readModelArchive(bytes: Uint8Array, file: string, most = MOST_UNPACKED): Promise<ModelArchive> {
  return readModelFiles(await readArchive(bytes, file, most), file)
}

/** The same of an archive's files, by their names; `file` is what errors call it. */
export function readModelFiles(files: ReadonlyMap<string, Uint8Array>, file: string): ModelArchive {
  const info = infoOf(files, file)
  const own = info['format'] === FORM
  if (own && info['version'] !== 1)
    throw new FormatError(`${file}: it is of version ${String(info['version'])}; this library reads version 1`)
  const { framework } = info
  if (!own && framework !== undefined && framework !== 'caffe')
    throw new FormatError(`${file}: its model is of ${String(framework)}; those of Caffe can be read`)
  const named = (key: string, otherwise?: (name: string) => boolean): string | undefined => {
    const name = info[key]
    if (typeof name === 'string' && files.has(name)) return name
    return otherwise && [...files.keys()].find(otherwise)
  }
  const textOf = (name: string | undefined) =>
    name === undefined ? undefined : new TextDecoder().decode(files.get(name))
  const need = (what: string, name: string | undefined): string => {
    if (name !== undefined) return name
    throw new FormatError(`${file}: it holds no ${what}; its files are ${listNames([...files.keys()])}`)
  }
  const deployName = need(
    NAMES.deploy,
    named('deploy file', name => name === NAMES.deploy),
  )
  const weightsName = need(
    '.caffemodel',
    named('snapshot file', name => /\.caffemodel(\.h5)?$/.test(name)),
  )
  const labelsName = named('labels file', name => name === NAMES.labels)
  const meanName = named('mean file', name => name.endsWith('.binaryproto'))
  const mean = meanName === undefined ? undefined : readMeanImage(files.get(meanName)!, `${file}: ${meanName}`)
  const deploy = upgradeNet(parseNet(textOf(deployName)!, { file: `${file}: ${deployName}` }))
  const trainVal = textOf(named('train_val file', name => name === NAMES.trainVal))
  const preparation = own
    ? ownPreparation(info['preprocessing'], mean, `${file}: ${NAMES.info}`)
    : digitsPreparation(deploy, info, mean, trainVal, file)
  const layers = Object.fromEntries(
    [...files.keys()]
      .filter(name => name.startsWith(NAMES.layers))
      .map(name => [name.slice(NAMES.layers.length), textOf(name)!]),
  )
  const solver = textOf(named('solver file', name => name === NAMES.solver))
  return {
    name: typeof info['name'] === 'string' ? info['name'] : (deploy.name ?? ''),
    info,
    deploy,
    weights: files.get(weightsName)!,
    ...(labelsName !== undefined && { labels: readLabels(textOf(labelsName)!, `${file}: ${labelsName}`) }),
    ...(preparation && { preparation }),
    ...(solver !== undefined && { solver }),
    ...(trainVal !== undefined && { trainVal }),
    layers,
  }
}

const ownPreparation = (said: unknown, mean: MeanImage | undefined, file: string): Preparation | undefined =>
  said === undefined ? undefined : { ...readPreparation(said, file), ...(mean && { mean }) }

function infoOf(files: ReadonlyMap<string, Uint8Array>, file: string): Record<string, unknown> {
  const bytes = files.get(NAMES.info)
  if (!bytes) return {}
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(bytes))
  } catch (error) {
    throw new FormatError(`${file}: its ${NAMES.info} is no JSON: ${(error as Error).message}`, { cause: error })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new FormatError(`${file}: its ${NAMES.info} holds no object`)
  return value as Record<string, unknown>
}

/**
 * What DIGITS does with a picture of a test: it brings it to the size of the dataset and takes off a mean, of each channel
 * unless its training took off a picture. What its data layers scale, its deploy nets scale themselves.
 */
function digitsPreparation(
  deploy: NetParameter,
  info: Readonly<Record<string, unknown>>,
  mean: MeanImage | undefined,
  trainVal: string | undefined,
  file: string,
): Preparation | undefined {
  const input = deploy.layer?.find(({ input_param }) => input_param)?.input_param?.shape?.[0]?.dim
  if (input?.length !== 4) return undefined
  const [, channels, height, width] = input
  const dims = info['image dimensions']
  const isSize = (n: unknown): n is number => Number.isInteger(n) && (n as number) > 0
  const resize: readonly [number, number] =
    Array.isArray(dims) && isSize(dims[0]) && isSize(dims[1])
      ? [dims[0], dims[1]]
      : mean
        ? [mean.shape[1], mean.shape[2]]
        : [height, width]
  const mode = String(info['image resize mode'] ?? 'squash').replace('_', '-') as ResizeMode
  const trained = trainVal === undefined ? undefined : transformOf(trainVal, file)
  return {
    channels,
    height,
    width,
    resize,
    fit: resizeModes.includes(mode) ? mode : 'squash',
    order: 'BGR',
    scale: 1,
    ...meanOf(info['mean subtraction'], trained, mean, trainVal !== undefined),
  }
}

const transformOf = (text: string, file: string): TransformationParameter | undefined =>
  pictureLayers(upgradeNet(parseNet(text, { file: `${file}: ${NAMES.trainVal}` })).layer)[0]?.transform_param

function meanOf(
  said: unknown,
  trained: TransformationParameter | undefined,
  mean: MeanImage | undefined,
  known: boolean,
): Pick<Preparation, 'meanValues' | 'mean'> {
  if (trained?.mean_value?.length) return { meanValues: trained.mean_value }
  if (said === 'none' || said === false || !mean) return { meanValues: [] }
  if (said === 'image' || trained?.mean_file !== undefined) return { meanValues: [], mean }
  // a training whose net is there and takes nothing off
  if (known && said === undefined) return { meanValues: [] }
  const [channels, height, width] = mean.shape
  const size = height * width
  return {
    meanValues: Array.from(
      { length: channels },
      (_, c) => mean.data.subarray(c * size, (c + 1) * size).reduce((sum, value) => sum + value, 0) / size,
    ),
  }
}
