import { NetError } from '../errors.js'
import type { LayerParameter } from '../generated/caffe.js'
import { forkTypes } from '../proto/forks.js'
import { placeOf } from '../proto/places.js'
import { newerName } from '../proto/upgrade.js'
import { layerModules, layerTypes } from '../registry.js'
import { listNames, nearestName } from '../system/names.js'

/** What to say of a layer whose class is not here. */
export function unknownType(param: LayerParameter): NetError {
  const { name = '', type = '' } = param
  if (type === 'Python') return unknownPython(param)
  const field = param.type === undefined ? undefined : 'type'
  const details = { layer: name, field, place: placeOf(param, field) }
  if (!type)
    return new NetError(
      `layer '${name}' says no type: write, say, type: "Convolution"; layerTypes() lists all`,
      details,
    )
  const fork = forkTypes.get(type)
  if (fork)
    return new NetError(
      `layer '${name}' has the type '${type}' of ${fork.fork} (${fork.does}), which is not here; registerLayer('${type}', …) takes a class of your own for it`,
      details,
    )
  const near = newerName(type) ?? nearestType(param)
  return new NetError(
    `layer '${name}' has the unknown type '${type}'${near ? ` (did you mean '${near}'?)` : ''}; a type of your own needs registerLayer('${type}', …) before the net is made, or on the command line --layers with its file; layerTypes() lists those that there are`,
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
function unknownPython(param: LayerParameter): NetError {
  const { module = '', layer: name = '' } = param.python_param ?? {}
  const details = { layer: param.name ?? '', field: 'python_param', place: placeOf(param, 'python_param') }
  if (!module || !name)
    return new NetError(
      `layer '${param.name ?? ''}' (Python) does not say which class it is; write python_param { module: "…" layer: "…" }, and register the class under these names with registerLayerModule`,
      details,
    )
  const known = [...layerModules()].flatMap(([module, layers]) => layers.map(layer => `${module}.${layer}`))
  return new NetError(
    `layer '${param.name ?? ''}' (Python) wants class '${name}' of module '${module}', which is not registered; call registerLayerModule('${module}', { ${name} }) first, or name the file with --layers. ${known.length ? `Registered: ${listNames(known)}` : 'Nothing is registered yet'}`,
    details,
  )
}
