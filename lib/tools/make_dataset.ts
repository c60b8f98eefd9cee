import { macrotask, mustYield } from '../system/macrotask.js'
import { type DueCandidate, type Found, type SetName, setNames } from './dataset/candidates.js'
import type { PictureForm } from './dataset/decode.js'
import { EarlierRun } from './dataset/earlier.js'
import { checkedOptions, type MakeDatasetOptions } from './dataset/options.js'
import { pictureMakers } from './dataset/picture_makers.js'
import { type Placed, planOf } from './dataset/plan.js'
import { type DatasetSource, findPictures } from './dataset/sources.js'
import { splitCandidates } from './dataset/split.js'
import type { DatasetReport, DatasetSummary } from './dataset/summary.js'
import { type DatasetTarget, folderTarget, memoryTarget } from './dataset/target.js'
import { DatasetWriter } from './dataset/writer.js'

/**
 * Pictures → what a net trains on: train_db, val_db and test_db (LMDB databases of Datum records, as Data layers read
 * them), labels.txt, mean.binaryproto (of train_db) and summary.json. The same pictures, options and seed give the same
 * bytes. Pictures that cannot be read are left out and listed; a class of which none can be read is an error, and then
 * nothing is left behind.
 *
 * @example
 * const { classes, sets } = await makeDataset('photos', { output: 'data', size: 64 })
 */
export async function makeDataset(source: DatasetSource, options: MakeDatasetOptions = {}): Promise<DatasetReport> {
  const { size, resize, gray, val, test, seed, encode } = checkedOptions(options)
  const found = await findPictures(source, options)
  let target: DatasetTarget | undefined
  let earlier: EarlierRun | undefined
  try {
    const channels = gray === undefined ? (found.channels ?? 3) : gray ? 1 : 3
    const sets = splitCandidates(found.candidates, { val, test, seed })
    const order = setNames.flatMap(set => sets[set].map((i): Placed => ({ set, candidate: found.candidates[i] })))
    const form: PictureForm = { channels, size, resize, encode }
    const files: Record<string, Uint8Array> = {}
    if (typeof options.output === 'string') {
      const plan = planOf(order, found, form)
      const folder = await folderTarget(options.output, options.overwrite, plan)
      target = folder
      if (plan !== undefined) earlier = await EarlierRun.open(folder.earlier, plan)
      if (earlier) options.onResume?.(earlier.pictures)
    } else target = options.output ?? memoryTarget(files)
    const due = order.map(({ set, candidate }): Due => ({ set, candidate: earlier?.take(set, candidate) ?? candidate }))
    const summary = await write(found, due, form, seed, target, options)
    earlier?.close()
    earlier = undefined
    await target.commit?.()
    return options.output === undefined ? { ...summary, files } : summary
  } catch (error) {
    await target?.abort?.()
    throw error
  } finally {
    earlier?.close()
    found.close?.()
  }
}

interface Due {
  readonly set: SetName
  readonly candidate: DueCandidate
}

async function write(
  { classes, leftOut, notes = [] }: Found,
  order: readonly Due[],
  form: PictureForm,
  seed: number,
  target: DatasetTarget,
  { onProgress, onSkip, signal, threads }: MakeDatasetOptions,
): Promise<DatasetSummary> {
  for (const { file, reason } of leftOut) onSkip?.(file, reason)
  const dataset = await DatasetWriter.open(
    target,
    classes,
    setNames.filter(set => order.some(placed => placed.set === set)),
  )
  try {
    const pictures = order.map(({ candidate }) => candidate)
    const makers = await pictureMakers(form, pictures, threads)
    try {
      await makers.run(pictures, async (i, picture) => {
        signal?.throwIfAborted()
        const { set, candidate } = order[i]
        if (picture instanceof Error) {
          dataset.leaveOut(candidate, picture.message)
          onSkip?.(candidate.file, picture.message)
        } else dataset.add(set, candidate, picture)
        onProgress?.(i + 1, order.length)
        if (mustYield()) await macrotask()
      })
    } finally {
      makers.close()
    }
    return await dataset.finish(form, seed, leftOut, notes)
  } catch (error) {
    dataset.abort()
    throw error
  }
}
