import type { FileKind } from '../data/file_kind.js'
import { FormatError } from '../errors.js'

const WANTED = {
  model: 'weights are read from a model, a .caffemodel or .caffemodel.h5',
  state: 'training goes on from a solver state, a .solverstate or .solverstate.h5',
}

/** Throws if a file is known to be something else than what is read from it. */
export function refuseOthers(found: FileKind | undefined, wanted: keyof typeof WANTED, file: string): void {
  if (found && found.kind !== wanted)
    throw new FormatError(
      `${file}: this is ${found.text}; ${WANTED[wanted]}${found.kind === 'model' ? ', and from a model alone with the option weights' : ''}`,
    )
}
