import { NetError } from '../errors.js'
import type { BuiltNet } from '../net/node.js'
import { didYouMean, listNames } from '../system/names.js'
import type { GraphBuilder } from './builder.js'

/** Places of blobs by their names. */
export function blobNumbers({ blobs, name: net }: BuiltNet, names: readonly string[]): number[] {
  return names.map(name => {
    const i = blobs.findIndex(blob => blob.name === name)
    const known = blobs.map(blob => blob.name)
    if (i < 0)
      throw new NetError(
        `net '${net}' has no blob '${name}' to write${didYouMean(name, known)}; it has ${listNames(known)}`,
      )
    return i
  })
}

/**
 * Give every value its name for good, and the graph its outputs. Inputs are called as their blobs are, and so are outputs;
 * where a blob is written several times, in place, its name is that of the last value, and the ones before are called
 * `blob:layer`. An output that is written over an input, which keeps its name, is called `blob_out`.
 */
export function nameValues(builder: GraphBuilder, net: BuiltNet, outputs: readonly number[]): void {
  const { current, opened } = builder
  const names = new Map<string, string>(builder.inputs.map(({ name }, i) => [builder.inputValues[i], name]))
  const taken = new Set(names.values())
  const give = (value: string, name: string): boolean => {
    if (names.has(value) || taken.has(name) || !opened.has(value)) return false
    taken.add(name)
    names.set(value, name)
    return true
  }
  const finals = outputs.map(blob => {
    const value = current.get(blob)!
    const { name } = net.blobs[blob]
    if (give(value, name)) return name
    const own = taken.has(name) ? builder.valueName(`${name}_out`) : name
    if (give(value, own)) return own
    // the same value under a second name
    builder.nodes.push({ ...builder.identity, name: builder.nodeName(own), inputs: [value], outputs: [own] })
    taken.add(own)
    return own
  })
  for (const [blob, { name }] of net.blobs.entries()) {
    const value = current.get(blob)
    if (value !== undefined && opened.has(value)) give(value, name)
  }
  for (const [value, { blob, layer }] of opened)
    if (!names.has(value)) names.set(value, builder.valueName(`${blob}:${layer}`))
  const nameOf = (value: string): string => names.get(value) ?? value
  for (const node of builder.nodes) {
    node.inputs = node.inputs.map(nameOf)
    node.outputs = node.outputs.map(nameOf)
  }
  builder.nameConstants()
  outputs.forEach((blob, k) => {
    const shape = builder.shapeOf(current.get(blob)!, net.blobs[blob].shape)
    builder.outputs.push({ name: finals[k], type: 'float', shape })
  })
}
