import * as v from 'valibot'
import { printable } from '../../system/escape.js'
import { didYouMean, listNames } from '../../system/names.js'
import type { RequestFault } from './studio.js'

/** The parts of a valibot schema that say what it takes. */
interface Described {
  readonly type: string
  readonly wrapped?: Described
  readonly entries?: Readonly<Record<string, Described>>
  readonly item?: Described
  readonly value?: Described
  readonly options?: readonly unknown[]
  readonly literal?: unknown
  readonly key?: unknown
}

type Issue = v.BaseIssue<unknown>

/** What is wrong with a value, in words of a person who wrote it: where, what was expected, and what stood there. */
export function faultsOf(schema: v.GenericSchema, issues: readonly Issue[]): RequestFault[] {
  return issues.flatMap(issue => faultOf(schema as unknown as Described, issue, []))
}

function faultOf(root: Described, issue: Issue, above: readonly string[]): RequestFault[] {
  const steps = issue.path ?? []
  const keys = steps.map(({ key }) => String(key))
  const path = [...above, ...keys].join('.')
  const last = steps.at(-1)
  const known = schemaAt(root, steps)
  if (issue.kind === 'schema' && last?.type === 'object') {
    const holder = chosen(schemaAt(root, steps.slice(0, -1)), last.input)
    const key = String(last.key)
    if (issue.expected === 'never') return [{ path, message: noField(key, holder) }]
    if (!Object.hasOwn(last.input as object, key)) {
      const expected = known ? wanted(known) : ''
      return [{ path, message: `is missing${expected && `: ${expected}`}` }]
    }
  }
  if (known && issue.type === 'union' && isObject(issue.input)) {
    const nearest = nearestOption(known, issue.input)
    const { issues = [] } = nearest ? v.safeParse(nearest as unknown as v.GenericSchema, issue.input) : {}
    if (nearest) return issues.flatMap(inner => faultOf(nearest, inner, [...above, ...keys]))
  }
  return [{ path, message: issue.kind === 'schema' ? notThis(issue, known) : tooFar(issue) }]
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

const plain = (schema: Described | undefined): Described | undefined =>
  schema?.type === 'optional' ? plain(schema.wrapped) : schema

const optionsOf = (schema: Described): readonly Described[] => (schema.options ?? []) as readonly Described[]

/** The alternative that a value meant: the one that has most of its fields, where any has one. */
function nearestOption(schema: Described, value: Readonly<Record<string, unknown>>): Described | undefined {
  const counts = optionsOf(plain(schema)!).map(option => {
    const { entries = {} } = plain(option)!
    return Object.keys(entries).filter(name => Object.hasOwn(value, name)).length
  })
  const most = Math.max(...counts)
  return most > 0 ? optionsOf(plain(schema)!)[counts.indexOf(most)] : undefined
}

/** The schema of what stands at a path, as far as it can be told. */
function schemaAt(root: Described, steps: readonly v.IssuePathItem[]): Described | undefined {
  let schema = chosen(root, steps[0]?.input)
  for (const [i, { key, value }] of steps.entries()) {
    if (!schema) return i === steps.length - 1 ? discriminators(root, steps) : undefined
    const { entries = {}, item, value: each } = schema
    const inner = Object.hasOwn(entries, String(key)) ? entries[String(key)] : (item ?? each)
    // the last is wanted as it stands, with all of its alternatives
    if (i === steps.length - 1) return inner
    schema = chosen(inner, value)
  }
  return plain(root)
}

/** Where no alternative was meant, what tells them from each other. */
function discriminators(root: Described, steps: readonly v.IssuePathItem[]): Described | undefined {
  const above = steps.length > 1 ? schemaAt(root, steps.slice(0, -1)) : root
  const schema = plain(above)
  const key = steps.at(-1)?.key
  if (schema?.type !== 'variant' || schema.key !== key) return undefined
  return { type: 'picklist', options: tagsOf(schema) }
}

/** What tells the alternatives of a variant from each other. */
const tagsOf = (schema: Described): readonly unknown[] =>
  optionsOf(schema).map(({ entries }) => entries?.[String(schema.key)]?.literal)

/** Of alternatives, that of a value. */
function chosen(given: Described | undefined, value: unknown): Described | undefined {
  const schema = plain(given)
  if (schema?.type === 'variant') {
    const tag = String(schema.key)
    return optionsOf(schema).find(({ entries }) => isObject(value) && entries?.[tag]?.literal === value[tag])
  }
  if (schema?.type !== 'union') return schema
  if (Array.isArray(value)) return optionsOf(schema).find(({ type }) => type === 'array')
  return isObject(value) ? nearestOption(schema, value) : undefined
}

function noField(key: string, holder: Described | undefined): string {
  const shown = printable(key.slice(0, SHOWN))
  const { entries = {} } = holder ?? {}
  // what belongs one level deeper
  const within = Object.keys(entries).find(name => fieldsOf(entries[name]).includes(key))
  const names = Object.keys(entries)
  const meant = within ? `; did you mean '${within}': { '${shown}': … }?` : didYouMean(key, names)
  return `there is no field '${shown}' here${meant}${names.length ? `; there are ${listNames(names)}` : ''}`
}

function fieldsOf(schema: Described): readonly string[] {
  const { entries, options } = plain(schema)!
  if (entries) return Object.keys(entries)
  return (options ?? []).flatMap(option => (isObject(option) ? fieldsOf(option as unknown as Described) : []))
}

/** What a schema takes, in a few words. */
function wanted(given: Described): string {
  const schema = plain(given)!
  switch (schema.type) {
    case 'string':
      return 'a text'
    case 'number':
      return 'a number'
    case 'boolean':
      return 'true or false'
    case 'literal':
      return JSON.stringify(schema.literal)
    case 'picklist':
      return (schema.options ?? []).map(option => JSON.stringify(option)).join(' or ')
    case 'array':
      return `a list, each of it ${wanted(schema.item!)}`
    case 'instance':
      return 'bytes'
    case 'record':
      return 'an object of names and values'
    case 'strict_object':
      return `{ ${Object.entries(schema.entries!)
        .map(([name, { type }]) => (type === 'optional' ? `${name}?` : name))
        .join(', ')} }`
    case 'variant':
      return `{ ${schema.key}: ${tagsOf(schema)
        .map(tag => JSON.stringify(tag))
        .join(' or ')}, … }`
    case 'union':
      return optionsOf(schema).map(wanted).join(' or ')
    default:
      return ''
  }
}

function notThis({ input }: Issue, known: Described | undefined): string {
  const expected = known ? wanted(known) : ''
  return expected ? `must be ${expected}, not ${valueText(input)}` : `must not be ${valueText(input)}`
}

/** How a check says what it asks for. */
const ASKED: Readonly<Record<string, (requirement: unknown) => string>> = {
  min_value: least => `must be at least ${least}`,
  max_value: most => `must be at most ${most}`,
  gt_value: bound => `must be above ${bound}`,
  safe_integer: () => 'must be a whole number',
  finite: () => 'must be a finite number',
}

/** A value of the right kind that a check refused. */
function tooFar({ type, input, requirement, message }: Issue & { readonly requirement?: unknown }): string {
  if (ASKED[type]) return `${ASKED[type](requirement)}, not ${valueText(input)}`
  const many = Array.isArray(input) ? 'values' : 'characters'
  const { length = 0 } = input as { length?: number }
  if (type === 'max_length') return `has ${length} ${many}: at most ${requirement}`
  if (type === 'min_length' && Array.isArray(input)) return `has ${length} ${many}: at least ${requirement}`
  return typeof input === 'string' && input !== '' ? `${message}: ${valueText(input)}` : message
}

/** So much of a value is told again. */
const SHOWN = 60

function valueText(value: unknown): string {
  if (typeof value === 'string')
    return printable(JSON.stringify(value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value))
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (value instanceof Uint8Array) return 'bytes'
  if (!isObject(value)) return value === undefined ? 'nothing' : String(value)
  const names = Object.keys(value).map(name => name.slice(0, SHOWN))
  return names.length ? printable(`{ ${listNames(names)} }`) : '{}'
}
