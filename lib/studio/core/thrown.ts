import { RistrettoError } from '../../errors.js'
import { type RequestFault, StudioError } from '../api/index.js'

/** An error on its way between processes or workers. */
export interface ThrownError {
  readonly message: string
  readonly status: StudioError['status']
  readonly faults: readonly RequestFault[]
}

/** An error as plain data. What the library refuses is a mistake of who asked; anything else is one of ours. */
export function toThrown(error: unknown): ThrownError {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof StudioError) return { message, status: error.status, faults: error.faults }
  if (!(error instanceof RistrettoError)) return { message, status: 500, faults: [] }
  const { line } = error
  return { message, status: 422, faults: line === undefined ? [] : [{ path: '', message, line }] }
}

export const fromThrown = ({ message, status, faults }: ThrownError): StudioError =>
  new StudioError(message, status, faults)
