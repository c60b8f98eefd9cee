import { bytesSink, fileSink, type Sink } from '../../data/sink.js'
import { RistrettoError, systemError } from '../../errors.js'
import { makeFolder } from '../../system/make_folder.js'
import { importNode } from '../../system/nodejs.js'
import { leftovers, temporaryName, whileLocked, writeFileSafely } from '../../system/write_file.js'
import { begunBy, PLAN_FILE, planText } from './plan.js'

/** Where the files of a dataset go: a folder, a store of a browser, or memory. */
export interface DatasetTarget {
  /** A file such as 'train_db/data.mdb' or 'labels.txt'. */
  sink(path: string): Sink | Promise<Sink>
  /** Every sink is finished: the dataset is whole. */
  commit?(): void | Promise<void>
  /** Something went wrong: nothing may be left. */
  abort?(): void | Promise<void>
}

/** All that a dataset may consist of; summary.json comes last. */
export const datasetNames = ['train_db', 'val_db', 'test_db', 'labels.txt', 'mean.binaryproto', 'summary.json'] as const

/** Files in memory, by path. */
export function memoryTarget(files: Record<string, Uint8Array>): DatasetTarget {
  return {
    sink(path) {
      const sink = bytesSink()
      return {
        ...sink,
        async finish() {
          files[path] = (await sink.finish())!
          return files[path]
        },
      }
    },
  }
}

/** A folder, and those in which ended runs of the same plan left what they had made. */
export interface FolderTarget extends DatasetTarget {
  readonly earlier: readonly string[]
}

/**
 * A folder, in which everything appears at once when it is whole: till then it is in a folder of a temporary name. What
 * a killed run left behind is removed, at once or, if it is of the same plan, when this one is done.
 */
export async function folderTarget(path: string, overwrite = false, plan?: string): Promise<FolderTarget> {
  if (path === '') throw new RistrettoError('the output is an empty text: it is the name of a folder')
  const { mkdir, readdir, realpath, rename, rm, stat } = await importNode('node:fs/promises')
  const { dirname, join, resolve } = await importNode('node:path')
  const attempt = async <T>(task: () => Promise<T>): Promise<T> => {
    try {
      return await task()
    } catch (error) {
      throw error instanceof RistrettoError ? error : systemError(`cannot write '${path}'`, error)
    }
  }
  const found = await stat(path).catch(() => undefined)
  if (found && !found.isDirectory()) throw new RistrettoError(`cannot write '${path}': it is a file, not a folder`)
  const folder = found ? await realpath(path) : resolve(path)
  // a folder that is there may hold other things, and be on a disk of its own
  const base = found ? join(folder, 'dataset') : folder
  const temporary = temporaryName(base)
  const present = async (): Promise<string[]> =>
    (await readdir(folder).catch(() => [])).filter(name => (datasetNames as readonly string[]).includes(name))
  const refuse = (names: readonly string[]): never => {
    throw new RistrettoError(
      `'${path}' holds ${names.map(name => `'${name}'`).join(', ')} already: take another folder, or ask to overwrite`,
    )
  }
  const before = await present()
  if (before.length && !overwrite) refuse(before)
  const earlier: string[] = []
  await attempt(async () => {
    await makeFolder(dirname(base))
    for (const left of await leftovers(base, true))
      if (plan !== undefined && (await begunBy(left, plan)) !== undefined) earlier.push(left)
      else await rm(left, { force: true, recursive: true })
    await mkdir(temporary)
    if (plan !== undefined) await writeFileSafely(join(temporary, PLAN_FILE), new TextEncoder().encode(planText(plan)))
  })
  const made = new Set<string>()
  return {
    earlier,
    async sink(name) {
      made.add(name.split('/')[0])
      await attempt(() => makeFolder(dirname(join(temporary, name))))
      return fileSink(join(temporary, name), join(path, name))
    },
    commit: () =>
      attempt(async () => {
        await rm(join(temporary, PLAN_FILE), { force: true })
        for (const left of earlier) await rm(left, { force: true, recursive: true })
        if (!found) {
          // what has come since is another run's
          const problem = await rename(temporary, folder).catch((error: NodeJS.ErrnoException) => error)
          if (!problem) return
          if (problem.code !== 'ENOTEMPTY' && problem.code !== 'EEXIST') throw problem
        }
        await whileLocked(join(folder, 'dataset.lock'), async () => {
          const old = await present()
          if (old.length && !overwrite) refuse(old)
          const names = datasetNames.filter(name => made.has(name))
          const aside = join(temporary, 'old')
          await mkdir(aside)
          // without its summary a dataset is not whole: it goes first and comes last
          for (const name of datasetNames.filter(name => old.includes(name)).reverse())
            await rename(join(folder, name), join(aside, name))
          for (const name of names) await rename(join(temporary, name), join(folder, name))
        })
        await rm(temporary, { recursive: true })
      }),
    abort: () => rm(temporary, { recursive: true, force: true }),
  }
}
