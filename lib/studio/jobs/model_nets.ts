import type { Preparation } from '../../data/preparation.js'
import { readMeanImage } from '../../data/transformer.js'
import type { LayerParameter, NetParameter } from '../../generated/caffe.js'
import { netOf } from '../../net/deployed.js'
import { pictureLayers } from '../../net/picture_layers.js'
import { Net } from '../../net.js'
import { adoptDeclared } from '../../proto/adopt.js'
import { parseNet } from '../../proto/text.js'
import { upgradeNet } from '../../proto/upgrade.js'
import { type JobId, type LayerRow, StudioError } from '../api/index.js'
import { cropOf } from '../core/data_layers.js'
import type { DatasetFacts } from '../core/facts.js'
import type { ProjectContext } from '../core/job_context.js'
import { type JobFile, pathsOf, snapshotNames } from '../core/job_files.js'
import { layersOf, type Stage } from '../core/stages.js'
import { readText, type Store } from '../core/store.js'
import { readCode, Trust } from '../core/trust.js'
import { type LayerFiles, withLayers } from './layers.js'
import { Remembered } from './lru.js'
import { datasetFacts, pretrainedModel, readJob, snapshotOf } from './project_files.js'
import { stageNet } from './staged.js'

/** A model with its weights, ready to be asked about pictures. */
export interface OpenModel {
  readonly net: Net
  /** How pictures become its input: as in its training. */
  readonly preparation: Preparation
  readonly labels: readonly string[]
  /** Layers as they were written, where inputs stand for data. */
  readonly types?: ReadonlyMap<string, LayerParameter>
  /** Of its weights, once somebody has looked. */
  weights?: readonly LayerRow[]
}

/** Where nets are made; jobs say how many threads they may take. */
export type NetContext = ProjectContext & { readonly threads?: number }

/** Nets that are kept: a model in two stages, and two to compare it with. */
const KEPT = 4

const opened = new WeakMap<Store, Remembered<OpenModel>>()

/** The net of a model at a snapshot (default the best), kept for the next time. */
export async function openModel(context: NetContext, id: JobId, stage: Stage, iter?: number): Promise<OpenModel> {
  const { kind } = await readJob(context, id, 'model', 'pretrained')
  const nets =
    opened.get(context.store) ??
    new Remembered<OpenModel>(KEPT, ({ net }) => void net.exclusive(async () => net.dispose()))
  opened.set(context.store, nets)
  if (kind === 'pretrained') {
    if (stage !== 'deploy')
      throw new StudioError(`a pretrained model has layers of the stage deploy only, none of ${stage}`, 400)
    return nets.get(id, () => openPretrained(context, id))
  }
  const at = await snapshotOf(context, id, iter)
  return nets.get(`${id} ${at} ${stage}`, () => openTrained(context, id, stage, at))
}

/** The code of a job, as its job.json knows it; a StudioError for what nobody has agreed to. */
export async function codeOf({ store }: Pick<ProjectContext, 'store'>, { id, code }: JobFile): Promise<LayerFiles> {
  if (!code.length)
    return {}
    // whoever asks has been through this already; a file that was put here by hand has not
  ;(await Trust.open(store, 'ask')).mustTrust(code)
  return readCode(store, pathsOf(id).layers, code)
}

async function openTrained(context: NetContext, id: JobId, stage: Stage, iter: number): Promise<OpenModel> {
  const job = await readJob(context, id, 'model')
  const { form } = job
  const dataset = await datasetFacts(context, form.dataset)
  const layers = await codeOf(context, job)
  const paths = pathsOf(id)
  const text = await readText(context.store, paths.net)
  if (text === undefined) throw new StudioError(`model '${id}' has no net.prototxt any more`, 404)
  const weights = context.place(`${paths.snapshots}/${snapshotNames(iter).model}`)
  return withLayers(layers, async () => {
    const net = adoptDeclared(upgradeNet(parseNet(text, { file: 'net.prototxt' })))
    const crop = cropOf(net, form.crop)
    const staged = await stageNet(net, stage, { dataset, crop, batch: 1 })
    const made = await Net.create(staged.net, {
      ...{ ...context.files, threads: context.threads, seed: 1, weights },
      phase: stage === 'train' ? 'TRAIN' : 'TEST',
    })
    const preparation = await preparationOf(context, net, form.dataset, dataset, crop)
    return { net: made, preparation, labels: dataset.classes, types: staged.written }
  })
}

/** What the data layer of the training does with one picture. */
async function preparationOf(
  { store }: ProjectContext,
  net: NetParameter,
  id: JobId,
  dataset: DatasetFacts,
  crop: number | undefined,
): Promise<Preparation> {
  const { channels, height, width, resize } = dataset
  const [layer] = pictureLayers(layersOf(net, 'train'))
  const { scale = 1, mean_file, mean_value = [] } = layer?.transform_param ?? {}
  const file = `${pathsOf(id).folder}/mean.binaryproto`
  const mean = mean_file === undefined ? undefined : await store.read(file)
  return {
    channels,
    ...{ height: crop ?? height, width: crop ?? width, resize: [height, width] },
    ...{ fit: resize ?? 'squash', order: 'BGR', scale: Math.fround(scale) },
    meanValues: mean ? [] : mean_value.map(Math.fround),
    ...(mean && { mean: readMeanImage(mean, file) }),
  }
}

async function openPretrained(context: NetContext, id: JobId): Promise<OpenModel> {
  const layers = await codeOf(context, await readJob(context, id, 'pretrained'))
  const model = await pretrainedModel(context, id)
  const net = await withLayers(layers, () =>
    netOf(model, id, { ...context.files, threads: context.threads, seed: 1 }, (param, options) =>
      Net.create(param, options),
    ),
  )
  const preparation = await net.preparation()
  if (!preparation)
    throw new StudioError(`nothing in the pretrained model '${id}' says how pictures become its input`, 409)
  return { net, preparation, labels: model.labels ?? [] }
}
