import { type Blob, shapeText } from '../blob.js'
import { fileKind, isHdf5 } from '../data/file_kind.js'
import { FormatError, NetError, RistrettoError } from '../errors.js'
import type { BlobProto, LayerParameter, NetParameter } from '../generated/caffe.js'
import type { Net } from '../net.js'
import { blobData, blobDiff, blobShape, sameShape, toBlobProto } from '../proto/blob_proto.js'
import { upgradeNet } from '../proto/upgrade.js'
import { readMessageSteps, writeMessage } from '../proto/wire.js'
import { type FileSource, type Files, fileName, isFileSource } from '../system/files.js'
import { inTurns } from '../system/macrotask.js'
import { listNames } from '../system/names.js'
import { writeFileSafely } from '../system/write_file.js'
import { netToHdf5, readHdf5Weights, refuseOthers } from './hdf5.js'

/** Caffe's two formats of model files. */
export type NetFormat = 'caffemodel' | 'hdf5'

/** How weights are copied into a net. */
export interface CopyOptions {
  /**
   * Default true: a param of another shape is an error, as in Caffe, and so is a source none of whose layers has the
   * name of one of the net's. false: what does not fit is left as it is and reported.
   */
  strict?: boolean
}

/** What copyFrom did, by layer name; as a string, a line for each list that is not empty. */
export class CopyReport {
  readonly loaded: string[] = []
  /** Layers of this net with params that the source does not have: they keep their values. */
  readonly missing: string[] = []
  /** Layers of the source that this net does not have. */
  readonly extra: string[] = []
  /**
   * Layers whose params have another shape in the source; `index` is the first such param. Only with `strict: false`.
   */
  readonly mismatched: { layer: string; index: number; net: number[]; source: number[] }[] = []

  /** The report in words, a line for each thing that was left. */
  toString(): string {
    const shapes = this.mismatched.map(
      ({ layer, net, source }) => `${layer} (${shapeText(source)} in the source, ${shapeText(net)} here)`,
    )
    const lines = [
      ['loaded', this.loaded],
      ['not in the source, keep their values', this.missing],
      ['not in the net, left out', this.extra],
      ['of another shape, keep their values', shapes],
    ] as const
    const text = lines.filter(([, names]) => names.length).map(([what, names]) => `${what}: ${names.join(', ')}`)
    return text.join('\n') || 'nothing to load'
  }
}

/** Named layers with their blobs: the part of a model that copyFrom needs. HDF5 models leave shared blobs out. */
export type Weights = readonly { readonly name: string; readonly blobs: readonly (BlobProto | undefined)[] }[]

/** Weights from wherever they are; old formats are upgraded first. */
export async function readWeights(source: FileSource | NetParameter | Net, files: Files): Promise<Weights> {
  if (isFileSource(source)) {
    const file = fileName(source)
    const bytes = await files.read(source)
    if (bytes.length === 0) throw new FormatError(`${file}: it is empty, so it is no model`)
    if (isHdf5(bytes)) return readHdf5Weights(bytes, file)
    refuseOthers(fileKind(bytes), 'model', file)
    return weightsOf(
      upgradeNet(await inTurns(readMessageSteps('NetParameter', bytes, { file, own: files.isOwn(bytes) }))).layer ?? [],
    )
  }
  if ('nodes' in source)
    return weightsOf(source.nodes.map(node => ({ name: node.name, blobs: netBlobs(node.layer.blobs) })))
  return weightsOf(upgradeNet(source).layer ?? [])
}

const weightsOf = (layers: readonly LayerParameter[]): Weights =>
  layers.filter(layer => layer.blobs?.length).map(layer => ({ name: layer.name ?? '', blobs: layer.blobs! }))

/** Blobs as protos that look at the same memory. */
const netBlobs = (blobs: Net['layers'][number]['blobs']): BlobProto[] =>
  blobs.map(blob => ({ shape: { dim: blob.shape }, data: blob.memory.data.values }))

/**
 * Copy by layer name; every check comes before the first write, so that an error leaves the net as it was. What was
 * done is logged layer by layer, in the order of the source and in Caffe's words.
 */
export function copyWeights(net: Net, weights: Weights, { strict = true }: CopyOptions): CopyReport {
  const report = new CopyReport()
  const shared = sharedParams(net)
  const writes: (() => void)[] = []
  const lines: string[] = []
  const mismatched = (entry: CopyReport['mismatched'][number], what: string) => {
    report.mismatched.push(entry)
    lines.push(`Leaving out source layer ${entry.layer}: ${what}`)
  }
  for (const { name, blobs } of weights) {
    const own = net.params[name]
    if (!own) {
      report.extra.push(name)
      lines.push(`Ignoring source layer ${name}`)
      continue
    }
    const layer = net.layerDict[name]
    if (blobs.length > own.length || own.some((blob, i) => blobs[i] === undefined && !shared.has(blob))) {
      if (strict)
        throw layer.error(
          `the source has ${blobs.length} params for it, the net ${own.length}; rename the layer to train it from scratch`,
        )
      mismatched(
        { layer: name, index: Math.min(own.length, blobs.length), net: [own.length], source: [blobs.length] },
        `it has ${blobs.length} params, the net's layer ${own.length}`,
      )
      continue
    }
    const wrong = own.findIndex((blob, i) => blobs[i] && !sameShape(blobs[i], blob.shape))
    if (wrong >= 0) {
      const source = blobShape(blobs[wrong]!)
      if (strict)
        throw layer.error(
          `${wrong === 0 ? 'the weights' : `param ${wrong}`} in the file ${wrong === 0 ? 'are' : 'is'} ${shapeText(source)}, the net needs ${shapeText(own[wrong].shape)}; rename the layer to train it from scratch`,
        )
      mismatched(
        { layer: name, index: wrong, net: own[wrong].shape, source },
        `param ${wrong} is ${shapeText(source)}, in the net ${shapeText(own[wrong].shape)}`,
      )
      continue
    }
    own.forEach((blob, i) => {
      const proto = blobs[i]
      if (!proto) return
      const data = blobData(proto)
      const diff = blobDiff(proto)
      if (data.length !== blob.count)
        throw new NetError(`layer '${name}': param ${i} holds ${data.length} values where its shape says ${blob.count}`)
      writes.push(() => {
        blob.memory.data.claim()
        blob.memory.data.write(values => values.set(data))
        if (diff?.length === blob.count) {
          blob.memory.diff.claim()
          blob.diffArray.set(diff)
        }
      })
    })
    report.loaded.push(name)
    lines.push(`Copying source layer ${name}`)
  }
  if (strict && !report.loaded.length && Object.keys(net.params).length)
    throw new NetError(
      `no layer of the source has the name of one of this net's: the source has ${listNames(report.extra)}, the net ${listNames(Object.keys(net.params))}; rename the layers in the prototxt, or copy with strict: false to leave everything as it is`,
    )
  for (const write of writes) write()
  const named = new Set(weights.map(layer => layer.name))
  report.missing.push(...Object.keys(net.params).filter(name => !named.has(name)))
  for (const line of lines) net.context.log(line)
  for (const name of report.missing) net.context.log(`No source layer for ${name}: it keeps its values`)
  return report
}

/** The params whose values belong to another layer, which HDF5 models store alone. */
const sharedParams = (net: Net): Set<Blob> =>
  new Set(net.parts.params.filter(param => param.owner >= 0).map(param => param.blob))

/** The net as Caffe saves it: every layer of the built net, splits included, each with its blobs. */
export function netToProto(net: Net, diffs = false): NetParameter {
  return {
    name: net.name,
    layer: net.nodes.map(({ layer, param }) => ({
      ...param,
      blobs: layer.blobs.map(blob =>
        toBlobProto(blob.shape, blob.memory.data.values, diffs ? blob.diffArray : undefined),
      ),
    })),
  }
}

export interface SaveOptions {
  format?: NetFormat
  /** Also store the params' gradients. */
  diffs?: boolean
}

export async function netToBytes(net: Net, options: SaveOptions): Promise<Uint8Array> {
  const { format = 'caffemodel' } = options
  if (format !== 'caffemodel' && format !== 'hdf5')
    throw new RistrettoError(`unknown format '${format}': it is 'caffemodel' or 'hdf5'`)
  if (format === 'hdf5') return netToHdf5(net, options.diffs)
  return writeMessage('NetParameter', netToProto(net, options.diffs))
}

export async function saveNet(net: Net, path: string, options: SaveOptions): Promise<void> {
  const format = options.format ?? (path.endsWith('.h5') ? 'hdf5' : 'caffemodel')
  await writeFileSafely(path, await netToBytes(net, { ...options, format }))
}
