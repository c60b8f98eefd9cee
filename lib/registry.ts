import type { Engine } from './engine.js'
import { fetchKernels } from './engines/late_kernels.js'
import { NetError, RistrettoError } from './errors.js'
import type { LayerParameter } from './generated/caffe.js'
import { commonLayers, fetchModules, lateLayers, lateModules } from './generated/layers.js'
import type { Layer, LayerClass, LayerContext } from './layer.js'
import { declareParams, namesOf } from './proto/declared.js'
import { whatIs } from './system/arguments.js'
import { didYouMean } from './system/names.js'

const registered = new Map<string, LayerClass>()
/** The library's own that nets have named so far, by type, Python's by module and class. */
const fetched = new Map<string, LayerClass>()
/** The one type that is many classes. */
const PYTHON = 'Python'
const modules = new Map<string, Map<string, LayerClass>>()

/** Make `type: "<type>"` in a prototxt mean this class. A later registration replaces an earlier or built-in one. */
export function registerLayer(type: string, layer: LayerClass): void {
  if (typeof type !== 'string' || !type || typeof layer !== 'function')
    throw new RistrettoError(
      `registerLayer takes the name of a type and a class: registerLayer('Double', DoubleLayer), not ${whatIs(type)} and ${whatIs(layer)}`,
    )
  mustListKernels(type, layer)
  declareParams(type, layer.param ?? [])
  registered.set(type, layer)
}

/** A class's own lists of kernels, which TypeScript looks at and JavaScript does not. */
function mustListKernels(name: string, { uses, gpu }: LayerClass): void {
  for (const [field, list] of Object.entries({ uses, gpu }))
    if (list !== undefined && !Array.isArray(list))
      throw new RistrettoError(`layer ${name}: static ${field} is a list of kernels, not ${whatIs(list)}`)
}

/** Make `type: "Python" python_param { module: "<module>" layer: "<class name>" }` mean these classes. */
export function registerLayerModule(module: string, layers: Record<string, LayerClass>): void {
  if (typeof module !== 'string' || typeof layers !== 'object' || layers === null)
    throw new RistrettoError(
      `registerLayerModule takes a module's name and its classes by name, not ${whatIs(module)} and ${whatIs(layers)}`,
    )
  const known = modules.get(module) ?? new Map<string, LayerClass>()
  for (const [name, layer] of Object.entries(layers))
    if (typeof layer === 'function') {
      mustListKernels(`${module}.${name}`, layer)
      declareParams(`${module}.${name}`, layer.param ?? [])
      known.set(name, layer)
    }
  modules.set(module, known)
}

/** What is registered now; the function that it gives puts it back. Messages that classes declare stay known. */
export function rememberLayers(): () => void {
  const types = new Map(registered)
  const classes = new Map([...modules].map(([module, known]) => [module, new Map(known)]))
  return () => {
    registered.clear()
    for (const [type, layer] of types) registered.set(type, layer)
    modules.clear()
    for (const [module, known] of classes) modules.set(module, known)
  }
}

/** All layer types that a prototxt may name here, sorted: Caffe's layer_type_list. */
export function layerTypes(): string[] {
  const builtIn = [...Object.keys(commonLayers), ...Object.keys(lateLayers)]
  return [...new Set([...builtIn, ...registered.keys(), PYTHON])].sort()
}

/** Python modules and the classes that they have here. */
export function layerModules(): Map<string, string[]> {
  const names = new Map(Object.entries(lateModules).map(([module, layers]) => [module, [...layers]]))
  for (const [module, layers] of modules)
    names.set(module, [...new Set([...(names.get(module) ?? []), ...layers.keys()])])
  return names
}

/**
 * The layer that a parameter describes, on the context's engine, or on its host engine if a kernel is missing there.
 */
export function createLayer(param: LayerParameter, context: LayerContext): Layer {
  const layer = classOf(param)
  if (!layer) throw new NetError(`layer '${param.name ?? ''}' (${param.type ?? ''}): its class is not here`)
  if (!Array.isArray(layer.uses))
    throw new NetError(
      `layer '${param.name ?? ''}' (${param.type ?? ''}): its class ${layer.name} does not extend Layer; a layer is a class that extends Layer and has reshape(bottom, top) and forward(bottom, top)`,
    )
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

/** Whether the library has a class of this type. */
export const hasBuiltIn = (type: string): boolean =>
  Object.hasOwn(commonLayers, type) || Object.hasOwn(lateLayers, type)

/** Whether the class of a type is the library's own. */
export const isBuiltIn = (type: string): boolean => !registered.has(type) && hasBuiltIn(type)

/**
 * The class of a type; undefined for one that nobody has registered, for one of the library that no net has named yet,
 * and for Python, which is many.
 */
export const classOfType = (type: string): LayerClass | undefined =>
  registered.get(type) ?? own(commonLayers, type) ?? fetched.get(type)

/** The messages that layers of this type call their own. */
export const messagesOf = (type: string): readonly string[] =>
  namesOf(classOfType(type)?.param ?? (type === PYTHON ? ['python_param'] : []))

/** The class of a layer, once `fetchClasses` has seen it; undefined for one that there is not. */
export function classOf(param: LayerParameter): LayerClass | undefined {
  const type = param.type ?? ''
  if (type !== PYTHON || registered.has(type)) return classOfType(type)
  const { module = '', layer = '' } = param.python_param ?? {}
  return modules.get(module)?.get(layer) ?? fetched.get(keyOf(module, layer))
}

/** Have the classes of these layers here, as far as the library has them. */
export async function fetchClasses(layers: readonly LayerParameter[]): Promise<void> {
  await Promise.all(layers.filter(param => !classOf(param)).map(fetchClass))
}

/**
 * Have the kernels here that these layers may call, whose classes are: those that the library's own name, and any that
 * a class of somebody else calls.
 */
export async function fetchKernelsOf(layers: readonly LayerParameter[], engine: Engine): Promise<void> {
  const ours = new Set([...Object.values(commonLayers), ...fetched.values()])
  const classes = new Set(layers.flatMap(param => classOf(param) ?? []))
  if ([...classes].every(layer => ours.has(layer)))
    await fetchKernels(
      engine,
      [...classes].flatMap(({ uses }) => uses),
    )
  else {
    await fetchKernels(engine)
    for (const layer of classes) if (!ours.has(layer)) mustKnowKernels(layer, engine)
  }
}

/** A name in `uses` that no engine has would put the layer on a device's host in silence. */
function mustKnowKernels({ name, uses = [] }: LayerClass, engine: Engine): void {
  const { kernels } = engine.isHost ? engine : engine.host
  for (const kernel of uses)
    if (!(kernel in kernels))
      throw new NetError(
        `class ${name} names the kernel '${kernel}' in static uses, and there is none of that name${didYouMean(kernel, Object.keys(kernels))}`,
      )
}

async function fetchClass(param: LayerParameter): Promise<void> {
  const { name = '', type = '', python_param: { module = '', layer = '' } = {} } = param
  try {
    if (type !== PYTHON) knowClasses((await own(lateLayers, type)?.()) ?? {})
    else if (own(lateModules, module)?.includes(layer))
      fetched.set(keyOf(module, layer), (await fetchModules())[module][layer])
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : cause
    throw new NetError(`layer '${name}' (${type}): its class could not be loaded: ${why}`, { cause, layer: name })
  }
}

/** Have these classes of the library here: for who cannot wait for `fetchClasses`. */
export function knowClasses(classes: Readonly<Record<string, LayerClass>>): void {
  for (const [type, layer] of Object.entries(classes)) fetched.set(type, layer)
}

const keyOf = (module: string, layer: string): string => `${module}\0${layer}`

const own = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined
