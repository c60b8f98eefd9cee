import type { Engine } from './engine.js'
import { NetError } from './errors.js'
import type { LayerParameter } from './generated/caffe.js'
import type { Layer, LayerClass, LayerContext } from './layer.js'
import { builtInLayers } from './layers/index.js'
import { builtInModules } from './layers/modules/index.js'
import { declareParams, namesOf } from './proto/declared.js'
import { forkTypes } from './proto/forks.js'
import { placeOf } from './proto/places.js'
import { newerName } from './proto/upgrade.js'
import { listNames, nearestName } from './system/names.js'

const registered = new Map<string, LayerClass>()
/** The one type that is many classes. */
const PYTHON = 'Python'
const modules = new Map<string, Map<string, LayerClass>>()

/** Make `type: "<type>"` in a prototxt mean this class. A later registration replaces an earlier or built-in one. */
export function registerLayer(type: string, layer: LayerClass): void {
  declareParams(type, layer.param ?? [])
  registered.set(type, layer)
}

/** Make `type: "Python" python_param { module: "<module>" layer: "<class name>" }` mean these classes. */
export function registerLayerModule(module: string, layers: Record<string, LayerClass>): void {
  const known = modules.get(module) ?? new Map<string, LayerClass>()
  for (const [name, layer] of Object.entries(layers))
    if (typeof layer === 'function') {
      declareParams(`${module}.${name}`, layer.param ?? [])
      known.set(name, layer)
    }
  modules.set(module, known)
}

/** All layer types that a prototxt may name here, sorted: Caffe's layer_type_list. */
export function layerTypes(): string[] {
  return [...new Set([...Object.keys(builtInLayers), ...registered.keys(), PYTHON])].sort()
}

/**
 * The layer that a parameter describes, on the context's engine, or on its host engine if a kernel is missing there.
 */
export function createLayer(param: LayerParameter, context: LayerContext): Layer {
  const layer = findClass(param)
  const made = new layer(param, { ...context, engine: engineFor(layer, context.engine) })
  // TypeScript says so earlier, JavaScript does not
  for (const method of ['reshape', 'forward'] as const)
    if (typeof made[method] !== 'function')
      throw new NetError(
        `layer '${param.name ?? ''}' (${param.type ?? ''}): its class ${layer.name} has no ${method} method; a layer is a class that extends Layer and has reshape(bottom, top) and forward(bottom, top)`,
      )
  return made
}

/**
 * The engine that a class of layers runs on: the device if all its kernels are there, else the device's host engine.
 */
export function engineFor(layer: LayerClass, engine: Engine): Engine {
  if (engine.isHost) return engine
  const named = layer.uses.length > 0 || (engine.run !== undefined && !!layer.gpu?.length)
  return named && layer.uses.every(kernel => engine.kernels[kernel] !== undefined) ? engine : engine.host
}

/** The class of a type; undefined for one that nobody has registered, and for Python, which is many. */
export const classOfType = (type: string): LayerClass | undefined =>
  registered.get(type) ?? (Object.hasOwn(builtInLayers, type) ? (builtInLayers as Layers)[type] : undefined)

/** Whether the class of a type is the library's own. */
export const isBuiltIn = (type: string): boolean => !registered.has(type) && Object.hasOwn(builtInLayers, type)

type Layers = Readonly<Record<string, LayerClass>>

/** The messages that layers of this type call their own. */
export const messagesOf = (type: string): readonly string[] =>
  namesOf(classOfType(type)?.param ?? (type === PYTHON ? ['python_param'] : []))

/** The class of a layer. Throws a NetError for one that nobody has registered. */
export function findClass(param: LayerParameter): LayerClass {
  const type = param.type ?? ''
  if (type === PYTHON && !registered.has(type)) return findPython(param)
  const known = classOfType(type)
  if (known) return known
  const name = param.name ?? ''
  const field = param.type === undefined ? undefined : 'type'
  const details = { layer: name, field, place: placeOf(param, field) }
  if (!type)
    throw new NetError(`layer '${name}' says no type: write, say, type: "Convolution"; layerTypes() lists all`, details)
  const fork = forkTypes.get(type)
  if (fork)
    throw new NetError(
      `layer '${name}' has the type '${type}' of ${fork.fork} (${fork.does}), which is not here; registerLayer('${type}', …) takes a class of your own for it`,
      details,
    )
  const near = newerName(type) ?? nearestType(param)
  throw new NetError(
    `layer '${name}' has the unknown type '${type}'${near ? ` (did you mean '${near}'?)` : ''}; a type of your own needs registerLayer('${type}', …) before the net is made; layerTypes() lists those that there are`,
    details,
  )
}

/** The type of nearly this name, if it is of the same kind: what has no bottoms is a source, what ends in Loss a loss. */
function nearestType({ type = '', bottom }: LayerParameter): string | undefined {
  const kind = (name: string): string => /Loss|Data$/.exec(name)?.[0] ?? (name === 'Input' ? 'Data' : '')
  const isSource = (name: string): boolean => ['Data', 'Input', 'Parameter'].some(end => name.endsWith(end))
  const alike = layerTypes().filter(
    name => (kind(name) === kind(type) || kind(type) === '') && (bottom?.length ? !isSource(name) : true),
  )
  const nearest = nearestName(type, alike)
  return nearest.close ? nearest.name : undefined
}

/**
 * The Python type is Caffe's one door for layers that live outside the library: module and class name instead of a
 * type.
 */
function findPython(param: LayerParameter): LayerClass {
  const module = param.python_param?.module ?? ''
  const name = param.python_param?.layer ?? ''
  const builtIn = Object.hasOwn(builtInModules, module) ? builtInModules[module] : {}
  const found = modules.get(module)?.get(name) ?? (Object.hasOwn(builtIn, name) ? builtIn[name] : undefined)
  if (found) return found
  const details = { layer: param.name ?? '', field: 'python_param', place: placeOf(param, 'python_param') }
  if (!module || !name)
    throw new NetError(
      `layer '${param.name ?? ''}' (Python) does not say which class it is; write python_param { module: "…" layer: "…" }, and register the class under these names with registerLayerModule`,
      details,
    )
  const names = new Map(Object.entries(builtInModules).map(([m, layers]) => [m, Object.keys(layers)]))
  for (const [m, layers] of modules) names.set(m, [...new Set([...(names.get(m) ?? []), ...layers.keys()])])
  const known = [...names].flatMap(([m, layers]) => layers.map(layer => `${m}.${layer}`))
  throw new NetError(
    `layer '${param.name ?? ''}' (Python) wants class '${name}' of module '${module}', which is not registered; call registerLayerModule('${module}', { ${name} }) first, or name the file with --layers. ${known.length ? `Registered: ${listNames(known)}` : 'Nothing is registered yet'}`,
    details,
  )
}
