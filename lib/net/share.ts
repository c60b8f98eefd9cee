import type { Blob } from '../blob.js'
import type { BuiltNet } from './node.js'

/**
 * Let the layers of a net use the params that a layer of the same name has elsewhere. Throws a NetError, and shares
 * nothing, where number or shapes of params differ.
 */
export function shareParams(built: BuiltNet, params: Readonly<Record<string, readonly Blob[]>>): void {
  const shares: (() => void)[] = []
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
      shares.push(() => blob.shareData(source[i]))
    })
  }
  // nothing is shared unless all can be
  for (const share of shares) share()
}
