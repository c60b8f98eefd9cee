/** What the program that plans a run and the processes that measure say to each other. */

export type Mode = 'train' | 'inference' | 'gemm'

export interface Job {
  /** A name of bench/nets; for 'gemm' the size of the square matrices. */
  readonly net: string
  readonly mode: Mode
  readonly batch: number
}

/** Milliseconds of one pass. `train`: forward and backward; `update`: what else a solver's step takes. */
export interface Times {
  train?: number
  update?: number
  inference?: number
  gemm?: number
}

/** A job made ready: one net, weights loaded, inputs filled. */
export interface Task {
  /** What computes: 'fma, 2 threads', a library's version. */
  readonly detail: string
  /**
   * Largest deviation from what our engine computes, relative to the largest value; left out where there is nothing to
   * compare.
   */
  readonly deviation?: number
  run(): Promise<Times>
  dispose?(): void | Promise<void>
}

/** One engine, ours or another's. Throws a Refusal for a job that it cannot do. */
export interface Peer {
  create(job: Job, threads: number): Promise<Task>
}

/** Why a peer does not run a job: it is listed with this reason. */
export class Refusal extends Error {}

export interface Pace {
  /** ms that a sample takes at least: passes are repeated until then. */
  readonly sample: number
  /** Untimed passes first, fewer where they take long. */
  readonly warmUp: number
}

export type Request =
  | { readonly kind: 'prepare'; readonly job: Job; readonly pace: Pace }
  | { readonly kind: 'sample' }
  | { readonly kind: 'release' }

export type Reply =
  | { readonly kind: 'ready'; readonly detail: string; readonly deviation?: number; readonly pass: number }
  | { readonly kind: 'times'; readonly times: Times; readonly least: Times }
  | { readonly kind: 'released' }
  | { readonly kind: 'refused'; readonly reason: string }

/** One line of the result: `ms` is the median of `n` samples, `least` the shortest pass. */
export interface Row {
  readonly net: string
  readonly mode: 'train' | 'update' | 'inference'
  readonly batch: number
  readonly engine: string
  readonly threads: number
  readonly ms: number
  readonly least: number
  readonly n: number
}

export interface Refused {
  readonly net: string
  readonly mode: Mode
  readonly batch: number
  readonly engine: string
  readonly threads: number
  readonly reason: string
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
