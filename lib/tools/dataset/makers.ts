import { withoutPath } from '../../data/source.js'
import { EngineError, RistrettoError } from '../../errors.js'
import type { FileReader } from '../../system/read_file.js'
import type { DueCandidate } from './candidates.js'
import type { Picture } from './decode.js'

/** Makes the dataset's pictures of candidates. */
export interface PictureMakers {
  /** `done` is called for each in turn; an error stands for a picture that cannot be read. */
  run(candidates: readonly DueCandidate[], done: (i: number, picture: Picture | Error) => Promise<void>): Promise<void>
  close(): void
}

/** A file whose name stands beside the error, which does not say it again. */
export function readNamed(read: FileReader, path: string): Uint8Array {
  try {
    return read(path)
  } catch (error) {
    throw withoutPath(error)
  }
}

/**
 * A picture's own fault is one of its file; a package that is missing would be missing for all, and anything else is no
 * fault of a picture.
 */
export function unreadable(error: unknown): Error {
  if (error instanceof RistrettoError && !(error instanceof EngineError)) return error
  throw error
}
