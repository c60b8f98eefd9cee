import { RistrettoError } from '../errors.js'
import { whatIs } from './arguments.js'
import { oneOf as oneOfNames } from './names.js'

/** Whether a value may stand for an option, and in words what may. */
export type OptionRule = readonly [fits: (value: unknown) => boolean, wanted: string]

/** A rule for each option that there is: what stands in no table is a mistake. */
export type OptionRules<Options> = { readonly [K in keyof Required<Options>]: OptionRule }

/** What is checked where it is used. */
export const anything: OptionRule = [() => true, 'anything']

export const aCount: OptionRule = [v => Number.isSafeInteger(v) && (v as number) >= 1, 'a whole number from 1 on']
export const aSeed: OptionRule = [v => Number.isSafeInteger(v) && (v as number) >= 0, 'a whole number from 0 on']
export const aWhole: OptionRule = [Number.isSafeInteger, 'a whole number']
/** Of bytes, milliseconds or operations; Infinity is none. */
export const aLimit: OptionRule = [v => typeof v === 'number' && v >= 0, 'a number from 0 on']
export const aFlag: OptionRule = [v => typeof v === 'boolean', 'true or false']
export const aFunction: OptionRule = [v => typeof v === 'function', 'a function']
export const names: OptionRule = [v => Array.isArray(v) && v.every(s => typeof s === 'string'), 'a list of names']
export const aSignal: OptionRule = [v => typeof (v as AbortSignal | null)?.aborted === 'boolean', 'an AbortSignal']
export const oneOf = (...values: readonly string[]): OptionRule => [
  v => values.includes(v as string),
  values.map(value => `'${value}'`).join(' or '),
]

export const aNumber: OptionRule = [Number.isFinite, 'a number']
export const aText: OptionRule = [v => typeof v === 'string' && v !== '', 'a text']
export const aPath: OptionRule = [v => typeof v === 'string' && v !== '', 'a path']
export const aFile: OptionRule = [
  v => (typeof v === 'string' && v !== '') || v instanceof URL || v instanceof Uint8Array,
  'a path, a URL or the bytes of a file',
]
export const anObject: OptionRule = [v => typeof v === 'object' && v !== null && !Array.isArray(v), 'an object']
export const anEngine: OptionRule = [v => aText[0](v) || anObject[0](v), 'a name or an engine']
/** Of numbers or anything, typed or not. */
export const anArray: OptionRule = [v => Array.isArray(v) || ArrayBuffer.isView(v), 'an array']
/** A list of so many whole numbers from 1 on. */
export const sizes = (count: number): OptionRule => [
  v => Array.isArray(v) && v.length === count && v.every(dim => aCount[0](dim)),
  `${count} whole numbers from 1 on`,
]
export const aList: OptionRule = [v => typeof v !== 'string' && isIterable(v), 'a list']

const isIterable = (value: unknown): boolean =>
  typeof (value as Iterable<unknown> | null | undefined)?.[Symbol.iterator] === 'function'

/**
 * Throws a RistrettoError for options that are no object, for a name that is none of theirs, and for the first that is
 * given and is not what it must be: a limit of NaN limits nothing.
 * @param of whose options they are: 'Net.create'
 */
export function checkOptions<Options extends object>(of: string, options: Options, rules: OptionRules<Options>): void {
  const known = Object.keys(rules)
  if (!anObject[0](options))
    throw new RistrettoError(`${of}: options are an object, { ${known[0]}: … }, not ${whatIs(options)}`)
  for (const [name, value] of Object.entries(options))
    if (value !== undefined && !Object.hasOwn(rules, name))
      throw new RistrettoError(`${of} has no option '${name.slice(0, 80)}'${oneOfNames(name, known)}`)
  checkValues(options, rules)
}

/** The same of those that there are rules for. */
export function checkValues<Options extends object>(options: Options, rules: OptionRules<Options>): void {
  for (const [name, rule] of Object.entries(rules) as [keyof Options & string, OptionRule][]) {
    const value = options[name]
    if (value !== undefined && !rule[0](value))
      throw new RistrettoError(`the option ${name} is ${shown(value)}; it must be ${rule[1]}`)
  }
}

/** The same where some may not be left out. */
export function checkNeeded<Options extends object>(
  of: string,
  options: Options,
  rules: OptionRules<Options>,
  needed: readonly (keyof Options & string)[],
): void {
  checkOptions(of, options, rules)
  for (const name of needed)
    if (options[name] === undefined) throw new RistrettoError(`${of} needs the option ${name}: ${rules[name][1]}`)
}

/** Those of the options that the rules know: what is handed on to a function with fewer. */
export function only<Options extends object>(options: Options, rules: OptionRules<Options>): Options {
  return Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(rules, name))) as Options
}

const shown = (value: unknown): string =>
  typeof value === 'string'
    ? `'${value.slice(0, 40)}'`
    : typeof value === 'object' && value !== null
      ? 'an object'
      : String(value).slice(0, 40)
