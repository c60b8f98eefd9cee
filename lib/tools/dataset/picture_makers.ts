import { importPixels } from '../../data/image.js'
import { importDeflate } from '../../data/inflate.js'
import { RistrettoError } from '../../errors.js'
import { importNode, isNode } from '../../system/nodejs.js'
import { type FileReader, fileReader } from '../../system/read_file.js'
import type { DueCandidate } from './candidates.js'
import { decodeFile, inForm, type Picture, type PictureForm, type Tools } from './decode.js'
import { type PictureMakers, readNamed, unreadable } from './makers.js'

/** Pictures from which threads pay: they take a tenth of a second to start. */
const WORKERS_FROM = 64

/** Threads of Node where they pay, else this one. */
export async function pictureMakers(
  form: PictureForm,
  candidates: readonly DueCandidate[],
  threads?: number,
): Promise<PictureMakers> {
  const tools: Tools = { pixels: () => importPixels(), deflate: await importDeflate() }
  const decoded = candidates.filter(({ source }) => source.kind === 'path' || source.kind === 'file').length
  if (!isNode) return new OwnThread(form, tools, noFiles)
  const read = await fileReader()
  if (decoded < WORKERS_FROM) return new OwnThread(form, tools, read)
  threads ??= (await importNode('node:os')).availableParallelism()
  if (threads < 2) return new OwnThread(form, tools, read)
  const { WorkerThreads } = await import('./worker_threads.js')
  return WorkerThreads.start(form, tools, threads)
}

const noFiles: FileReader = path => {
  throw new RistrettoError(`cannot read '${path}': there is no file system here`)
}

/** Pictures that are fetched and decoded at the same time. */
const AHEAD = 8

class OwnThread implements PictureMakers {
  constructor(
    private readonly form: PictureForm,
    private readonly tools: Tools,
    private readonly read: FileReader,
  ) {}

  async run(
    candidates: readonly DueCandidate[],
    done: (i: number, picture: Picture | Error) => Promise<void>,
  ): Promise<void> {
    const pending: Promise<Picture | Error>[] = []
    for (let i = 0, next = 0; i < candidates.length; i++) {
      for (; next < candidates.length && pending.length < AHEAD; next++) {
        const picture = this.make(candidates[next]).catch(unreadable)
        // whoever fails is heard when its turn comes
        picture.catch(() => {})
        pending.push(picture)
      }
      await done(i, await pending.shift()!)
    }
  }

  close(): void {}

  private async make({ source }: DueCandidate): Promise<Picture> {
    const { form, tools } = this
    if (source.kind === 'made') return { image: source.read() }
    if (source.kind === 'planes') return inForm(source.image, form, tools)
    const file = source.kind === 'path' ? { bytes: readNamed(this.read, source.path) } : await source.read()
    return decodeFile(file, form, tools)
  }
}
