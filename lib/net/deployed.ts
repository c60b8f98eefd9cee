/** What a net that exists becomes when it is used: another net, and an archive. */

import { isArchive } from '../data/archive.js'
import { fileKind } from '../data/file_kind.js'
import type { Preparation } from '../data/preparation.js'
import { FormatError, NetError } from '../errors.js'
import type { NetParameter } from '../generated/caffe.js'
import { checkOptions } from '../system/check_options.js'
import { createFiles, type FileSource, fileName } from '../system/files.js'
import { listNames } from '../system/names.js'
import { type ArchiveExtras, type ModelArchive, modelArchive, readModelArchive } from './archive.js'
import { checkDeploying, type DeployNetOptions, labelsOf } from './deploy_net.js'
import { planDeploy } from './deploy_plan.js'
import { type CopyReport, netToBytes } from './files.js'
import { NET_RULES, type NetOptions } from './options.js'
import type { PictureInput } from './picture_input.js'
import { needsDeploy, type Predicting } from './predict.js'
import { isOnnx } from './source.js'

/** What of a Net is needed here. */
export interface Usable extends Predicting {
  description: NetParameter
  readonly pictures: PictureInput
  labels: readonly string[] | undefined
  readonly param: NetParameter
  shareWith(other: this): void
  copyFrom(source: this | FileSource): Promise<CopyReport>
  pull(): Promise<void>
  setPreparation(preparation: Preparation): void
  dispose(): void
}

/** The deploy net of one that exists, of its shapes, on its engine and with its files. */
export async function deployBuilt<N extends Usable>(
  net: N,
  options: DeployNetOptions,
  deploy: (param: NetParameter, options: DeployNetOptions) => Promise<N>,
): Promise<N> {
  checkDeploying(options)
  const { context } = net.built
  const shapes: Record<string, readonly number[]> = {}
  for (const { name } of (await planDeploy(net.description, options)).inputs) {
    const blob = net.built.blobs.find(blob => blob.name === name)
    if (blob?.numAxes) shapes[name] = blob.shape.slice(1)
  }
  const made = await deploy(net.description, {
    engine: context.engine,
    near: context.files,
    ...options,
    shapes: { ...shapes, ...options.shapes },
    ...(options.labels === undefined && net.labels && { labels: net.labels }),
  })
  // of a net that was given its pictures by a program, only it knows how they are prepared
  if (!made.pictures.layers.length) made.pictures.layers = net.pictures.layers
  const { chosen } = net.pictures
  if (chosen && !options.transform) made.setPreparation(chosen)
  return made
}

/** The same with a copy of the weights as they are. */
export async function deployCopy<N extends Usable>(
  net: N,
  options: DeployNetOptions,
  deploy: (param: NetParameter, options: DeployNetOptions) => Promise<N>,
): Promise<N> {
  const deployed = await deployBuilt(net, options, deploy)
  const { layers } = deployed.pictures
  await deployed.copyFrom(net)
  if (layers.length) deployed.pictures.layers = layers
  return deployed
}

/** What goes into an archive beside what the net knows. */
export interface ArchiveOptions extends ArchiveExtras {
  /** Names of the classes, or a file of them; default: those that the net knows. */
  labels?: readonly string[] | FileSource
  /** How pictures become the input; default: what the net knows. */
  preparation?: Preparation
}

/** The archive of a net: of its deploy net, if it is none itself. */
export async function archiveOf<N extends Usable>(
  net: N,
  options: ArchiveOptions,
  deploy: (param: NetParameter, options: DeployNetOptions) => Promise<N>,
): Promise<Uint8Array> {
  const used = needsDeploy(net.built) ? await deployCopy(net, {}, deploy) : net
  try {
    const { labels, preparation = used.inputs.length ? await used.preparation() : undefined, ...extras } = options
    await used.pull()
    return await modelArchive({
      ...extras,
      name: used.built.name,
      deploy: used.param,
      weights: await netToBytes(used.built, {}),
      labels: labels === undefined ? used.labels : await labelsOf(labels, used.built.context.files),
      preparation,
    })
  } finally {
    if (used !== net) used.dispose()
  }
}

/** The net in an archive, with its weights, classes and preparation. */
export async function loadArchive<N extends Usable>(
  source: FileSource,
  options: NetOptions,
  create: (param: NetParameter, options: NetOptions) => Promise<N>,
): Promise<N> {
  checkOptions('load', options, NET_RULES)
  const name = fileName(source)
  const files = options.near ?? createFiles(options)
  const bytes = await files.read(source)
  if (!isArchive(bytes)) throw noArchive(bytes, name)
  const model = await readModelArchive(bytes, name, options.maxFile)
  return netOf(model, name, options, create)
}

/** What makes a net of a file that is no archive. */
function noArchive(bytes: Uint8Array, file: string): FormatError {
  const { kind, text } = fileKind(bytes) ?? { kind: 'other', text: 'something else' }
  const help =
    kind === 'model' || kind === 'hdf5'
      ? `: weights come with their net, Net.create('deploy.prototxt', { weights: '${file}' })`
      : kind === 'prototxt' || isOnnx(bytes, file)
        ? `: Net.create makes a net of it, and takes its weights as an option`
        : ''
  return new FormatError(`${file}: Net.load takes an archive, a .zip or .tar.gz, and this is ${text}${help}`)
}

/** The net of an archive that was read. */
export async function netOf<N extends Usable>(
  model: ModelArchive,
  name: string,
  options: NetOptions,
  create: (param: NetParameter, options: NetOptions) => Promise<N>,
): Promise<N> {
  const { weights: _, ...rest } = options
  const net = await create(model.deploy, { ...rest, phase: 'TEST' }).catch(error => {
    const layers = Object.keys(model.layers ?? {})
    if (layers.length && error instanceof NetError)
      error.message += `; ${name} holds the sources of custom layers (${listNames(layers)}), which are programs: look at them, and register their classes before`
    throw error
  })
  try {
    const { missing } = await net.copyFrom(model.weights)
    if (missing.length)
      throw new NetError(`${name}: its weights lack those of ${listNames(missing)}, so it is no trained model`)
    net.labels = model.labels
    net.pictures.layers = []
    if (model.preparation) net.setPreparation(model.preparation)
    return net
  } catch (error) {
    net.dispose()
    throw error
  }
}
