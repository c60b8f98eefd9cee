import * as v from 'valibot'
import { printable } from '../../system/escape.js'
import { faultsOf } from './faults.js'
import type { Forms, JobKind } from './forms.js'
import type { JobMeta } from './jobs.js'
import type { EvaluatedQuery, InspectRequest, ItemQuery, MetricsQuery, TestOneRequest } from './looking.js'
import { type JobQuery, StudioError } from './studio.js'

/** What comes from outside is checked by these, in forms and routes alike. Each gives what the type of its name says. */

const finite = v.pipe(v.number(), v.finite())
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1))
const above = v.pipe(finite, v.gtValue(0))
const share = v.pipe(finite, v.minValue(0), v.maxValue(1))
const text = (most: number) => v.pipe(v.string(), v.maxLength(most))
const NAME = 200
/** Nets and code: more is no text that a person wrote. */
const SOURCE = 2 ** 20

const name = v.pipe(v.string(), v.trim(), v.minLength(1, 'a name is missing'), v.maxLength(NAME))
export const jobId = v.pipe(v.string(), v.regex(/^[0-9]{8}-[0-9]{4}-[a-z0-9]{4}$/, 'this is no id of a job'))
export const uploadId = v.pipe(v.string(), v.regex(/^[a-z0-9]{16,32}$/, 'this is no upload'))
const setName = v.picklist(['train', 'val', 'test'])
const stage = v.picklist(['train', 'val', 'deploy'])
/** A file below a folder: no way out of it. */
const inner = v.pipe(
  text(1000),
  v.check(path => isInner(path), 'this is no path of a file within the folder'),
)
export const isInner = (path: string): boolean =>
  path !== '' &&
  !/^[a-z]:/i.test(path) &&
  path.split('/').every(part => part !== '' && part !== '.' && part !== '..' && !/[\\\p{Cc}]/u.test(part))

const layers = v.pipe(
  v.record(
    v.pipe(v.string(), v.regex(/^[\w-][\w.-]{0,99}\.[mc]?[jt]s$/, 'a file of code is called such as blank.ts')),
    text(SOURCE),
  ),
  v.check(files => Object.keys(files).length <= 50, 'more than 50 files of code'),
)
const place = v.union([v.strictObject({ upload: uploadId }), v.strictObject({ path: text(4000) })])
const sweep = (one: v.GenericSchema<number>) => v.union([one, v.pipe(v.array(one), v.minLength(1), v.maxLength(100))])

const listed = { train: inner, val: v.optional(inner), test: v.optional(inner), labels: v.optional(inner) }
const dataset = v.strictObject({
  name,
  group: v.optional(text(NAME)),
  source: v.variant('from', [
    v.strictObject({ from: v.literal('folder'), place }),
    v.strictObject({ from: v.literal('zip'), place }),
    v.strictObject({ from: v.literal('idx'), place }),
    v.strictObject({ from: v.literal('lists'), place, ...listed }),
    v.strictObject({ from: v.literal('lmdb'), place, ...listed }),
  ]),
  gray: v.optional(v.boolean()),
  height: v.optional(positive),
  width: v.optional(positive),
  resize: v.optional(v.picklist(['squash', 'crop', 'fill', 'half-crop'])),
  val: v.optional(share),
  test: v.optional(share),
  seed: v.optional(count),
  encode: v.optional(v.picklist(['png', 'jpg'])),
})

const rate = v.variant('policy', [
  v.strictObject({ policy: v.literal('fixed') }),
  v.strictObject({ policy: v.literal('step'), gamma: sweep(above), share: sweep(share) }),
  v.strictObject({
    policy: v.literal('multistep'),
    gamma: sweep(above),
    shares: v.pipe(v.array(share), v.maxLength(100)),
  }),
  v.strictObject({ policy: v.literal('exp'), gamma: sweep(above) }),
  v.strictObject({ policy: v.literal('inv'), gamma: sweep(finite), power: sweep(finite) }),
  v.strictObject({ policy: v.literal('poly'), power: sweep(finite) }),
  v.strictObject({ policy: v.literal('sigmoid'), gamma: sweep(finite), share: sweep(share) }),
  v.strictObject({ policy: v.literal('cosine') }),
  v.strictObject({ policy: v.literal('plateau'), gamma: sweep(above), tests: positive }),
])
const fromZero = v.pipe(finite, v.minValue(0))
const solver = v.strictObject({
  type: v.picklist(['SGD', 'Nesterov', 'AdaGrad', 'RMSProp', 'AdaDelta', 'Adam']),
  rate: sweep(above),
  policy: rate,
  momentum: v.optional(sweep(fromZero)),
  momentum2: v.optional(fromZero),
  delta: v.optional(fromZero),
  decay: v.optional(sweep(fromZero)),
  clip: v.optional(above),
})
const model = v.strictObject({
  name,
  group: v.optional(text(NAME)),
  dataset: jobId,
  net: v.pipe(v.string(), v.minLength(1, 'the net is empty'), v.maxLength(SOURCE)),
  layers: v.optional(layers),
  weights: v.optional(v.strictObject({ job: jobId, iter: v.optional(count) })),
  epochs: above,
  testEvery: v.optional(above),
  snapshotEvery: v.optional(above),
  keep: v.optional(positive),
  watch: v.optional(text(NAME)),
  patience: v.optional(positive),
  batch: v.optional(sweep(positive)),
  accumulate: v.optional(positive),
  seed: v.optional(sweep(count)),
  solver,
  mean: v.optional(v.picklist(['image', 'pixel', 'none'])),
  crop: v.optional(positive),
  mirror: v.optional(v.boolean()),
  engine: v.optional(v.picklist(['wasm', 'native', 'gpu', 'js'])),
  threads: v.optional(v.pipe(positive, v.maxValue(256))),
})
const evaluation = v.strictObject({
  name: v.optional(name),
  model: jobId,
  iter: v.optional(count),
  on: v.union([v.strictObject({ set: setName, dataset: v.optional(jobId) }), v.strictObject({ pictures: place })]),
})
const pretrained = v.strictObject({
  name,
  group: v.optional(text(NAME)),
  source: v.union([
    v.strictObject({ archive: place }),
    v.strictObject({ net: text(SOURCE), weights: place, labels: v.optional(text(SOURCE)), mean: v.optional(place) }),
    v.strictObject({ model: jobId, iter: v.optional(count) }),
  ]),
})

export const forms: { [K in JobKind]: v.GenericSchema<unknown, Forms[K]> } = { dataset, model, evaluation, pretrained }
export const kind = v.picklist(['dataset', 'model', 'evaluation', 'pretrained'])
export const creation = v.strictObject({ kind, form: v.unknown() })

export const meta: v.GenericSchema<unknown, Partial<JobMeta>> = v.strictObject({
  name: v.optional(name),
  notes: v.optional(text(100_000)),
  group: v.optional(v.pipe(v.string(), v.trim(), v.maxLength(NAME))),
  starred: v.optional(v.boolean()),
})

/** Numbers and flags of an address are text. */
const inAddress = <T extends v.GenericSchema<number>>(schema: T) =>
  v.pipe(v.string(), v.regex(/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i, 'this is no number'), v.transform(Number), schema)
const flag = v.pipe(
  v.picklist(['true', 'false']),
  v.transform(value => value === 'true'),
)
const page = { page: v.optional(inAddress(count)), perPage: v.optional(inAddress(v.pipe(positive, v.maxValue(1000)))) }

export const jobQuery: v.GenericSchema<unknown, JobQuery> = v.strictObject({
  kind: v.optional(kind),
  state: v.optional(v.picklist(['queued', 'running', 'interrupted', 'stopped', 'done', 'failed'])),
  group: v.optional(text(NAME)),
  text: v.optional(text(NAME)),
})
export const metricsQuery: v.GenericSchema<unknown, MetricsQuery> = v.strictObject({
  from: v.optional(inAddress(finite)),
  to: v.optional(inAddress(finite)),
  points: v.optional(inAddress(v.pipe(positive, v.maxValue(100_000)))),
})
export const itemQuery: v.GenericSchema<unknown, ItemQuery> = v.strictObject({
  set: setName,
  label: v.optional(inAddress(count)),
  ...page,
})
export const evaluatedQuery: v.GenericSchema<unknown, EvaluatedQuery> = v.strictObject({
  order: v.optional(v.picklist(['stored', 'hardest', 'surest'])),
  label: v.optional(inAddress(count)),
  prediction: v.optional(inAddress(count)),
  wrong: v.optional(flag),
  ...page,
})
export const afterQuery = v.strictObject({ after: v.optional(inAddress(count)) })
export const iterQuery = v.strictObject({ iter: v.optional(inAddress(count)) })
export const idsQuery = v.strictObject({
  ids: v.optional(
    v.pipe(
      v.string(),
      v.transform(ids => ids.split(',')),
      v.array(jobId),
      v.maxLength(1000),
    ),
  ),
})
export const prefixQuery = v.strictObject({ prefix: v.optional(text(4000), '') })
export const pathQuery = v.strictObject({ path: text(4000) })
export const itemParams = v.strictObject({ set: setName, item: inAddress(count) })
export const partParams = v.strictObject({ upload: uploadId, part: inAddress(count) })
/** What a request for one picture says in its address, where the body is the picture's file. */
export const testOneQuery = v.strictObject({
  iter: v.optional(inAddress(count)),
  details: v.optional(flag),
  weights: v.optional(flag),
  stage: v.optional(stage),
})
export const nothing = v.strictObject({})

export const idList = v.strictObject({ ids: v.pipe(v.array(jobId), v.maxLength(10_000)) })
export const pausing = v.strictObject({ paused: v.boolean() })
export const starring = v.strictObject({ iter: count, starred: v.boolean() })
export const hashes = v.strictObject({ sha256: v.pipe(v.array(text(64)), v.maxLength(1000)) })
export const standard = v.strictObject({ name: text(NAME), dataset: jobId })
export const code = v.strictObject({ layers })
export const uploaded = v.strictObject({ upload: uploadId })
export const newUpload = v.strictObject({
  files: v.pipe(v.array(v.strictObject({ path: inner, bytes: count })), v.minLength(1), v.maxLength(1_000_000)),
})

export const inspection: v.GenericSchema<unknown, InspectRequest> = v.strictObject({
  net: text(SOURCE),
  stage,
  dataset: v.optional(jobId),
  layers: v.optional(layers),
  crop: v.optional(positive),
  batch: v.optional(positive),
})

const bytes = v.instance(Uint8Array) as unknown as v.GenericSchema<Uint8Array>
const side = v.pipe(positive, v.maxValue(100_000))
export const testOne: v.GenericSchema<unknown, TestOneRequest> = v.strictObject({
  picture: v.union([
    v.strictObject({ file: bytes }),
    v.strictObject({ width: side, height: side, channels: v.picklist([1, 3]), pixels: bytes }),
    v.strictObject({ dataset: jobId, set: setName, item: count }),
  ]),
  iter: v.optional(count),
  details: v.optional(v.boolean()),
  weights: v.optional(v.boolean()),
  stage: v.optional(stage),
})

/** What a schema gives of a value; a StudioError with every fault at its path otherwise. */
export function checked<T>(schema: v.GenericSchema<unknown, T>, value: unknown, what: string): T {
  const result = v.safeParse(schema, value)
  if (result.success) return result.output
  const faults = faultsOf(schema, result.issues.slice(0, 100))
  const list = faults.map(({ path, message }) => printable(path ? `${path}: ${message}` : message))
  throw new StudioError(`${what} is not what it must be:\n${list.join('\n')}`, 422, faults)
}

export const checkForm = <K extends JobKind>(kind: K, form: unknown): Forms[K] =>
  checked(forms[kind], form, `the form of ${kind === 'evaluation' ? 'an' : 'a'} ${kind}`)
