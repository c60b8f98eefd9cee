import type { JobEvent, JobMeta } from '../api/index.js'
import { isJobId, type JobFile } from './job_files.js'
import type { StateFile } from './state.js'

/**
 * What files of a job must be before anybody goes by them: jobs write into their folders, people edit there, and archives
 * bring whole ones.
 */

type Check = (value: unknown) => boolean
type Fields = Readonly<Record<string, Check>>

const number: Check = value => typeof value === 'number'
const text: Check = value => typeof value === 'string'
const flag: Check = value => typeof value === 'boolean'
/** JSON has no other word for what is no number. */
const value: Check = given => given === null || typeof given === 'number'
const maybe =
  (check: Check): Check =>
  given =>
    given === undefined || check(given)
const isObject = (given: unknown): given is Record<string, unknown> =>
  typeof given === 'object' && given !== null && !Array.isArray(given)
const each =
  (check: Check): Check =>
  given =>
    isObject(given) && Object.values(given).every(check)
const has =
  (fields: Fields): Check =>
  given =>
    isObject(given) && Object.entries(fields).every(([name, check]) => check(given[name]))
const one =
  (...names: readonly string[]): Check =>
  given =>
    names.includes(given as string)

const watch = has({ output: text, better: one('min', 'max'), loss: maybe(text) })
const EVENTS: Readonly<Record<JobEvent['kind'], Check>> = {
  start: has({
    ...{ attempt: number, iter: number, resumedFrom: maybe(text), maxIter: maybe(number) },
    ...{ iterationsPerEpoch: maybe(number), watch: maybe(watch) },
  }),
  train: has({
    ...{ iter: number, lr: value, loss: value, outputs: maybe(each(value)), iterationsPerSecond: maybe(value) },
  }),
  test: has({ iter: number, outputs: each(value) }),
  snapshot: has({ iter: number, best: flag, bytes: number }),
  progress: has({ done: number, total: number, text: maybe(text) }),
  skipped: has({ file: text, reason: text }),
  log: has({ text }),
  hint: has({ iter: number, text }),
  memory: has({ bytes: number }),
  done: () => true,
  stopped: has({ iter: maybe(number) }),
  failed: has({ error: text }),
}

/** Whether a line of `events.jsonl` is an event. */
export const isEvent = (given: unknown): given is JobEvent =>
  isObject(given) &&
  Number.isSafeInteger(given['seq']) &&
  number(given['t']) &&
  Object.hasOwn(EVENTS, String(given['kind'])) &&
  EVENTS[given['kind'] as JobEvent['kind']](given)

const STATE = has({
  ...{ version: given => given === 1, attempt: number, progress: number, seconds: number, fruitless: number },
  state: one('queued', 'running', 'interrupted', 'stopped', 'done', 'failed'),
  ...{ read: number, farthest: number, before: number, snapshots: number, snapshotsBefore: number },
  ...{ eta: maybe(value), iter: maybe(number), maxIter: maybe(number), epoch: maybe(value), epochs: maybe(value) },
  ...{ loss: maybe(value), outputs: maybe(each(value)), error: maybe(text), iterationsPerEpoch: maybe(number) },
  best: maybe(has({ output: text, value, loss: maybe(value), iter: number, epoch: number })),
  watch: maybe(watch),
  begun: maybe(has({ t: number, iter: number, seconds: number })),
})

export const isState = (given: unknown): given is StateFile => STATE(given)

const META = has({ name: text, notes: text, group: text, starred: flag })

export const isMeta = (given: unknown): given is JobMeta => META(given)

const parent = maybe(isJobId)
const code = has({ file: text, sha256: given => text(given) && /^[0-9a-f]{64}$/.test(given as string) })
const JOB = has({
  version: given => given === 1,
  id: isJobId,
  kind: one('dataset', 'model', 'evaluation', 'pretrained'),
  form: given => isObject(given) && isShallow(given),
  parents: given =>
    has({ dataset: parent, model: parent })(given) &&
    Object.keys(given as object).every(name => name === 'dataset' || name === 'model'),
  created: number,
  code: given => Array.isArray(given) && given.every(code),
})

/** Whether a `job.json` is one. What its form asks for is checked where somebody does it. */
export const isJobFile = (given: unknown): given is JobFile => JOB(given)

/** No form is deeper. */
const DEEP = 20

function isShallow(given: unknown, depth = 0): boolean {
  if (typeof given !== 'object' || given === null) return true
  return depth < DEEP && Object.values(given).every(inner => isShallow(inner, depth + 1))
}
