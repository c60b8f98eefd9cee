import { RistrettoError } from '../errors.js'

/** The function that `method` was given; a RistrettoError where it is none, before somebody calls it much later. */
export function mustBeFunction<F>(given: F, method: string): F {
  if (typeof given !== 'function') throw new RistrettoError(`${method} takes a function, not ${whatIs(given)}`)
  return given
}

/** Throws a RistrettoError where what `method` was given is not what it takes, for programs that no compiler checks. */
export function mustTake(fits: boolean, method: string, wanted: string, given: unknown): void {
  if (!fits) throw new RistrettoError(`${method} takes ${wanted}, not ${whatIs(given)}`)
}

/** Throws a RistrettoError where `net` is none: a path, a description, a promise that nobody awaited. */
export function mustBeNet(net: unknown, method: string): void {
  const inputs = (net as { inputs?: unknown } | null | undefined)?.inputs
  mustTake(Array.isArray(inputs), method, 'a net, as await Net.create(…) gives it', net)
}

/** Whether a value has fields by name: no array, no function, no null. */
export const isFields = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A value in the words of an error: its type, and `undefined` and `null` as they are. */
export function whatIs(value: unknown): string {
  if (value === undefined || value === null || Number.isNaN(value)) return String(value)
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
