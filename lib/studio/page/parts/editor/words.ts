// Put in by the build: what the library knows, without the library.
import { types } from 'studio:words'

/** Every type of layer that nets can name. */
export const layerTypes: readonly string[] = types

/** A sentence about a type of layer. */
export async function layerDoc(type: string): Promise<string | undefined> {
  const { layers } = await import('studio:docs')
  return layers[type]
}

/** A sentence about a field of a message. */
export async function fieldDoc(message: string, field: string): Promise<string | undefined> {
  const { fields } = await import('studio:docs')
  return fields[message]?.[field]
}
