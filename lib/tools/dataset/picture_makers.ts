import { importPixels } from '../../data/image.js'
import { importDeflate } from '../../data/inflate.js'
import { EngineError, RistrettoError } from '../../errors.js'
import { readFile } from '../../system/read_file.js'
import type { Candidate } from './candidates.js'
import { decodeFile, inForm, type Picture, type PictureForm } from './decode.js'

/** Makes the dataset's pictures of candidates. */
export interface PictureMakers {
  /** `done` is called for each in turn; an error stands for a picture that cannot be read. */
  run(candidates: readonly Candidate[], done: (i: number, picture: Picture | Error) => Promise<void>): Promise<void>
  close(): void
}

export async function pictureMakers(form: PictureForm, _count: number, _threads?: number): Promise<PictureMakers> {
  return ownThread(form)
}

/** Pictures that are fetched and decoded at the same time. */
const AHEAD = 8

/** On this thread. */
async function ownThread(form: PictureForm): Promise<PictureMakers> {
  const decoders = { pixels: () => importPixels(), deflate: await importDeflate() }
  const make = async ({ source }: Candidate): Promise<Picture> => {
    if (source.kind === 'planes') return inForm(source.image, form, decoders)
    const file = source.kind === 'path' ? { bytes: await readFile(source.path) } : await source.read()
    return decodeFile(file, form, decoders)
  }
  return {
    async run(candidates, done) {
      const pending: Promise<Picture | Error>[] = []
      for (let i = 0, next = 0; i < candidates.length; i++) {
        for (; next < candidates.length && pending.length < AHEAD; next++) {
          const picture = make(candidates[next]).catch(unreadable)
          // whoever fails is heard when its turn comes
          picture.catch(() => {})
          pending.push(picture)
        }
        await done(i, await pending.shift()!)
      }
    },
    close() {},
  }
}

/** A picture's own fault is one of its file; a package that is missing would be missing for all, and all else is a mistake of ours. */
export function unreadable(error: unknown): Error {
  if (error instanceof RistrettoError && !(error instanceof EngineError)) return error
  throw error
}
