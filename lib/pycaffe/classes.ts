import { builtInLayers } from '../generated/layer_list.js'
import type { LayerClass } from '../layer.js'
import { classOfType, knowClasses, messagesOf } from '../registry.js'

// Nets fetch the classes that they name; what describes nets cannot wait, so all of them come with it.

let isKnown = false

function know(): void {
  if (!isKnown) knowClasses(builtInLayers)
  isKnown = true
}

/** The class of a type; undefined for one that nobody has registered. */
export function knownClass(type: string): LayerClass | undefined {
  know()
  return classOfType(type)
}

/** The messages that layers of this type call their own. */
export function knownMessages(type: string): readonly string[] {
  know()
  return messagesOf(type)
}
