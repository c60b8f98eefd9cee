import { RistrettoError } from '../errors.js'

/** Whether a value may stand for an option, and in words what may. */
export type OptionRule = readonly [fits: (value: unknown) => boolean, wanted: string]

/** A rule for each option that has one; the others have checks of their own. */
export type OptionRules<Options> = { readonly [K in keyof Options]?: OptionRule }

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

/** Throws a RistrettoError for the first option that is given and is not what it must be: a limit of NaN limits nothing. */
export function checkOptions<Options extends object>(options: Options, rules: OptionRules<Options>): void {
  for (const [name, rule] of Object.entries(rules) as [keyof Options & string, OptionRule][]) {
    const value = options[name]
    if (value !== undefined && !rule[0](value))
      throw new RistrettoError(`the option ${name} is ${shown(value)}; it must be ${rule[1]}`)
  }
}

const shown = (value: unknown): string =>
  typeof value === 'string'
    ? `'${value.slice(0, 40)}'`
    : typeof value === 'object' && value !== null
      ? 'an object'
      : String(value).slice(0, 40)
