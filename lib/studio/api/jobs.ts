import type { AnyForm, JobKind } from './forms.js'
import type { JobId, SetName } from './names.js'

/**
 * - `queued`: waits for its turn.
 * - `running`: a process or worker is at it.
 * - `interrupted`: it ran, and nobody is at it any more; it goes on by itself from its newest whole snapshot, or by `resume`
 *   where two attempts in a row brought nothing.
 * - `stopped`: by a person; `resume` goes on.
 * - `done`, `failed`: over.
 */
export type JobState = 'queued' | 'running' | 'interrupted' | 'stopped' | 'done' | 'failed'

/** What a person may change about a job at any time. */
export interface JobMeta {
  readonly name: string
  readonly notes: string
  readonly group: string
  readonly starred: boolean
}

/** How far a job is: rewritten as it goes on. */
export interface JobProgress {
  readonly state: JobState
  /** How many times it was started. */
  readonly attempt: number
  /** 0 … 1. */
  readonly progress: number
  /** Seconds that it probably takes yet; left out where nobody can tell. */
  readonly eta?: number
  /** Seconds of work so far, over all attempts. */
  readonly seconds: number
  /** Updates so far, of how many; of a model. */
  readonly iter?: number
  readonly maxIter?: number
  /** Passes over the training set so far, of how many; of a model. */
  readonly epoch?: number
  readonly epochs?: number
  /** Newest values, of a model: the smoothed loss, and every output of the last test. */
  readonly loss?: number
  readonly outputs?: Readonly<Record<string, number>>
  /** The best test so far of the output that is watched; of equal ones, the one with the lowest loss. */
  readonly best?: {
    readonly output: string
    readonly value: number
    readonly loss?: number
    readonly iter: number
    readonly epoch: number
  }
  /** Why it failed, for a person: one or several lines. */
  readonly error?: string
  /** Files of code that wait for a person's consent before the job may run; see `trust`. */
  readonly untrusted?: readonly CodeFile[]
}

/** A file of code that belongs to a job. */
export interface CodeFile {
  readonly file: string
  readonly sha256: string
}

/** A job as a list shows it. */
export interface JobSummary extends JobMeta, JobProgress {
  readonly id: JobId
  readonly kind: JobKind
  /** Milliseconds since 1970. */
  readonly created: number
  /** The jobs that it is made from. */
  readonly parents: { readonly dataset?: JobId; readonly model?: JobId }
}

/** All of a job but its files. */
export interface Job extends JobSummary {
  /** What it was made from, as it was filled in. */
  readonly form: AnyForm
  /** Jobs that are made from it. */
  readonly children: readonly JobSummary[]
  /** Snapshots that stand, in order of their iterations; of a model. */
  readonly snapshots: readonly Snapshot[]
  readonly code: readonly CodeFile[]
  /** What became of it, once it is done; see DatasetResult, EvaluationResult. */
  readonly result?: DatasetResult | EvaluationResult
}

/** Weights of a training at an iteration. */
export interface Snapshot {
  readonly iter: number
  readonly epoch: number
  /** The one with the best value of the output that is watched: never removed. */
  readonly best: boolean
  /** Kept by a person. */
  readonly starred: boolean
  /** Outputs of the test at this iteration. */
  readonly outputs: Readonly<Record<string, number>>
  readonly bytes: number
}

/** What a dataset consists of; `summary.json` of `makeDataset`, and what it takes on disk. */
export interface DatasetResult {
  readonly kind: 'dataset'
  readonly classes: readonly string[]
  readonly channels: 1 | 3
  readonly height: number
  readonly width: number
  readonly mean: readonly number[]
  readonly sets: Readonly<Partial<Record<SetName, { readonly records: number; readonly histogram: readonly number[] }>>>
  readonly leftOut: readonly { readonly file: string; readonly reason: string }[]
  readonly notes: readonly string[]
  readonly bytes: number
}

/** How good a model is, over a set or other pictures. */
export interface EvaluationResult {
  readonly kind: 'evaluation'
  readonly items: number
  /** Items whose label is known: what follows counts these alone, and is 0 where there are none. */
  readonly labelled: number
  readonly accuracy: number
  /** Element k − 1: share of the items whose label is among the k best. */
  readonly topShares: readonly number[]
  readonly loss: number
  readonly classes: readonly string[]
  /** Row: label, column: prediction. */
  readonly confusion: readonly (readonly number[])[]
  /** Of each class; null where nothing was predicted or nothing is there. */
  readonly perClass: readonly {
    readonly items: number
    readonly precision: number | null
    readonly recall: number | null
    readonly f1: number | null
  }[]
}

/** What happens in a job. `seq` counts from 1 in each job, without a gap. */
export type JobEvent = { readonly seq: number; readonly t: number } & (
  | {
      readonly kind: 'start'
      readonly attempt: number
      /** Points of earlier attempts at this iteration or later happen again: readers drop them. */
      readonly iter: number
      readonly resumedFrom?: string
      /** Of a model: how many updates it shall have, and make a pass over the training set. */
      readonly maxIter?: number
      readonly iterationsPerEpoch?: number
      /** The output of the test that decides which snapshot is best, which of its values are better, and the loss that decides between equal ones. */
      readonly watch?: { readonly output: string; readonly better: 'min' | 'max'; readonly loss?: string }
    }
  | {
      readonly kind: 'train'
      readonly iter: number
      readonly lr: number
      readonly loss: number
      /** Other outputs of the training net by name. */
      readonly outputs?: Readonly<Record<string, number>>
      readonly iterationsPerSecond?: number
    }
  | { readonly kind: 'test'; readonly iter: number; readonly outputs: Readonly<Record<string, number>> }
  /** It stands; a second one with `best` follows where its test was the best so far. */
  | { readonly kind: 'snapshot'; readonly iter: number; readonly best: boolean; readonly bytes: number }
  | { readonly kind: 'progress'; readonly done: number; readonly total: number; readonly text?: string }
  | { readonly kind: 'skipped'; readonly file: string; readonly reason: string }
  | { readonly kind: 'log'; readonly text: string }
  | { readonly kind: 'hint'; readonly iter: number; readonly text: string }
  | { readonly kind: 'memory'; readonly bytes: number }
  | { readonly kind: 'done' }
  | { readonly kind: 'stopped'; readonly iter?: number }
  | { readonly kind: 'failed'; readonly error: string }
)

/** What pages are told, in one stream for all jobs. `id` numbers them for `after`. */
export type StudioEvent = { readonly id: number } & (
  | { readonly kind: 'job'; readonly job: JobSummary }
  | { readonly kind: 'removed'; readonly job: JobId }
  | { readonly kind: 'event'; readonly job: JobId; readonly event: JobEvent }
  /** Too much happened since `after` to tell it again: read everything anew. */
  | { readonly kind: 'reset' }
)
