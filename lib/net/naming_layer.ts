import { NetError, RistrettoError, setPlace, shortened } from '../errors.js'
import type { Layer } from '../layer.js'
import { fieldNamed, placeOf } from '../proto/places.js'
import { whatIs } from '../system/arguments.js'
import { printableLines } from '../system/escape.js'

/**
 * What a layer's own code threw, with the layer's name in front of its message, once, and its place in the prototxt. The
 * error stays what it is, stack included.
 */
export function namingLayer(layer: Layer, error: unknown): unknown {
  if (error instanceof RistrettoError && error.line === undefined)
    setPlace(error, placeOf(layer.param, fieldNamed(layer.param, error.message)))
  if (!isError(error))
    return new NetError(
      shortened(printableLines(`layer '${layer.name}' (${layer.type}): it threw ${whatWas(error)}, which is no Error`)),
      { cause: error, layer: layer.name },
    )
  if (error.message.startsWith("layer '")) return error
  if (!Object.getOwnPropertyDescriptor(error, 'message')?.writable) return error
  const { message, stack } = error
  error.message = shortened(printableLines(`layer '${layer.name}' (${layer.type}): ${message}`))
  if (message && stack) error.stack = stack.replace(message, () => error.message)
  return error
}

/** An error of any realm. */
const isError = (thrown: unknown): thrown is Error => typeof (thrown as Error | null | undefined)?.message === 'string'
const whatWas = (thrown: unknown): string => (typeof thrown === 'string' ? `'${thrown}'` : whatIs(thrown))
