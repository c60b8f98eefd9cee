import { macrotask, mustYield } from '../system/macrotask.js'
import { type Found, type SetName, setNames } from './dataset/candidates.js'
import type { PictureForm } from './dataset/decode.js'
import { checkedOptions, type MakeDatasetOptions } from './dataset/options.js'
import { pictureMakers } from './dataset/picture_makers.js'
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
  try {
    const channels = gray === undefined ? (found.channels ?? 3) : gray ? 1 : 3
    const sets = splitCandidates(found.candidates, { val, test, seed })
    const files: Record<string, Uint8Array> = {}
    target =
      typeof options.output === 'string'
        ? await folderTarget(options.output, options.overwrite)
        : (options.output ?? memoryTarget(files))
    const summary = await write(found, sets, { channels, size, resize, encode }, seed, target, options)
    await target.commit?.()
    return options.output === undefined ? { ...summary, files } : summary
  } catch (error) {
    await target?.abort?.()
    throw error
  } finally {
    found.close?.()
  }
}

async function write(
  { candidates, classes, leftOut, notes = [] }: Found,
  sets: Record<SetName, number[]>,
  form: PictureForm,
  seed: number,
  target: DatasetTarget,
  { onProgress, onSkip, signal, threads }: MakeDatasetOptions,
): Promise<DatasetSummary> {
  for (const { file, reason } of leftOut) onSkip?.(file, reason)
  const order = setNames.flatMap(set => sets[set].map(i => ({ set, candidate: candidates[i] })))
  const dataset = await DatasetWriter.open(
    target,
    classes,
    setNames.filter(set => sets[set].length),
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
