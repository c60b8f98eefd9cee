import { RistrettoError } from '../errors.js'

/**
 * A view of a record or list that can be read but not changed: what a program put there would be used by nobody. Its
 * owner goes on changing `of` itself. A name that is none is undefined, as in any record.
 */
export function fixed<T extends object>(of: T, refusal: (name: string) => string): T {
  const no = (_: T, name: string | symbol): never => {
    throw new RistrettoError(refusal(String(name)))
  }
  return new Proxy(of, { set: no, defineProperty: no, deleteProperty: no })
}

/** Have assignments to fields of `of`, an object or a prototype, refused also where no compiler knows `readonly`. */
export function fixFields<T extends object>(
  of: T,
  names: readonly (keyof T & string)[],
  refusal: (name: string, owner: T) => string,
): void {
  for (const name of names) {
    const { value, get = () => value, enumerable } = Object.getOwnPropertyDescriptor(of, name)!
    const set = function (this: T): never {
      throw new RistrettoError(refusal(name, this))
    }
    Object.defineProperty(of, name, { get, set, enumerable, configurable: true })
  }
}
