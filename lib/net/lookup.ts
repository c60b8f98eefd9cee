import { RistrettoError } from '../errors.js'
import { didYouMean, listNames } from '../system/names.js'

/** That a net has no blob or layer of that name, with the nearest of those that it has. */
export function notThere(net: string, what: 'blob' | 'layer', name: unknown, names: readonly string[]): RistrettoError {
  const nearest = didYouMean(String(name), names)
  return new RistrettoError(
    `net '${net}' has no ${what} '${String(name)}'${nearest}; its ${what}s are ${listNames(names)}`,
  )
}
