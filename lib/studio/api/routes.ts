import type { GenericSchema } from 'valibot'
import type { Desk } from '../core/desk.js'
import * as schemas from './schemas.js'
import { checked } from './schemas.js'
import type { Studio, StudioInfo } from './studio.js'

/** What of a Studio depends on where it runs. */
export interface Platform {
  info(): Promise<StudioInfo>
  paths(prefix: string): Promise<{ path: string; folder: boolean }[]>
  /** An address that gives a file of the store once. */
  ticket(path: string, name: string): string
}

/** A request, taken apart and checked. */
export interface Asked {
  readonly params: Readonly<Record<string, string>>
  // biome-ignore lint/suspicious/noExplicitAny: each route's schema says what it is
  readonly query: any
  // biome-ignore lint/suspicious/noExplicitAny: each route's schema says what it is
  readonly body: any
  readonly signal: AbortSignal
}

/** How a method of Studio travels: from this table server, client and documentation are made. */
export interface Route<M extends keyof Studio = keyof Studio> {
  /** The method of Studio. */
  readonly name: M
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With `:name` for parts that differ. */
  readonly path: string
  readonly summary: string
  readonly query?: GenericSchema
  readonly body?: GenericSchema
  /** Type of the answer in `ristretto/studio`; none: 204. */
  readonly answer?: string
  /** json (default); frame: JSON with bytes in it; png. */
  readonly as?: 'json' | 'frame' | 'png'
  /** Most bytes of the body; default 1 MiB. */
  readonly limit?: number
  /** The arguments of the method as a request. */
  readonly send: (...args: Parameters<Studio[M]>) => {
    readonly params?: Readonly<Record<string, string | number>>
    readonly query?: object
    readonly body?: unknown
  }
  readonly call: (desk: Desk, platform: Platform, asked: Asked) => unknown
}

const route = <M extends keyof Studio>(route: Route<M>): Route => route as unknown as Route

const JOB = '/api/jobs/:id'
const byId = (id: string) => ({ params: { id } })
/** A picture of 100 megapixels as bytes is more than anybody sends; a photo is less than this. */
const PICTURE = 64 * 2 ** 20
/** Nets with their layers. */
const TEXTS = 8 * 2 ** 20

export const routes: readonly Route[] = [
  route<'info'>({
    name: 'info',
    method: 'GET',
    path: '/api/info',
    summary: 'What can be done here: version, mode, engines, cores, standard nets, limits.',
    answer: 'StudioInfo',
    send: () => ({}),
    call: (_, platform) => platform.info(),
  }),
  route<'jobs'>({
    name: 'jobs',
    method: 'GET',
    path: '/api/jobs',
    summary: 'Jobs, the newest first.',
    query: schemas.jobQuery,
    answer: 'JobSummary[]',
    send: (query = {}) => ({ query }),
    call: ({ project }, _, { query }) => project.jobs(query),
  }),
  route<'create'>({
    name: 'create',
    method: 'POST',
    path: '/api/jobs',
    summary: 'Make a job; several where a field has several values. 422 names every field that is wrong.',
    body: schemas.creation,
    answer: 'JobSummary[]',
    limit: TEXTS,
    send: (kind, form) => ({ body: { kind, form } }),
    call: ({ project }, _, { body }) => project.create(body.kind, body.form),
  }),
  route<'job'>({
    name: 'job',
    method: 'GET',
    path: JOB,
    summary: 'All of a job but its files.',
    answer: 'Job',
    send: byId,
    call: ({ project }, _, { params }) => project.job(params.id),
  }),
  route<'change'>({
    name: 'change',
    method: 'PATCH',
    path: JOB,
    summary: 'Change name, notes, group or star.',
    body: schemas.meta as GenericSchema,
    answer: 'JobSummary',
    send: (id, body) => ({ ...byId(id), body }),
    call: ({ project }, _, { params, body }) => project.change(params.id, body),
  }),
  route<'remove'>({
    name: 'remove',
    method: 'DELETE',
    path: JOB,
    summary: 'Delete; for a day it can be restored. 409 names the jobs that are made from it.',
    send: byId,
    call: ({ project }, _, { params }) => project.remove(params.id),
  }),
  route<'restore'>({
    name: 'restore',
    method: 'POST',
    path: `${JOB}/restore`,
    summary: 'Bring a deleted job back.',
    answer: 'JobSummary',
    send: byId,
    call: ({ project }, _, { params }) => project.restore(params.id),
  }),
  route<'stop'>({
    name: 'stop',
    method: 'POST',
    path: `${JOB}/stop`,
    summary: 'Stop; a training saves what it has first. The second time it is ended at once.',
    send: byId,
    call: ({ project }, _, { params }) => project.stop(params.id),
  }),
  route<'resume'>({
    name: 'resume',
    method: 'POST',
    path: `${JOB}/resume`,
    summary: 'Go on: a training from its newest snapshot, bit by bit as if nothing had happened.',
    send: byId,
    call: ({ project }, _, { params }) => project.resume(params.id),
  }),
  route<'snapshot'>({
    name: 'snapshot',
    method: 'POST',
    path: `${JOB}/snapshot`,
    summary: 'A snapshot of a training, now.',
    send: byId,
    call: ({ project }, _, { params }) => project.snapshot(params.id),
  }),
  route<'star'>({
    name: 'star',
    method: 'PUT',
    path: `${JOB}/stars`,
    summary: 'Keep a snapshot, or not.',
    body: schemas.starring,
    send: (id, iter, starred) => ({ ...byId(id), body: { iter, starred } }),
    call: ({ project }, _, { params, body }) => project.star(params.id, body.iter, body.starred),
  }),
  route<'clone'>({
    name: 'clone',
    method: 'POST',
    path: `${JOB}/clone`,
    summary: 'The form that the job was made from, to make another of.',
    answer: '{ kind: JobKind; form: Forms[JobKind] }',
    send: byId,
    call: ({ project }, _, { params }) => project.clone(params.id),
  }),
  route<'order'>({
    name: 'order',
    method: 'PUT',
    path: '/api/queue',
    summary: 'Waiting jobs in the order in which they start.',
    body: schemas.idList,
    send: ids => ({ body: { ids } }),
    call: ({ project }, _, { body }) => project.order(body.ids),
  }),
  route<'pause'>({
    name: 'pause',
    method: 'PUT',
    path: '/api/queue/paused',
    summary: 'Whether waiting jobs go on waiting.',
    body: schemas.pausing,
    send: paused => ({ body: { paused } }),
    call: ({ project }, _, { body }) => project.pause(body.paused),
  }),
  route<'trust'>({
    name: 'trust',
    method: 'POST',
    path: '/api/trust',
    summary: 'Code of these SHA-256 may run, now and later.',
    body: schemas.hashes,
    send: sha256 => ({ body: { sha256 } }),
    call: ({ project }, _, { body }) => project.trust(body.sha256),
  }),
  route<'metrics'>({
    name: 'metrics',
    method: 'GET',
    path: `${JOB}/metrics`,
    summary: 'Curves, thinned so that no smallest or largest value is lost.',
    query: schemas.metricsQuery,
    answer: 'Metrics',
    send: (id, query = {}) => ({ ...byId(id), query }),
    call: ({ project }, _, { params, query }) => project.metrics(params.id, query),
  }),
  route<'log'>({
    name: 'log',
    method: 'GET',
    path: `${JOB}/log`,
    summary: 'Lines of the log from line `after` on, and the number of the next.',
    query: schemas.afterQuery,
    answer: '{ lines: string[]; next: number }',
    send: (id, after) => ({ ...byId(id), query: { after } }),
    call: ({ project }, _, { params, query }) => project.log(params.id, query.after),
  }),
  route<'files'>({
    name: 'files',
    method: 'GET',
    path: `${JOB}/files`,
    summary: 'Files of the job, and their bytes.',
    answer: '{ path: string; bytes: number }[]',
    send: byId,
    call: ({ project }, _, { params }) => project.files(params.id),
  }),
  route<'text'>({
    name: 'text',
    method: 'GET',
    path: `${JOB}/text`,
    summary: 'A file of text.',
    query: schemas.pathQuery,
    answer: 'string',
    send: (id, path) => ({ ...byId(id), query: { path } }),
    call: ({ project }, _, { params, query }) => project.text(params.id, query.path),
  }),
  route<'address'>({
    name: 'address',
    method: 'POST',
    path: `${JOB}/address`,
    summary: 'An address that gives a file once, within a minute, without a token.',
    body: schemas.pathQuery,
    answer: 'string',
    send: (id, path) => ({ ...byId(id), body: { path } }),
    call: async ({ project }, platform, { params, body }) =>
      platform.ticket(await project.file(params.id, body.path), body.path.split('/').at(-1)),
  }),
  route<'paths'>({
    name: 'paths',
    method: 'GET',
    path: '/api/paths',
    summary: "Names that go on from `prefix`, under the server's data folders.",
    query: schemas.prefixQuery,
    answer: '{ path: string; folder: boolean }[]',
    send: prefix => ({ query: { prefix } }),
    call: (_, platform, { query }) => platform.paths(query.prefix),
  }),
  route<'items'>({
    name: 'items',
    method: 'GET',
    path: '/api/datasets/:id/items',
    summary: 'A page of the pictures of a set.',
    query: schemas.itemQuery as GenericSchema,
    answer: 'ItemPage',
    send: (id, query) => ({ ...byId(id), query }),
    call: (desk, _, { params, query }) => desk.items(params.id, query),
  }),
  route<'picture'>({
    name: 'picture',
    method: 'GET',
    path: '/api/datasets/:id/items/:set/:item',
    summary: 'A picture of a set as PNG.',
    as: 'png',
    answer: 'Blob',
    send: (id, set, item) => ({ params: { id, set, item } }),
    call: (desk, _, { params }) => {
      const { set, item } = checked(schemas.itemParams, { set: params.set, item: params.item }, 'the address')
      return desk.picture(params.id, set, item)
    },
  }),
  route<'meanPicture'>({
    name: 'meanPicture',
    method: 'GET',
    path: '/api/datasets/:id/mean',
    summary: 'The mean picture of a dataset as PNG.',
    as: 'png',
    answer: 'Blob',
    send: byId,
    call: (desk, _, { params }) => desk.meanPicture(params.id),
  }),
  route<'previewDataset'>({
    name: 'previewDataset',
    method: 'POST',
    path: '/api/datasets/preview',
    summary: 'What of a source would become of the settings: a few pictures before and after, as PNG.',
    as: 'frame',
    body: schemas.forms.dataset as GenericSchema,
    answer: 'DatasetPreview',
    send: form => ({ body: form }),
    call: (desk, _, { body, signal }) => desk.previewDataset(body, signal),
  }),
  route<'standardNet'>({
    name: 'standardNet',
    method: 'POST',
    path: '/api/nets/standard',
    summary: 'The text of a standard net for a dataset, and settings that suit it.',
    body: schemas.standard,
    answer: '{ net: string; form: Partial<ModelForm> }',
    send: (name, dataset) => ({ body: { name, dataset } }),
    call: (desk, _, { body }) => desk.standardNet(body.name, body.dataset),
  }),
  route<'inspect'>({
    name: 'inspect',
    method: 'POST',
    path: '/api/nets/inspect',
    summary: "What is wrong with a net's text, at its places; and the net as a graph.",
    body: schemas.inspection as GenericSchema,
    answer: 'Inspection',
    limit: TEXTS,
    send: request => ({ body: request }),
    call: (desk, _, { body, signal }) => desk.inspect(body, signal),
  }),
  route<'previewSolver'>({
    name: 'previewSolver',
    method: 'POST',
    path: '/api/solvers/preview',
    summary: 'The learning rate of a training at up to 500 points, and its solver.',
    body: schemas.forms.model as GenericSchema,
    answer: 'SolverPreview',
    limit: TEXTS,
    send: form => ({ body: form }),
    call: (desk, _, { body }) => desk.previewSolver(body),
  }),
  route<'checkLayers'>({
    name: 'checkLayers',
    method: 'POST',
    path: '/api/layers/check',
    summary: 'Compile custom layers and compare their gradients with differences.',
    body: schemas.code,
    answer: 'LayerReport',
    limit: TEXTS,
    send: layers => ({ body: { layers } }),
    call: (desk, _, { body }) => desk.checkLayers(body.layers),
  }),
  route<'testOne'>({
    name: 'testOne',
    method: 'POST',
    path: '/api/models/:id/test-one',
    summary:
      'What a model says about a picture. The body is a TestOneRequest as a frame; or just the file of a picture, with `iter`, `details`, `weights` and `stage` in the address.',
    as: 'frame',
    query: schemas.testOneQuery as GenericSchema,
    body: schemas.testOne as GenericSchema,
    answer: 'Prediction',
    limit: PICTURE,
    send: (id, request) => ({ ...byId(id), body: request }),
    call: (desk, _, { params, body, query, signal }) => desk.testOne(params.id, { ...query, ...body }, signal),
  }),
  route<'evaluated'>({
    name: 'evaluated',
    method: 'GET',
    path: '/api/evaluations/:id/items',
    summary: 'Items of an evaluation: all, of a class, of a cell of the confusion matrix, the hardest.',
    query: schemas.evaluatedQuery as GenericSchema,
    answer: 'EvaluatedPage',
    send: (id, query = {}) => ({ ...byId(id), query }),
    call: (desk, _, { params, query }) => desk.evaluated(params.id, query),
  }),
  route<'archive'>({
    name: 'archive',
    method: 'POST',
    path: '/api/models/:id/archive',
    summary: 'An address that gives a zip once: the net, its weights, labels, mean, code.',
    query: schemas.iterQuery,
    answer: 'string',
    send: (id, iter) => ({ ...byId(id), query: { iter } }),
    call: async (desk, platform, { params, query }) => {
      const { path, name } = await desk.archive(params.id, query.iter)
      return platform.ticket(path, name)
    },
  }),
  route<'project'>({
    name: 'project',
    method: 'POST',
    path: '/api/project',
    summary: 'An address that gives a zip of whole jobs once, and of those that they are made from.',
    query: schemas.idsQuery,
    answer: 'string',
    send: ids => ({ query: ids ? { ids: ids.join(',') } : {} }),
    call: async (desk, platform, { query }) => {
      const { path, name } = await desk.projectZip(query.ids)
      return platform.ticket(path, name)
    },
  }),
  route<'importProject'>({
    name: 'importProject',
    method: 'POST',
    path: '/api/project/import',
    summary: "Jobs of a project's zip come in.",
    body: schemas.uploaded,
    answer: 'JobSummary[]',
    send: upload => ({ body: { upload } }),
    call: (desk, _, { body }) => desk.importProject(body.upload),
  }),
  route<'compare'>({
    name: 'compare',
    method: 'GET',
    path: '/api/compare',
    summary: 'Settings in which models differ, and their nets.',
    query: schemas.idsQuery,
    answer: 'Comparison',
    send: ids => ({ query: { ids: ids.join(',') } }),
    call: (desk, _, { query }) => desk.compare(query.ids ?? []),
  }),
]
