import { RistrettoError } from '../../errors.js'
import type { LayerParameter } from '../../generated/caffe.js'
import { fieldNamed, placeOf } from '../../proto/places.js'
import type { Mark } from '../api/index.js'

/** Name of the text in errors, which marks leave out again. */
export const TEXT = 'net.prototxt'

/** Marks for what was thrown: one for each of its causes, at their places, or at the layer that a message names. */
export function marksOf(error: unknown, layers: readonly LayerParameter[] = []): Mark[] {
  const causes = error instanceof RistrettoError && error.causes.length ? error.causes : [error]
  return causes.map(cause => markOf(cause, 'error', layers))
}

/** A mark for a sentence about a layer, which begins with its name. */
export function hintMark(text: string, layers: readonly LayerParameter[]): Mark {
  return markOf(new RistrettoError(text), 'hint', layers)
}

function markOf(error: unknown, severity: Mark['severity'], layers: readonly LayerParameter[]): Mark {
  const message = error instanceof Error ? error.message : String(error)
  const text = message.replace(/^net\.prototxt(?::\d+)?: /, '')
  const name = /^layer '([^']*)'/.exec(text)?.[1]
  const layer = layers.find(param => (param.name ?? '') === name)
  const own = error instanceof RistrettoError && error.line !== undefined ? error : undefined
  const place = own ?? (layer && placeOf(layer, fieldNamed(layer, text) ?? ''))
  const suggestion = /did you mean '([^']+)'\?/.exec(text)?.[1]
  return {
    severity,
    ...(place && { line: place.line, column: place.column, length: place.length }),
    ...(name !== undefined && { layer: name }),
    message: text,
    ...(suggestion !== undefined && { suggestion }),
  }
}

/** Marks in the order of the text, each once. */
export function inOrder(marks: readonly Mark[]): Mark[] {
  const seen = new Set<string>()
  const once = marks.filter(mark => {
    const key = `${mark.line}:${mark.column}:${mark.message}`
    return !seen.has(key) && seen.add(key)
  })
  return once.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
}
