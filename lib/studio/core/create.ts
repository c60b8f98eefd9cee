import {
  type DatasetForm,
  type Forms,
  type JobId,
  type JobKind,
  type ModelForm,
  type RequestFault,
  StudioError,
} from '../api/index.js'
import { checkForm } from '../api/schemas.js'
import type { Addons } from './addons.js'
import type { Curves } from './curves.js'
import { datasetResult, snapshotsOf } from './details.js'
import { newId } from './ids.js'
import { folderOf, type JobFile, pathsOf } from './job_files.js'
import { type Entry, entryOf, type JobIndex, metaOf } from './job_index.js'
import type { Prepare, PreparedFiles } from './prepared.js'
import { newState } from './state.js'
import { type Store, writeJson } from './store.js'
import { swept } from './sweep.js'
import { codeFiles, type Trust } from './trust.js'

export interface Creation {
  readonly store: Store
  readonly index: JobIndex
  readonly trust: Trust
  readonly curves: Curves
  readonly addons: Addons
  readonly prepare: Prepare
  /** Throws unless a path of this machine may be read. */
  readonly checkPath: (path: string) => Promise<void>
}

/** Folders of jobs from a form as it came from outside, each whole; nothing where any of it is wrong. */
export async function createJobs(creation: Creation, kind: JobKind, given: unknown): Promise<Entry[]> {
  const form = checkForm(kind, given)
  const forms = kind === 'model' ? swept(form as ModelForm) : [form]
  const parents = await parentsOf(creation, kind, form)
  await checkPlaces(creation, form)
  const dataset = parents.dataset && (await datasetResult(creation.store, parents.dataset))
  const planned = forms.map(one => {
    const surroundings = dataset ? { dataset, datasetFolder: `../${parents.dataset}` } : {}
    const prepared = creation.prepare(kind, one as Forms[typeof kind], surroundings)
    if ('faults' in prepared) throw refused(prepared.faults)
    return { form: one, files: prepared.files }
  })
  const layers = kind === 'model' ? ((form as ModelForm).layers ?? {}) : {}
  const code = await codeFiles(layers)
  await trustTyped(creation, code)
  const entries: Entry[] = []
  for (const { form: one, files } of planned) {
    const id = newId(other => creation.index.has(other))
    const file = { version: 1, id, kind, form: one, parents, created: Date.now(), code } as JobFile
    entries.push(await writeJob(creation, file, { ...files, ...inFolder(layers) }))
  }
  return entries
}

async function writeJob({ store, index, addons }: Creation, file: JobFile, files: PreparedFiles): Promise<Entry> {
  const paths = pathsOf(file.id)
  const entry = entryOf(file, metaOf(file), newState())
  for (const [path, text] of Object.entries(files)) await store.write(`${paths.folder}/${path}`, text)
  await writeJson(store, paths.meta, entry.meta)
  await writeJson(store, paths.state, entry.state)
  await addons.note(file.id, file.kind, file.form, await encodingOf(store, index, file.parents.dataset))
  // a folder without this file is no job: it comes last
  await writeJson(store, paths.job, file)
  index.add(entry)
  return entry
}

/** How a dataset keeps pictures. */
async function encodingOf(store: Store, index: JobIndex, dataset: JobId | undefined): Promise<DatasetForm['encode']> {
  const entry = dataset === undefined ? undefined : index.find(dataset)
  return entry && ((await formOf(store, entry)) as DatasetForm).encode
}

const inFolder = (layers: Readonly<Record<string, string>>): PreparedFiles =>
  Object.fromEntries(Object.entries(layers).map(([name, text]) => [`layers/${name}`, text]))

const refused = (faults: readonly RequestFault[]): StudioError =>
  new StudioError(faults.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('\n'), 422, faults)

const fault = (path: string, message: string): never => {
  throw refused([{ path, message }])
}

/** The jobs that a form names: there, of the right kind, and done as far as it must be. */
async function parentsOf(creation: Creation, kind: JobKind, form: Forms[JobKind]): Promise<JobFile['parents']> {
  const { index } = creation
  const named = (path: string, id: JobId, kinds: readonly JobKind[]): Entry => {
    const entry = index.find(id)
    if (!entry || entry.removed !== undefined) return fault(path, `there is no job '${id}'`)
    if (!kinds.includes(entry.kind)) fault(path, `'${entry.meta.name}' is a ${entry.kind}, not a ${kinds.join(' or ')}`)
    return entry
  }
  const dataset = (path: string, id: JobId): JobId => {
    const entry = named(path, id, ['dataset'])
    if (entry.state.state !== 'done') fault(path, `the dataset '${entry.meta.name}' is not done yet`)
    return id
  }
  const model = async (path: string, id: JobId, iter: number | undefined): Promise<JobId> => {
    const entry = named(path, id, ['model', 'pretrained'])
    if (entry.kind === 'model') await mustHaveSnapshot(creation, path, entry, iter)
    else if (entry.state.state !== 'done') fault(path, `'${entry.meta.name}' is not done yet`)
    return id
  }
  switch (kind) {
    case 'dataset':
      return {}
    case 'model': {
      const { dataset: id, weights } = form as Forms['model']
      const parent = dataset('dataset', id)
      return weights
        ? { dataset: parent, model: await model('weights.job', weights.job, weights.iter) }
        : { dataset: parent }
    }
    case 'evaluation': {
      const { model: id, iter, on } = form as Forms['evaluation']
      const parent = await model('model', id, iter)
      const own = index.find(parent)?.parents.dataset
      const other = 'set' in on ? (on.dataset ?? own) : undefined
      if ('set' in on && other === undefined) fault('on.dataset', 'the model has no dataset of its own: name one')
      return other === undefined ? { model: parent } : { model: parent, dataset: dataset('on.dataset', other) }
    }
    case 'pretrained': {
      const { source } = form as Forms['pretrained']
      return 'model' in source ? { model: await model('source.model', source.model, source.iter) } : {}
    }
  }
}

async function mustHaveSnapshot(
  { store, curves }: Creation,
  path: string,
  entry: Entry,
  iter: number | undefined,
): Promise<void> {
  const iters = (await snapshotsOf(store, entry, curves)).map(snapshot => snapshot.iter)
  if (!iters.length) fault(path, `'${entry.meta.name}' has no snapshot yet`)
  if (iter !== undefined && !iters.includes(iter))
    fault(path, `'${entry.meta.name}' has no snapshot of iteration ${iter}; it has ${iters.join(', ')}`)
}

/** Every place that a form names: an upload that is there, a path that may be read. */
export async function checkPlaces(
  { store, checkPath }: Pick<Creation, 'store' | 'checkPath'>,
  form: unknown,
): Promise<void> {
  const walk = async (value: unknown, path: string): Promise<void> => {
    if (typeof value !== 'object' || value === null) return
    for (const [name, inner] of Object.entries(value)) {
      const here = path ? `${path}.${name}` : name
      if (name === 'upload' && typeof inner === 'string') {
        if (!(await store.list(`uploads/${inner}/files`)).length) fault(here, 'the upload is not there any more')
      } else if (name === 'path' && typeof inner === 'string')
        await checkPath(inner).catch(error => fault(here, (error as Error).message))
      else await walk(inner, here)
    }
  }
  await walk(form, '')
}

/** Code that comes in a form was typed or dropped here, unless it is that of a job from elsewhere. */
export async function trustTyped(
  { trust, index }: Pick<Creation, 'trust' | 'index'>,
  code: readonly { file: string; sha256: string }[],
): Promise<void> {
  if (!code.length) return
  const foreign = new Set([...index.all()].flatMap(entry => trust.untrusted(entry.code)).map(({ sha256 }) => sha256))
  await trust.add(code.map(({ sha256 }) => sha256).filter(hash => !foreign.has(hash)))
  trust.mustRun()
}

/** All that a job is made of, code and all. */
export async function formOf(store: Store, { id }: Entry): Promise<JobFile['form']> {
  const bytes = await store.read(pathsOf(id).job)
  if (!bytes) throw new StudioError(`the folder '${folderOf(id)}' has no job.json any more`, 404)
  return (JSON.parse(new TextDecoder().decode(bytes)) as JobFile).form
}
