import {
  type Comparison,
  type EvaluatedPage,
  type EvaluatedQuery,
  type Forms,
  type Inspection,
  type InspectRequest,
  type ItemPage,
  type ItemQuery,
  type JobId,
  type JobSummary,
  type LayerReport,
  type ModelForm,
  type Prediction,
  type SetName,
  type SolverPreview,
  StudioError,
  type TestOneRequest,
} from '../api/index.js'
import type { DatasetPreview, Inspector } from './looking.js'
import type { Project } from './project.js'
import { listAll, type Store } from './store.js'
import { codeFiles } from './trust.js'

/** Where a project and what looks at it meet: everything that is asked is checked here, whoever asks. */
export class Desk {
  constructor(
    readonly project: Project,
    private readonly inspector: Inspector,
    private readonly store: Store,
  ) {}

  async items(dataset: JobId, query: ItemQuery): Promise<ItemPage> {
    this.doneDataset(dataset)
    return this.inspector.items(dataset, query)
  }

  async picture(dataset: JobId, set: SetName, item: number): Promise<Uint8Array> {
    this.doneDataset(dataset)
    return this.inspector.picture(dataset, set, item)
  }

  async meanPicture(dataset: JobId): Promise<Uint8Array> {
    this.doneDataset(dataset)
    return this.inspector.meanPicture(dataset)
  }

  async previewDataset(form: Forms['dataset'], signal?: AbortSignal): Promise<DatasetPreview> {
    await this.project.checkPlaces(form)
    return this.inspector.previewDataset(form, signal)
  }

  async standardNet(name: string, dataset: JobId): Promise<{ net: string; form: Partial<ModelForm> }> {
    this.doneDataset(dataset)
    return this.inspector.standardNet(name, dataset)
  }

  async inspect(request: InspectRequest, signal?: AbortSignal): Promise<Inspection> {
    if (request.dataset !== undefined) this.doneDataset(request.dataset)
    await this.mayRun(request.layers)
    return this.inspector.inspect(request, signal)
  }

  async previewSolver(form: ModelForm): Promise<SolverPreview> {
    this.doneDataset(form.dataset)
    return this.inspector.previewSolver(form)
  }

  async checkLayers(layers: Readonly<Record<string, string>>): Promise<LayerReport> {
    await this.mayRun(layers)
    return this.inspector.checkLayers(layers)
  }

  async testOne(model: JobId, request: TestOneRequest, signal?: AbortSignal): Promise<Prediction> {
    this.project.mustBe(model, ['model', 'pretrained'])
    this.project.mustTrust(model)
    const { picture } = request
    if ('dataset' in picture) this.doneDataset(picture.dataset)
    return this.inspector.testOne(model, request, signal)
  }

  async evaluated(evaluation: JobId, query: EvaluatedQuery): Promise<EvaluatedPage> {
    const { state, name } = this.project.mustBe(evaluation, ['evaluation'])
    if (state !== 'done') throw new StudioError(`the evaluation '${name}' is not done`, 409)
    return this.inspector.evaluated(evaluation, query)
  }

  async compare(ids: readonly JobId[]): Promise<Comparison> {
    if (ids.length < 2) throw new StudioError('two models or more can be compared', 422)
    for (const id of ids) this.project.mustBe(id, ['model'])
    return this.inspector.compare(ids)
  }

  /** Write the zip of a model; resolves to its path in the store and the name that a person sees. */
  async archive(model: JobId, iter?: number): Promise<{ path: string; name: string }> {
    const { name } = this.project.mustBe(model, ['model', 'pretrained'])
    const path = newDownload()
    await this.inspector.archive(model, iter, path)
    return { path, name: `${fileName(name)}${iter === undefined ? '' : `_iter_${iter}`}.zip` }
  }

  /** Write a zip of whole jobs, all where none is named, with the jobs that they are made from. */
  async projectZip(ids?: readonly JobId[]): Promise<{ path: string; name: string }> {
    const chosen = new Set<JobId>()
    const add = (id: JobId) => {
      if (chosen.has(id)) return
      chosen.add(id)
      for (const parent of Object.values(this.project.mustExist(id).parents)) add(parent)
    }
    for (const id of ids ?? this.project.jobs().map(job => job.id)) add(id)
    if (!chosen.size) throw new StudioError('there is no job yet', 409)
    const path = newDownload()
    await this.inspector.project([...chosen], path)
    return { path, name: 'project.zip' }
  }

  async importProject(upload: string): Promise<JobSummary[]> {
    const folder = `uploads/${upload}/files`
    const files = await listAll(this.store, folder)
    if (files.length !== 1) throw new StudioError(`the upload holds ${files.length} files: one zip is wanted`, 422)
    return this.project.take(await this.inspector.unpackProject(`${folder}/${files[0].path}`))
  }

  private doneDataset(id: JobId): void {
    const { state, name } = this.project.mustBe(id, ['dataset'])
    if (state !== 'done') throw new StudioError(`the dataset '${name}' is not done`, 409)
  }

  private async mayRun(layers: Readonly<Record<string, string>> | undefined): Promise<void> {
    if (layers && Object.keys(layers).length) await this.project.mustTrustTyped(await codeFiles(layers))
  }
}

/** Zips lie here until they are fetched, or are old. */
export const DOWNLOADS = 'downloads'

const newDownload = (): string => `${DOWNLOADS}/${crypto.randomUUID()}.zip`

const fileName = (name: string): string => name.replace(/[^\p{L}\p{N}._-]+/gu, '_').slice(0, 80) || 'model'
