import type { ThrownError } from '../core/thrown.js'

/** A call of a method of Looking, and its answer, between two processes. */
export interface Call {
  readonly id: number
  readonly method: string
  readonly args: readonly unknown[]
}

export type Answer = { readonly id: number } & ({ readonly result: unknown } | { readonly error: ThrownError })
