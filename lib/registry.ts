import type { Engine } from './engine.js'
import { NetError } from './errors.js'
import type { LayerParameter } from './generated/caffe.js'
import type { Layer, LayerClass, LayerContext } from './layer.js'
import { builtInLayers } from './layers/index.js'

const registered = new Map<string, LayerClass>()
const modules = new Map<string, Map<string, LayerClass>>()

/** Make `type: "<type>"` in a prototxt mean this class. A later registration replaces an earlier or built-in one. */
export function registerLayer(type: string, layer: LayerClass): void {
  registered.set(type, layer)
}

/** Make `type: "Python" python_param { module: "<module>" layer: "<class name>" }` mean these classes. */
export function registerLayerModule(module: string, layers: Record<string, LayerClass>): void {
  const known = modules.get(module) ?? new Map<string, LayerClass>()
  for (const [name, layer] of Object.entries(layers)) if (typeof layer === 'function') known.set(name, layer)
  modules.set(module, known)
}

/** All layer types that a prototxt may name here, sorted: Caffe's layer_type_list. */
export function layerTypes(): string[] {
  return [...new Set([...Object.keys(builtInLayers), ...registered.keys(), 'Python'])].sort()
}

/** The layer that a parameter describes, on the context's engine, or on its host engine if a kernel is missing there. */
export function createLayer(param: LayerParameter, context: LayerContext): Layer {
  const layer = findClass(param)
  return new layer(param, { ...context, engine: engineFor(layer, context.engine) })
}

/** The engine that a class of layers runs on: the device if all its kernels are there, else the device's host engine. */
export function engineFor(layer: LayerClass, engine: Engine): Engine {
  if (engine.host === undefined) return engine
  const named = layer.uses.length > 0 || (engine.run !== undefined && !!layer.gpu?.length)
  return named && layer.uses.every(kernel => engine.kernels[kernel] !== undefined) ? engine : engine.host
}

function findClass(param: LayerParameter): LayerClass {
  const type = param.type ?? ''
  const custom = registered.get(type)
  if (custom) return custom
  if (type === 'Python') return findPython(param)
  if (Object.hasOwn(builtInLayers, type)) return builtInLayers[type]
  throw new NetError(
    `layer '${param.name ?? ''}' has the unknown type '${type}'${didYouMean(type)}; register a class for it with registerLayer('${type}', …). Known types: ${layerTypes().join(', ')}`,
  )
}

/** The Python type is Caffe's one door for layers that live outside the library: module and class name instead of a type. */
function findPython(param: LayerParameter): LayerClass {
  const module = param.python_param?.module ?? ''
  const name = param.python_param?.layer ?? ''
  const found = modules.get(module)?.get(name)
  if (found) return found
  const known = [...modules].flatMap(([m, layers]) => [...layers.keys()].map(l => `${m}.${l}`))
  throw new NetError(
    `layer '${param.name ?? ''}' (Python) wants class '${name}' of module '${module}', which is not registered; call registerLayerModule('${module}', { ${name} }) first, or name the file with --layers. ${known.length ? `Registered: ${known.join(', ')}` : 'Nothing is registered yet'}`,
  )
}

function didYouMean(type: string): string {
  const wanted = type.toLowerCase().replace(/[^a-z0-9]/g, '')
  const near = layerTypes().find(known => known.toLowerCase() === wanted)
  return near ? ` (did you mean '${near}'?)` : ''
}
