import { RistrettoError } from '../../errors.js'
import { type ModelForm, StudioError } from '../api/index.js'
import { faultsOf, planModel } from '../core/forms.js'
import type { ProjectContext, WithProject } from '../core/job_context.js'
import type { Looking } from '../core/looking.js'
import { ratesOf } from '../core/solver_form.js'
import { standardModel } from '../core/standard.js'
import { type InspectOptions, inspectNet } from './inspect.js'
import { importLayerFiles, type LayerFiles, withLayers } from './layers.js'
import { Remembered } from './lru.js'
import { marksOf } from './marks.js'
import { datasetFacts } from './project_files.js'

/** Texts that are remembered: one in each stage, and what a person goes back and forth between. */
const inspected = new Remembered<Awaited<ReturnType<Looking['inspect']>>>(12)

export const inspect: WithProject<Looking['inspect']> = async (context, request) => {
  const { dataset: id, layers, ...rest } = request
  const dataset = id === undefined ? undefined : await datasetFacts(context, id)
  const sizes = dataset && [dataset.channels, dataset.height, dataset.width, dataset.classes.length]
  const key = JSON.stringify([rest.stage, rest.crop, rest.batch, sizes, layers, rest.net])
  return inspected.get(key, () => inspectWith(layers, { ...rest, dataset }))
}

/** A net whose own layers do not compile is looked at without them: the layers' report says what is wrong there. */
async function inspectWith(layers: LayerFiles | undefined, options: InspectOptions) {
  try {
    if (layers) await importLayerFiles(layers)
  } catch (error) {
    const broken = marksOf(error).map(({ line, column, length, ...mark }) => mark)
    const { marks, ...rest } = await withLayers(undefined, () => inspectNet(options))
    return { marks: [...broken, ...marks], ...rest }
  }
  return withLayers(layers, () => inspectNet(options))
}

export const previewSolver: WithProject<Looking['previewSolver']> = async (context, form) => {
  const { solver, epochs, files } = await planned(form, context)
  const { maxIter, testInterval } = epochs
  return { maxIter, testInterval, ...ratesOf(solver), solver: files['solver.prototxt'] }
}

async function planned(form: ModelForm, context: ProjectContext) {
  const dataset = await datasetFacts(context, form.dataset)
  return asked(() => planModel(single(form), dataset, `../${form.dataset}`))
}

/** What is wrong with what was asked, as the answer to it. */
function asked<T>(task: () => T): T {
  try {
    return task()
  } catch (error) {
    if (!(error instanceof RistrettoError)) throw error
    throw new StudioError(error.message, 422, faultsOf(error))
  }
}

/** The first of the values of every field: what a curve shows of a sweep. */
function single<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      Array.isArray(inner) && name !== 'shares' ? inner[0] : single(inner),
    ]),
  ) as T
}

export const standardNet: WithProject<Looking['standardNet']> = async (context, name, dataset) => {
  const facts = await datasetFacts(context, dataset)
  return asked(() => standardModel(name, facts))
}
