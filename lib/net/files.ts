import { type Blob, shapeText } from '../blob.js'
import { fileKind } from '../data/file_kind.js'
import { isHdf5 } from '../data/is_hdf5.js'
import { FormatError, NetError, RistrettoError } from '../errors.js'
import type { BlobProto, LayerParameter, NetParameter } from '../generated/caffe.js'
import { blobData, blobDiff, blobShape, sameShape, toBlobProto } from '../proto/blob_proto.js'
import { checkMessage } from '../proto/message.js'
import { readMessageSteps, writeMessage } from '../proto/wire.js'
import { type FileSource, type Files, fileName, isFileSource } from '../system/files.js'
import { inTurns } from '../system/macrotask.js'
import { listNames } from '../system/names.js'
import type { BuiltNet } from './node.js'
import { pictureLayers } from './picture_layers.js'
import { upToDate } from './up_to_date.js'
import { refuseOthers } from './wanted.js'
import { keyOf, type Model, type Weights } from './weights.js'

/** Caffe's two formats of model files. */
export type NetFormat = 'caffemodel' | 'hdf5'

/** How weights are copied into a net. */
export interface CopyOptions {
  /**
   * Left out, as in Caffe: layers are matched by name, and one whose name was changed is trained from scratch, but a
   * param of another shape is an error, and so is a source none of whose layers has the name of one of the net's.
   * true: a layer with params that the source or the net alone has is an error, too. false: what does not fit is left
   * as it is and reported.
   */
  strict?: boolean
}

/** What copyFrom did, by layer name; as a string, a line for each list that is not empty. */
export class CopyReport {
  /** Layers of this net that got their params from the source. */
  readonly loaded: string[] = []
  /** Layers of this net with params that the source does not have: they keep their values. */
  readonly missing: string[] = []
  /** Layers with params of the source that this net does not have: they are left out. */
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

/** A model from wherever it is; old formats are upgraded first. */
export async function readModel(source: FileSource | NetParameter, files: Files): Promise<Model> {
  if (isFileSource(source)) {
    const file = fileName(source)
    const bytes = await files.read(source)
    if (bytes.length === 0) throw new FormatError(`${file}: it is empty, so it is no model`)
    if (isHdf5(bytes)) {
      const { readHdf5Weights } = await import('./hdf5.js')
      return { weights: await readHdf5Weights(bytes, file, files.maxFile), pictures: [] }
    }
    refuseOthers(fileKind(bytes), 'model', file)
    source = await inTurns(readMessageSteps('NetParameter', bytes, { file, own: files.isOwn(bytes) }))
  } else source = checkMessage('NetParameter', source, 'copyFrom')
  const { layer = [] } = await upToDate(source)
  return { weights: weightsOf(layer), pictures: pictureLayers(layer) }
}

/** The k-th layer of a name in a file is the k-th of that name in the net. */
function weightsOf(layers: readonly LayerParameter[]): Weights {
  const taken = new Set<string>()
  return layers
    .map(layer => ({ name: keyOf(layer.name ?? '', taken), blobs: layer.blobs ?? [] }))
    .filter(layer => layer.blobs.length)
}

/** The weights of a net, which look at the same memory. */
export const netWeights = ({ nodes }: BuiltNet): Weights =>
  nodes
    .filter(node => node.layer.blobs.length)
    .map(({ key, layer }) => ({ name: key, blobs: layer.blobs.map(protoOf) }))

const protoOf = (blob: Blob): BlobProto => ({ shape: { dim: blob.shape }, data: blob.memory.data.values })

/**
 * Copy by layer name; every check comes before the first write, so that an error leaves the net as it was. What was
 * done is logged layer by layer, in the order of the source and in Caffe's words.
 */
export function copyWeights(net: BuiltNet, weights: Weights, { strict }: CopyOptions): CopyReport {
  const report = new CopyReport()
  const shared = sharedParams(net)
  const writes: (() => void)[] = []
  const layers = new Map(net.nodes.map(node => [node.key, node.layer]))
  const learned = net.nodes.filter(node => node.layer.blobs.length).map(node => node.key)
  const lines: [line: string, tag?: string][] = []
  const mismatched = (entry: CopyReport['mismatched'][number], what: string) => {
    report.mismatched.push(entry)
    lines.push([`Leaving out source layer ${entry.layer}: ${what}`])
  }
  for (const { name, blobs } of weights) {
    const layer = layers.get(name)
    if (!layer?.blobs.length) {
      report.extra.push(name)
      lines.push([`Ignoring source layer ${name}`, 'net.cpp:744'])
      continue
    }
    const own = layer.blobs
    if (blobs.length > own.length || own.some((blob, i) => blobs[i] === undefined && !shared.has(blob))) {
      if (strict !== false)
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
      if (strict !== false)
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
          blob.memory.diff.write(values => values.set(diff))
        }
      })
    })
    report.loaded.push(name)
    lines.push([`Copying source layer ${name}`, 'net.cpp:747'])
  }
  const named = new Set(weights.map(layer => layer.name))
  report.missing.push(...learned.filter(key => !named.has(key)))
  if (strict !== false && !report.loaded.length && learned.length)
    throw new NetError(
      `no layer of the source has the name of one of this net's: the source has ${listNames(report.extra)}, the net ${listNames(learned)}; rename the layers in the prototxt, or copy with strict: false to leave everything as it is`,
    )
  if (strict && (report.missing.length || report.extra.length))
    throw new NetError(
      `copied with strict: true, source and net must have the same layers with params: ${[
        report.missing.length ? `only the net has ${listNames(report.missing)}` : '',
        report.extra.length ? `only the source has ${listNames(report.extra)}` : '',
      ]
        .filter(Boolean)
        .join(', ')}`,
    )
  for (const write of writes) write()
  for (const line of lines) net.context.log(...line)
  for (const name of report.missing) net.context.log(`No source layer for ${name}: it keeps its values`)
  return report
}

/** The params whose values belong to another layer, which HDF5 models store alone. */
const sharedParams = (net: BuiltNet): Set<Blob> =>
  new Set(net.params.filter(param => param.owner >= 0).map(param => param.blob))

/** The net as Caffe saves it: every layer of the built net, splits included, each with its blobs. */
export function netToProto(net: BuiltNet, diffs = false): NetParameter {
  return {
    name: net.name,
    layer: net.nodes.map(({ layer, param }) => ({
      ...param,
      blobs: layer.blobs.map(blob =>
        toBlobProto(blob.shape, blob.memory.data.values, diffs ? blob.memory.diff.values : undefined),
      ),
    })),
  }
}

/** How a net is saved. */
export interface SaveOptions {
  /** Default: by the file's ending; caffemodel where it has none. 'zip': an archive with all that its use needs. 'onnx': an ONNX model. */
  format?: NetFormat | 'zip' | 'onnx'
  /** Also store the params' gradients. */
  diffs?: boolean
}

export async function netToBytes(net: BuiltNet, options: SaveOptions): Promise<Uint8Array> {
  const { format = 'caffemodel' } = options
  if (format !== 'caffemodel' && format !== 'hdf5')
    throw new RistrettoError(`unknown format '${format}': it is 'caffemodel', 'hdf5', 'onnx' or 'zip'`)
  if (format === 'hdf5') return (await import('./hdf5.js')).netToHdf5(net, options.diffs)
  return writeMessage('NetParameter', netToProto(net, options.diffs))
}
