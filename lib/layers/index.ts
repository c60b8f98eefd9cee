import type { LayerClass } from '../layer.js'

/** Prototxt type → class. The explicit list: one import and one entry a type, alphabetical. */
export const builtInLayers: Record<string, LayerClass> = {}
