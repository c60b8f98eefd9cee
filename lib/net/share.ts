import type { Blob } from '../blob.js'
import type { Memory } from '../memory.js'
import type { BuiltNet } from './node.js'

/**
 * Let the layers of a net use the params that a layer of the same name has elsewhere. Params that are one in this net stay
 * one. Throws a NetError, and shares nothing, where number or shapes of params differ, or what is one here is two there.
 */
export function shareParams(built: BuiltNet, params: Readonly<Record<string, readonly Blob[]>>): void {
  const shares = new Map<Memory, { source: Blob; by: string }>()
  for (const { key, layer } of built.nodes) {
    const source = params[key]
    if (!source) continue
    if (source.length !== layer.blobs.length)
      throw layer.error(
        `it has ${layer.blobs.length} params, the layer of that name to share with has ${source.length}`,
      )
    layer.blobs.forEach((blob, i) => {
      if (blob.shape.join() !== source[i].shape.join())
        throw layer.error(
          `param ${i} is ${blob.shape.join('×')}, in the net to share with it is ${source[i].shape.join('×')}`,
        )
      const first = shares.get(blob.memory.data)
      if (first && first.source.memory.data !== source[i].memory.data)
        throw layer.error(
          `param ${i} is shared with layer '${first.by}', but the net to share with has two: name it in both nets (param { name: … }), or in none`,
        )
      if (!first) shares.set(blob.memory.data, { source: source[i], by: key })
    })
  }
  // nothing is shared unless all can be
  const given = new Map([...shares].map(([memory, { source }]) => [memory, source]))
  for (const { blob } of built.params) {
    const source = given.get(blob.memory.data)
    if (source) blob.shareData(source)
  }
}
