import type { DatasetTarget } from '../../tools/dataset/target.js'
import { makeDataset } from '../../tools/make_dataset.js'
import type { DatasetForm } from '../api/index.js'
import type { JobContext, JobFunction } from '../core/job_context.js'
import { picturesOf } from './dataset_source.js'
import { takeLmdb } from './take_lmdb.js'

/** Milliseconds between two words about how far it is. */
const PROGRESS = 100
/** Files that are told of one by one; summary.json has all of them. */
const SKIPPED = 1000

/** Databases to train and test on, into the job's folder; an attempt before this one has left nothing of use. */
export const makeDatasetJob: JobFunction<'dataset'> = async ({ form }, context) => {
  context.emit({ kind: 'start', attempt: context.attempt, iter: 0 })
  const target = await storeTarget(context)
  try {
    if (form.source.from === 'lmdb') await takeLmdb(form.source, target, context)
    else await make(form, form.source, target, context)
    return 'done'
  } catch (error) {
    if (context.signal.aborted) return 'stopped'
    throw error
  }
}

async function make(
  form: DatasetForm,
  from: Exclude<DatasetForm['source'], { from: 'lmdb' }>,
  target: DatasetTarget,
  context: JobContext,
): Promise<void> {
  const { height, width, resize, gray, val, test, seed, encode } = form
  const { source, classes } = await picturesOf(from, context)
  let told = 0
  let skipped = 0
  await makeDataset(source, {
    output: target,
    ...sizeOf(height, width),
    ...given({ resize, gray, val, test, seed, encode, classes }),
    threads: context.threads,
    signal: context.signal,
    onProgress(done, total) {
      const now = Date.now()
      if (now - told < PROGRESS && done < total) return
      told = now
      context.emit({ kind: 'progress', done, total })
    },
    onSkip(file, reason) {
      context.log(`left out ${file}: ${reason}`)
      if (++skipped <= SKIPPED) context.emit({ kind: 'skipped', file, reason })
    },
  })
}

function sizeOf(height: number | undefined, width: number | undefined): { size?: { height: number; width: number } } {
  if (height === undefined && width === undefined) return {}
  return { size: { height: (height ?? width)!, width: (width ?? height)! } }
}

/** Options without those that are left out. */
const given = <T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }

/** The job's folder as what makeDataset writes to. */
async function storeTarget({ store, folder }: JobContext): Promise<DatasetTarget> {
  const names = ['summary.json', 'train_db', 'val_db', 'test_db', 'labels.txt', 'mean.binaryproto']
  const clear = async () => {
    for (const name of names) await store.remove(`${folder}/${name}`)
  }
  await clear()
  return { sink: path => store.sink(`${folder}/${path}`), abort: clear }
}
