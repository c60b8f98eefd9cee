import type { LayerClass } from '../layer.js'
import { hasBuiltIn, registerLayer, registerLayerModule } from '../registry.js'

/**
 * The layer classes among a module's exports, by name. Recognised by their methods, not by instanceof: a file that has
 * its own copy of the library beside it extends that copy's Layer.
 */
export function layerClasses(exports: Record<string, unknown>): Record<string, LayerClass> {
  const layers: Record<string, LayerClass> = {}
  for (const [name, value] of Object.entries(exports)) {
    if (typeof value !== 'function') continue
    const prototype = value.prototype as Record<string, unknown> | undefined
    if (typeof prototype?.['forward'] !== 'function' || typeof prototype['reshape'] !== 'function') continue
    layers[name === 'default' ? value.name : name] = value as unknown as LayerClass
  }
  return layers
}

/**
 * Register layer classes of a module: as a module under its file's name without extension
 * (`type: "Python" python_param { module: "pyloss" layer: "…" }`), and each class under its own name (`type: "…"`).
 * Returns the classes that take the place of a built-in layer.
 */
export function registerLayersOf(file: string, layers: Readonly<Record<string, LayerClass>>): string[] {
  const name = file.replace(/^.*[\\/]/, '')
  registerLayerModule(name.replace(/(?<=.)\.[^.]*$/, ''), layers)
  for (const [name, layer] of Object.entries(layers)) registerLayer(name, layer)
  return Object.keys(layers).filter(hasBuiltIn)
}

/** As many bottoms of 2×3×4×5 as a layer takes at least: what it is tried with where nothing else is said. */
export const usualBottom = [2, 3, 4, 5] as const
