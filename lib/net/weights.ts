import type { BlobProto, LayerParameter } from '../generated/caffe.js'

/**
 * Layers with their blobs, by key: the part of a model that copying needs. HDF5 models leave shared blobs out, which
 * are undefined.
 */
export type Weights = readonly { readonly name: string; readonly blobs: readonly (BlobProto | undefined)[] }[]

/** What a model file holds. */
export interface Model {
  readonly weights: Weights
  /** Its layers that read pictures, as the training had them; HDF5 models hold none. */
  readonly pictures: readonly LayerParameter[]
}

/** `ip` for the first layer named ip, `ip#2` for the second: Caffe lets several layers have one name. */
export function keyOf(name: string, taken: Set<string>): string {
  let key = name
  for (let k = 2; taken.has(key); k++) key = `${name}#${k}`
  taken.add(key)
  return key
}
