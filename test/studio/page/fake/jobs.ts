/** Jobs as a week of work leaves them. */
import type {
  DatasetResult,
  EvaluationResult,
  Job,
  JobSummary,
  ModelForm,
  Snapshot,
} from '../../../../lib/studio/api/index.js'
import { lenet } from './nets.js'
import { random } from './pictures.js'

const NOW = Date.UTC(2026, 10, 29, 9, 30)
const MINUTE = 60_000
const DIGITS = Array.from({ length: 10 }, (_, label) => String(label))
const COUNTS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]

export const EPOCHS = 10
export const PER_EPOCH = 704

const datasetResult: DatasetResult = {
  kind: 'dataset',
  classes: DIGITS,
  channels: 1,
  height: 28,
  width: 28,
  mean: [33.318421449829934],
  sets: {
    train: { records: 45_000, histogram: COUNTS.map(items => Math.round(items * 0.75)) },
    val: { records: 15_000, histogram: COUNTS.map(items => Math.round(items * 0.25)) },
  },
  leftOut: [
    { file: 'train-extra.bin', reason: 'is no picture of a format that is read here' },
    { file: 'digits/7/scan 14.png', reason: 'ends after 211 of 402 bytes' },
  ],
  notes: ['The validation set was taken from the training pictures, a quarter of each class.'],
  bytes: 49_800_192,
}

/** A matrix of 15,000 items with the mistakes that nets of digits make. */
export function confusion(): number[][] {
  const matrix = DIGITS.map(() => DIGITS.map(() => 0))
  for (const [label, items] of datasetResult.sets.val!.histogram.entries()) {
    let rest = items
    for (const other of [3, 5, 8, 9, 7, 4, 2]) {
      if (other === label) continue
      const wrong = Math.floor(random(label * 17 + other) ** 3 * 9)
      matrix[label][other] = wrong
      rest -= wrong
    }
    matrix[label][label] = rest
  }
  return matrix
}

function evaluationResult(): EvaluationResult {
  const matrix = confusion()
  const items = matrix.flat().reduce((a, b) => a + b, 0)
  const right = matrix.reduce((sum, row, label) => sum + row[label], 0)
  return {
    kind: 'evaluation',
    items,
    labelled: items,
    accuracy: right / items,
    topShares: [right / items, 0.9981, 0.9994, 0.9998, 0.9999],
    loss: 0.0312,
    classes: DIGITS,
    confusion: matrix,
    perClass: matrix.map((row, label) => {
      const said = matrix.reduce((sum, other) => sum + other[label], 0)
      const of = row.reduce((a, b) => a + b, 0)
      const [precision, recall] = [row[label] / said, row[label] / of]
      return { items: of, precision, recall, f1: (2 * precision * recall) / (precision + recall) }
    }),
  }
}

const modelForm = (name: string, rate: number): ModelForm => ({
  name,
  dataset: '20261128-1012-mn1s',
  net: lenet,
  epochs: EPOCHS,
  testEvery: 1,
  snapshotEvery: 1,
  seed: 1,
  solver: { type: 'SGD', rate, policy: { policy: 'step', gamma: 0.1, share: 0.33 }, momentum: 0.9, decay: 0.0005 },
})

function snapshots(epochs: number, best: number): Snapshot[] {
  return [best, epochs - 1, epochs]
    .filter((epoch, at, all) => epoch > 0 && all.indexOf(epoch) === at)
    .sort((a, b) => a - b)
    .map(epoch => ({
      iter: epoch * PER_EPOCH,
      epoch,
      best: epoch === best,
      starred: epoch === 4,
      outputs: { accuracy: 0.9916 - 0.012 / epoch, loss: 0.028 + 0.04 / epoch },
      bytes: 1_724_860,
    }))
}

const base = { notes: '', group: '', starred: false, attempt: 1, progress: 1, children: [], snapshots: [], code: [] }

/** A trained or half trained model. */
export function model(id: string, name: string, more: Partial<Job> & { rate?: number }): Job {
  const { rate = 0.01, ...rest } = more
  const epoch = rest.epoch ?? EPOCHS
  return {
    ...base,
    id,
    kind: 'model',
    name,
    created: NOW,
    parents: { dataset: '20261128-1012-mn1s' },
    state: 'done',
    seconds: 6.2 * epoch,
    iter: Math.round(epoch * PER_EPOCH),
    maxIter: EPOCHS * PER_EPOCH,
    epoch,
    epochs: EPOCHS,
    loss: 0.012,
    outputs: { accuracy: 0.9904, loss: 0.032 },
    best:
      epoch >= 1
        ? { output: 'accuracy', value: 0.9911, iter: 9 * PER_EPOCH, epoch: Math.min(9, Math.floor(epoch)) }
        : undefined,
    progress: epoch / EPOCHS,
    form: modelForm(name, rate),
    snapshots: snapshots(Math.floor(epoch), Math.min(9, Math.floor(epoch))),
    ...rest,
  }
}

export function week(): Job[] {
  return [
    model('20261129-0904-b1nk', 'LeNet with blank square', {
      created: NOW - 26 * MINUTE,
      state: 'running',
      epoch: 6.21,
      eta: 27,
      loss: 0.031,
      attempt: 2,
      group: 'blank',
      notes: 'A quarter of each picture is blanked while it learns.',
      code: [{ file: 'blank_square.ts', sha256: 'c1f0'.repeat(16) }],
    }),
    model('20261129-0907-s0lo', 'LeNet, rate 0.001', {
      created: NOW - 23 * MINUTE,
      state: 'queued',
      epoch: 0,
      rate: 0.001,
      loss: undefined,
      outputs: undefined,
      seconds: 0,
      progress: 0,
      attempt: 0,
    }),
    model('20261129-0908-s1lo', 'LeNet, Adam', {
      created: NOW - 22 * MINUTE,
      state: 'queued',
      epoch: 0,
      loss: undefined,
      outputs: undefined,
      seconds: 0,
      progress: 0,
      attempt: 0,
    }),
    model('20261128-1140-a1b2', 'LeNet', { created: NOW - 1300 * MINUTE, starred: true }),
    model('20261128-1215-fa1l', 'Too fast', {
      created: NOW - 1260 * MINUTE,
      state: 'failed',
      epoch: 0.4,
      rate: 10,
      loss: Number.NaN,
      error:
        "the loss is not finite at iteration 282: layer 'conv1' gave NaN first.\nA smaller learning rate helps; 10 is large for SGD with momentum 0.9.",
    }),
    model('20261128-1301-1nte', 'SqueezeNet', {
      created: NOW - 1210 * MINUTE,
      state: 'interrupted',
      epoch: 3.5,
      attempt: 3,
      loss: 0.41,
    }),
    model('20261128-1330-trus', 'From a colleague', {
      created: NOW - 1180 * MINUTE,
      state: 'queued',
      epoch: 0,
      loss: undefined,
      outputs: undefined,
      seconds: 0,
      progress: 0,
      attempt: 0,
      untrusted: [{ file: 'swirl.ts', sha256: '9ab4'.repeat(16) }],
      code: [{ file: 'swirl.ts', sha256: '9ab4'.repeat(16) }],
    }),
    {
      ...base,
      id: '20261128-1012-mn1s',
      kind: 'dataset',
      name: 'MNIST',
      created: NOW - 1400 * MINUTE,
      parents: {},
      state: 'done',
      seconds: 9.4,
      form: { name: 'MNIST', source: { from: 'idx', place: { path: 'mnist' } }, height: 28, width: 28 },
      result: datasetResult,
    },
    {
      ...base,
      id: '20261128-1400-ev4l',
      kind: 'evaluation',
      name: 'LeNet on val',
      created: NOW - 1100 * MINUTE,
      parents: { dataset: '20261128-1012-mn1s', model: '20261128-1140-a1b2' },
      state: 'done',
      seconds: 3.1,
      form: { model: '20261128-1140-a1b2', on: { set: 'val' } },
      result: evaluationResult(),
    },
    {
      ...base,
      id: '20261127-0900-pre1',
      kind: 'pretrained',
      name: 'CaffeNet of DIGITS',
      created: NOW - 3000 * MINUTE,
      parents: {},
      state: 'done',
      seconds: 1.2,
      form: { name: 'CaffeNet of DIGITS', source: { archive: { upload: 'u1' } } },
    },
  ]
}

/** What a list shows of a job. */
export function summary(job: Job): JobSummary {
  const { form: _form, children: _children, snapshots: _snapshots, code: _code, result: _result, ...rest } = job
  return rest
}
