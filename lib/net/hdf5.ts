/**
 * Models and solver states in Caffe's HDF5 layout: /data/<layer>/<i>, /diff/<layer>/<i>; iter, learned_net,
 * current_step, history/<i>.
 */
import { hdf5Kind } from '../data/file_kind.js'
import { type Hdf5Reader, type Hdf5Value, loadHdf5 } from '../data/hdf5.js'
import type { BlobProto, SolverState } from '../generated/caffe.js'
import { blobShape, toBlobProto } from '../proto/blob_proto.js'
import type { BuiltNet } from './node.js'
import { refuseOthers } from './wanted.js'
import type { Weights } from './weights.js'

/** The owned params of a net, layer by layer. */
export async function netToHdf5(net: BuiltNet, diffs = false): Promise<Uint8Array> {
  const datasets: [string, Hdf5Value][] = []
  for (const { layer, index, blob, owner } of net.params) {
    if (owner >= 0) continue
    datasets.push([`data/${layer}/${index}`, { shape: blob.shape, data: blob.memory.data.values }])
    if (diffs) datasets.push([`diff/${layer}/${index}`, { shape: blob.shape, data: blob.memory.diff.values }])
  }
  return (await loadHdf5()).write(datasets)
}

/** Layers with their blobs; a blob that the file leaves out (it is shared with another layer) is undefined. */
export async function readHdf5Weights(bytes: Uint8Array, file: string, maxFile?: number): Promise<Weights> {
  const reader = (await loadHdf5()).open(bytes, file, maxFile)
  try {
    refuseOthers(hdf5Kind(reader), 'model', file)
    const weights: { name: string; blobs: (BlobProto | undefined)[] }[] = []
    const walk = (group: string, layer: string) => {
      const blobs: (BlobProto | undefined)[] = []
      for (const name of reader.names(group)) {
        const path = `${group}/${name}`
        reader.mustHold(path)
        if (!reader.has(path)) walk(path, layer ? `${layer}/${name}` : name)
        else if (/^\d{1,4}$/.test(name)) blobs[Number(name)] = readBlob(reader, path)
      }
      if (blobs.length) weights.push({ name: layer, blobs: Array.from(blobs) })
    }
    walk('/data', '')
    return weights
  } finally {
    reader.close()
  }
}

function readBlob(reader: Hdf5Reader, path: string): BlobProto {
  const { shape, data } = reader.read(path)
  const diff = path.replace(/^\/data/, '/diff')
  return toBlobProto(shape, data, reader.has(diff) ? reader.read(diff).data : undefined)
}

export async function stateToHdf5(state: SolverState): Promise<Uint8Array> {
  const datasets: [string, Hdf5Value][] = [
    ['iter', Int32Array.of(state.iter ?? 0)],
    ['learned_net', state.learned_net ?? ''],
    ['current_step', Int32Array.of(state.current_step ?? 0)],
    ...(state.history ?? []).map((blob, i): [string, Hdf5Value] => [
      `history/${i}`,
      { shape: blobShape(blob), data: blob.data! },
    ]),
  ]
  // as SSD names them
  if (state.minimum_loss !== undefined)
    datasets.push(['minimum_loss', { shape: [1], data: Float32Array.of(state.minimum_loss) }])
  if (state.iter_last_event !== undefined) datasets.push(['iter_last_event', Int32Array.of(state.iter_last_event)])
  if (state.ristretto_positions !== undefined) datasets.push(['ristretto_positions', state.ristretto_positions])
  return (await loadHdf5()).write(datasets)
}

export async function readHdf5State(bytes: Uint8Array, file: string, maxFile?: number): Promise<SolverState> {
  const reader = (await loadHdf5()).open(bytes, file, maxFile)
  try {
    refuseOthers(hdf5Kind(reader), 'state', file)
    const count = reader.names('/history').length
    return {
      iter: reader.read('iter').data[0],
      learned_net: reader.text('learned_net'),
      current_step: reader.read('current_step').data[0],
      history: Array.from({ length: count }, (_, i) => {
        const { shape, data } = reader.read(`history/${i}`)
        return toBlobProto(shape, data)
      }),
      ...(reader.has('minimum_loss') && { minimum_loss: reader.read('minimum_loss').data[0] }),
      ...(reader.has('iter_last_event') && { iter_last_event: reader.read('iter_last_event').data[0] }),
      ristretto_positions: reader.text('ristretto_positions'),
    }
  } finally {
    reader.close()
  }
}
