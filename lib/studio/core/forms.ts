import { NetError, RistrettoError } from '../../errors.js'
import type { SolverParameter } from '../../generated/caffe.js'
import { printNet, printSolver } from '../../proto/print.js'
import type { ModelForm, RequestFault } from '../api/index.js'
import { cropOf, planData } from './data_layers.js'
import type { Epochs } from './epochs.js'
import type { DatasetFacts } from './facts.js'
import { readNetText, replaceLayers } from './net_text.js'
import type { Prepare, PreparedFiles, Surroundings } from './prepared.js'
import { singleOf, solverOf } from './solver_form.js'

/** Name of the net's text in errors. */
const NET = 'net.prototxt'

/** What a model's folder gets, and how its training counts. */
export interface ModelPlan {
  readonly files: PreparedFiles & { readonly 'net.prototxt': string; readonly 'solver.prototxt': string }
  readonly solver: SolverParameter
  readonly epochs: Epochs
  readonly batch: number
}

/**
 * The texts of a model: one net for all stages, whose data layers read the dataset, and its solver. They run in the
 * model's folder, with `ristretto train` and with Caffe. Throws a FormatError or NetError whose `field` is the form's.
 * @param folder what the texts call the dataset's folder
 */
export function planModel(form: ModelForm, dataset: DatasetFacts, folder: string): ModelPlan {
  const read = readNetText(form.net, NET)
  const crop = cropOf(read.net, form.crop)
  if (crop !== undefined && crop > Math.min(dataset.height, dataset.width))
    throw new NetError(`a crop of ${crop} does not fit into pictures of ${dataset.height}×${dataset.width}`, {
      field: 'crop',
    })
  const data = planData(read.net, { ...form, batch: singleOf('batch', form.batch) }, dataset, folder)
  const { solver, epochs } = solverOf(form, dataset, data)
  const text = `${printNet({ layer: [...data.added] })}${replaceLayers(read, data.changes)}`
  const files = { [NET]: text.endsWith('\n') ? text : `${text}\n`, 'solver.prototxt': printSolver(solver) }
  return { files: files as ModelPlan['files'], solver, epochs, batch: data.batch }
}

/** The files of a job from its form: see Prepare. */
export const prepare: Prepare = (kind, form, surroundings) => {
  if (kind !== 'model') return { files: {} }
  return prepareModel(form as ModelForm, surroundings)
}

function prepareModel(form: ModelForm, { dataset, datasetFolder }: Surroundings): ReturnType<Prepare> {
  if (!dataset || datasetFolder === undefined)
    return { faults: [{ path: 'dataset', message: 'a model needs a dataset to learn from' }] }
  try {
    return { files: planModel(form, dataset, datasetFolder).files }
  } catch (error) {
    if (!(error instanceof RistrettoError)) throw error
    return { faults: faultsOf(error) }
  }
}

/** What is wrong, at the field of the form: of the net's text where no other is named. */
export function faultsOf(error: RistrettoError): RequestFault[] {
  const causes = error.causes.length ? error.causes : [error]
  return causes.map(cause => {
    const { line, message } = cause
    const field = cause instanceof NetError && cause.layer === undefined ? cause.field : undefined
    const text = message.replace(/^net\.prototxt(?::\d+)?: /, '')
    return { path: field ?? 'net', message: text, ...(line !== undefined && { line }) }
  })
}
