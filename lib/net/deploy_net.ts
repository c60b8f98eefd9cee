/** Deploy nets that are made and loaded: Net.deploy and solver.deploy. */
import { readLabels } from '../data/labels.js'
import { createEngine } from '../engines/index.js'
import { NetError, throwAll } from '../errors.js'
import type { LayerParameter, NetParameter } from '../generated/caffe.js'
import type { LayerContext } from '../layer.js'
import { anything, checkOptions, type OptionRules, only } from '../system/check_options.js'
import { createFiles, type FileSource, type Files } from '../system/files.js'
import { DEPLOY_RULES, type DeployOptions } from './deploy_options.js'
import { type DeployedInput, type DeployPlan, deployed, planDeploy } from './deploy_plan.js'
import { declaredItem, declaredSizes, type PartialItem, sourceShapes } from './deploy_shape.js'
import { readModel } from './files.js'
import { type NetOptions, RUN_RULES, type RunOptions } from './options.js'
import type { PictureInput } from './picture_input.js'
import { pictureLayers } from './picture_layers.js'
import { fileBeside } from './preparation.js'
import { readNet } from './source.js'
import type { Weights } from './weights.js'

/** How a deploy net is made and run. */
export interface DeployNetOptions extends RunOptions, DeployOptions {
  /** Names of the classes, or a file with one a line. Default: `labels.txt` beside the data that the net was trained on. */
  labels?: readonly string[] | FileSource
}

const RULES: OptionRules<DeployNetOptions> = { ...RUN_RULES, ...DEPLOY_RULES, labels: anything }

/** Throws a RistrettoError for what is no option of `deploy`. */
export const checkDeploying = (options: DeployNetOptions): void => checkOptions('deploy', options, RULES)

/** What of a Net is set here. */
interface Deployed {
  readonly pictures: PictureInput
  labels: readonly string[] | undefined
}

/** Make the net with which a description is used; sizes that its text does not say come from its data or the weights. */
export async function deployFrom<N extends Deployed>(
  source: FileSource | NetParameter,
  options: DeployNetOptions,
  create: (param: NetParameter, options: NetOptions) => Promise<N>,
): Promise<N> {
  checkDeploying(options)
  const { param, errors, files, weights } = await readNet(source, options.near ?? createFiles(options))
  throwAll(errors)
  const plan = await planDeploy(param, options)
  const context: LayerContext = { phase: 'TEST', engine: await createEngine('js'), seed: 0, files, log: () => {} }
  const items: Record<string, readonly number[]> = { ...options.shapes }
  for (const input of plan.inputs) items[input.name] ??= await itemOf(input, plan, options, context)
  const net = await create(withWeights(deployed(plan, items, options.batch), weights), {
    ...only<RunOptions>(options, RUN_RULES),
    near: files,
    phase: 'TEST',
  })
  await adopt(net, plan, options, files)
  return net
}

/** A description with the weights that came with the one that it is made of. */
function withWeights(net: NetParameter, weights: NetParameter | undefined): NetParameter {
  if (!weights) return net
  const blobs = new Map(weights.layer?.map(layer => [layer.name, layer.blobs]))
  return {
    ...net,
    layer: net.layer?.map(layer => ({ ...layer, ...(blobs.has(layer.name) && { blobs: blobs.get(layer.name) }) })),
  }
}

/** Tell a deploy net what its training knows of pictures and classes. */
export async function adopt(
  net: Deployed,
  plan: DeployPlan,
  { labels, transform }: DeployNetOptions,
  files: Files,
): Promise<void> {
  const layer = plan.inputs[0]?.prepares
  const own = layer && pictureLayers([transform ? { ...layer, transform_param: transform } : layer])
  if (own?.length) net.pictures.layers = own
  net.labels = labels === undefined ? await labelsBeside(layer, files) : await labelsOf(labels, files)
}

export async function labelsOf(labels: readonly string[] | FileSource, files: Files): Promise<readonly string[]> {
  if (Array.isArray(labels)) return labels
  return readLabels(await files.text(labels as FileSource), String(labels))
}

/** The labels.txt that datasets have beside their databases and lists. */
export async function labelsBeside(
  layer: LayerParameter | undefined,
  files: Files,
): Promise<readonly string[] | undefined> {
  const bytes = await fileBeside(layer, 'labels.txt', files)
  return bytes && readLabels(new TextDecoder().decode(bytes), 'labels.txt')
}

async function itemOf(
  { name, layer, index }: DeployedInput,
  plan: DeployPlan,
  options: DeployNetOptions,
  context: LayerContext,
): Promise<readonly number[]> {
  const declared = declaredItem(layer, index, options.transform)
  if (declared) return declared
  let why = 'no data layer says what it is'
  if (layer) {
    const { top, transform_param } = layer
    const opened = { ...layer, transform_param: options.transform ?? transform_param }
    try {
      const shape = (await sourceShapes(opened, context))[top?.includes(name) ? index : 0]
      if (shape?.length) return shape.slice(1)
    } catch (error) {
      why = (error as Error).message
    }
  }
  const { height, width, channels } = await otherSizes(name, layer, plan, options, context)
  if (channels && height && width) return [channels, height, width]
  throw new NetError(
    `input '${name}': the size of its items is not known (${why}); give their shape without the batch, shapes: { ${name}: [3, 224, 224] }`,
  )
}

/** What the mean file and the weights say, where the data is not at hand. */
async function otherSizes(
  name: string,
  layer: LayerParameter | undefined,
  plan: DeployPlan,
  options: DeployNetOptions,
  { files }: LayerContext,
): Promise<PartialItem> {
  const declared = declaredSizes(layer, options.transform ?? layer?.transform_param)
  const mean_file = (options.transform ?? layer?.transform_param)?.mean_file
  let mean: readonly number[] = []
  if (mean_file !== undefined)
    try {
      const { readMeanImage } = await import('../data/transformer.js')
      mean = readMeanImage(await files.read(mean_file), mean_file).shape
    } catch {
      // the weights may know
    }
  const [weights] = [options.weights ?? []].flat() as FileSource[]
  const channels =
    declared.channels ??
    mean[0] ??
    (weights === undefined ? undefined : channelsBy((await readModel(weights, files)).weights, name, plan))
  return { channels, height: declared.height ?? mean[1], width: declared.width ?? mean[2] }
}

/** Channels that the first convolution of an input was trained for. */
function channelsBy(weights: Weights, name: string, { layers }: DeployPlan): number | undefined {
  const reader = layers.find(({ bottom }) => bottom?.includes(name))
  if (!reader?.convolution_param) return undefined
  const dims = weights.find(({ name }) => name === reader.name)?.blobs[0]?.shape?.dim
  return dims?.length === 4 ? dims[1] * (reader.convolution_param.group ?? 1) : undefined
}
