import { RistrettoError } from '../../errors.js'
import { type RequestFault, StudioError } from '../api/index.js'

/** A call of a method of Looking, and its answer, between two processes. */
export interface Call {
  readonly id: number
  readonly method: string
  readonly args: readonly unknown[]
}

export type Answer = { readonly id: number } & ({ readonly result: unknown } | { readonly error: ThrownError })

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
