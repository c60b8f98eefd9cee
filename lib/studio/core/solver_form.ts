import { NetError } from '../../errors.js'
import type { SolverParameter } from '../../generated/caffe.js'
import { LearningRate } from '../../solver/learning_rate.js'
import type { ModelForm, RateForm, Sweep } from '../api/index.js'
import type { DataPlan } from './data_layers.js'
import { type Epochs, epochsOf, MOST_ITERATIONS } from './epochs.js'
import type { DatasetFacts } from './facts.js'

/** Beginning of the names of snapshots, in the job's folder. */
export const SNAPSHOTS = 'snapshots/model'

/** What a training is like that nobody described further. */
const MOMENTUM = 0.9
const DECAY = 0.0005
/** How often the rate of `plateau` may drop. */
const DROPS = 20

/** The value of a field; of several, each job has one by now. */
export function singleOf(field: string, value: Sweep | undefined): number | undefined {
  if (typeof value !== 'object') return value
  if (value.length === 1) return value[0]
  throw new NetError(`${field} has ${value.length} values: each makes a job of its own`, { field })
}

/** The solver of a model, and how its epochs count. Throws a NetError with the form's field for what cannot be. */
export function solverOf(
  form: ModelForm,
  dataset: DatasetFacts,
  { batch, testBatch, stages }: Pick<DataPlan, 'batch' | 'testBatch' | 'stages'>,
): { solver: SolverParameter; epochs: Epochs } {
  const { solver: own, accumulate = 1, testEvery, snapshotEvery } = form
  const records = dataset.sets.train?.records ?? 0
  if (!records) throw new NetError('the dataset has no pictures to train on', { field: 'dataset' })
  if (!(form.epochs > 0)) throw new NetError(`${form.epochs} epochs are no training`, { field: 'epochs' })
  const testRecords = testBatch === undefined ? 0 : dataset.sets.val?.records
  const epochs = epochsOf({
    epochs: form.epochs,
    records,
    batch,
    accumulate,
    testEvery,
    snapshotEvery,
    testRecords,
    testBatch,
  })
  if (epochs.maxIter > MOST_ITERATIONS)
    throw new NetError(`${form.epochs} epochs are ${epochs.maxIter} iterations, more than ${MOST_ITERATIONS}`, {
      field: 'epochs',
    })
  const { type } = own
  const steady = type === 'SGD' || type === 'Nesterov' || type === 'Adam'
  const momentum = singleOf('solver.momentum', own.momentum) ?? (steady ? MOMENTUM : undefined)
  const seed = singleOf('seed', form.seed) ?? 1
  const solver: SolverParameter = {
    net: 'net.prototxt',
    ...(stages.includes('train') && { train_state: { stage: ['train'] } }),
    ...(testBatch !== undefined && {
      ...(stages.includes('val') && { test_state: [{ stage: ['val'] }] }),
      ...{ test_iter: [epochs.testIter], test_interval: epochs.testInterval },
    }),
    base_lr: singleOf('solver.rate', own.rate) ?? 0,
    ...rateOf(own.policy, epochs),
    display: Math.max(1, Math.floor(epochs.updates / 32)),
    max_iter: epochs.maxIter,
    ...(accumulate > 1 && { iter_size: accumulate }),
    ...(momentum !== undefined && type !== 'AdaGrad' && type !== 'RMSProp' && { momentum }),
    ...(own.momentum2 !== undefined &&
      (type === 'RMSProp' ? { rms_decay: own.momentum2 } : { momentum2: own.momentum2 })),
    ...(own.delta !== undefined && { delta: own.delta }),
    weight_decay: singleOf('solver.decay', own.decay) ?? DECAY,
    ...(own.clip !== undefined && { clip_gradients: own.clip }),
    snapshot: epochs.snapshotInterval,
    snapshot_prefix: SNAPSHOTS,
    random_seed: seed,
    ...(type !== 'SGD' && { type }),
    ...(form.engine === 'gpu' && { solver_mode: 'GPU' as const }),
  }
  try {
    new LearningRate(solver)
  } catch (error) {
    throw new NetError((error as Error).message, { field: 'solver.policy', cause: error })
  }
  return { solver, epochs }
}

function rateOf(policy: RateForm, { maxIter, testInterval }: Epochs): SolverParameter {
  const at = (field: string, share: number) => {
    if (!(share > 0 && share <= 1)) throw new NetError(`${share} is no share of the training, 0 … 1`, { field })
    return Math.max(1, Math.round(share * maxIter))
  }
  const one = (name: 'gamma' | 'power' | 'share'): number =>
    singleOf(`solver.policy.${name}`, (policy as Partial<Record<typeof name, Sweep>>)[name]) ?? 0
  switch (policy.policy) {
    case 'fixed':
    case 'cosine':
      return { lr_policy: policy.policy }
    case 'step':
    case 'sigmoid':
      return {
        lr_policy: policy.policy,
        gamma: policy.policy === 'sigmoid' ? -Math.abs(one('gamma')) : one('gamma'),
        stepsize: at('solver.policy.share', one('share')),
      }
    case 'multistep': {
      const stepvalue = [...policy.shares].sort((a, b) => a - b).map(share => at('solver.policy.shares', share))
      return { lr_policy: 'multistep', gamma: one('gamma'), stepvalue }
    }
    case 'exp':
      return { lr_policy: 'exp', gamma: one('gamma') }
    case 'inv':
      return { lr_policy: 'inv', gamma: one('gamma'), power: one('power') }
    case 'poly':
      return { lr_policy: 'poly', power: one('power') }
    case 'plateau':
      return {
        lr_policy: 'plateau',
        gamma: one('gamma'),
        plateau_winsize: new Array<number>(DROPS).fill(Math.max(1, Math.round(policy.tests * testInterval))),
      }
  }
}

/** Most points of a curve of rates. */
const POINTS = 500

/** The learning rate over the training, at so many points that a curve shows it. */
export function ratesOf(solver: SolverParameter): { iters: number[]; rates: number[] } {
  const { max_iter: end = 0, stepvalue = [] } = solver
  const points = Math.min(POINTS, end)
  const iters = Array.from({ length: points }, (_, k) => (points > 1 ? Math.round((k * (end - 1)) / (points - 1)) : 0))
  const rate = new LearningRate(solver)
  const rates = iters.map(iter => {
    // a multistep's stage moves by one an iteration, and not all of them are asked for
    rate.stage = stepvalue.filter(step => iter >= step).length
    return rate.peek(iter)
  })
  return { iters, rates }
}
