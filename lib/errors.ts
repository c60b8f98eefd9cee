/** The base of every error the library throws on purpose: catch this to catch them all. */
export class RistrettoError extends Error {
  override name = 'RistrettoError'

  /** A message of more than 4,000 characters is shortened in its middle. */
  constructor(message: string, options?: ErrorOptions) {
    super(shortened(message), options)
  }
}

/** Messages quote names and lists from files, which may be of any length. */
const MAX_MESSAGE = 4000

const shortened = (message: string): string =>
  message.length <= MAX_MESSAGE ? message : `${message.slice(0, MAX_MESSAGE - 1000)} … ${message.slice(-999)}`

/** A file or byte string that cannot be read as what it claims to be: truncated, hostile, or of another format. */
export class FormatError extends RistrettoError {
  override name = 'FormatError'
}

/**
 * A net or solver description that breaks one of Caffe's rules. The message names the layer, the rule and the values.
 */
export class NetError extends RistrettoError {
  override name = 'NetError'
}

/** An engine, adapter or optional package that cannot be used here. The message says why and what to do. */
export class EngineError extends RistrettoError {
  override name = 'EngineError'
}

/** What the operating system refused, as an error that says what was wanted. */
export const systemError = (wanted: string, error: unknown): RistrettoError =>
  new RistrettoError(`${wanted}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })

/**
 * What a layer's own code threw, with the layer's name in front of its message, once. The error stays what it is, stack
 * included.
 */
export function namingLayer(layer: { readonly name: string; readonly type: string }, error: unknown): unknown {
  if (!(error instanceof Error) || error.message.startsWith("layer '")) return error
  if (!Object.getOwnPropertyDescriptor(error, 'message')?.writable) return error
  const { message, stack } = error
  error.message = `layer '${layer.name}' (${layer.type}): ${message}`
  if (message && stack) error.stack = stack.replace(message, () => error.message)
  return error
}
