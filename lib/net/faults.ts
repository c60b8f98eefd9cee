import type { NetError } from '../errors.js'
import type { LayerParameter, NetParameter } from '../generated/caffe.js'
import { classOf } from '../registry.js'
import { fieldFindings, findingErrors } from './findings.js'
import { unknownType } from './unknown_type.js'

/**
 * What is wrong with the types and fields of a net, whose classes have been fetched.
 * @param broken its text could not be read whole: a type that is missing there is no further mistake
 */
export function faultsOf(net: NetParameter, broken: boolean): NetError[] {
  const { layer = [] } = net
  const read = broken ? layer.filter(({ type }) => type) : layer
  return [...unknownTypes(read), ...findingErrors(net, fieldFindings(net))]
}

/** One error for each type that nobody has registered, at its first layer. */
function unknownTypes(layers: readonly LayerParameter[]): NetError[] {
  const found = new Map<string, { error: NetError; layers: number }>()
  for (const param of layers) {
    if (classOf(param)) continue
    const { module = '', layer = '' } = param.python_param ?? {}
    const key = [param.type, module, layer].join('\0')
    const first = found.get(key)
    if (first) first.layers++
    else found.set(key, { error: unknownType(param), layers: 1 })
  }
  return [...found.values()].map(({ error, layers }) => {
    if (layers > 1) error.message += ` (${layers} layers are of this type)`
    return error
  })
}
