/** What reads the damaged files, each as a program would. A target resolves to nothing, or throws. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadHdf5 } from '../../lib/data/hdf5.js'
import { readIdx } from '../../lib/data/idx.js'
import { decodeImage, importPixels, toPlanes } from '../../lib/data/image.js'
import { parseImageList } from '../../lib/data/image_list.js'
import { LmdbReader } from '../../lib/data/lmdb.js'
import { readMeanImage } from '../../lib/data/transformer.js'
import { parseWindowList } from '../../lib/data/window_list.js'
import { NetError, RistrettoError } from '../../lib/errors.js'
import type { NetParameter, SolverParameter } from '../../lib/index.js'
import { Net } from '../../lib/net.js'
import { toBlobProto } from '../../lib/proto/blob_proto.js'
import { readDatum, writeDatum } from '../../lib/proto/datum.js'
import { parseLiteral } from '../../lib/proto/param_str.js'
import { printText } from '../../lib/proto/print.js'
import type { MessageName } from '../../lib/proto/schema.js'
import { parseNet, parseSolver, parseText } from '../../lib/proto/text.js'
import { upgradeNet } from '../../lib/proto/upgrade.js'
import { upgradeSolver } from '../../lib/proto/upgrade_solver.js'
import { readMessage, writeMessage } from '../../lib/proto/wire.js'
import { readNpy, writeNpy } from '../../lib/pycaffe/io/npy.js'
import { blobProtoToArray, blobProtoVectorToArrayList, datumToArray } from '../../lib/pycaffe/io/protos.js'
import { createSolver } from '../../lib/solver/rules/index.js'
import type { Solver } from '../../lib/solver.js'
import { computeImageMean } from '../../lib/tools/image_mean.js'
import { goldenPath } from '../golden.js'
import type { Seed } from './corpus.js'
import * as corpus from './corpus.js'
import type { Form } from './mutate.js'
import * as onnx from './onnx.js'

export interface Target {
  readonly name: string
  /** How often it is chosen, in relation to the others. */
  readonly weight: number
  /** What kind of damage; default: binary. */
  readonly form?: Form
  readonly seeds: () => readonly Seed[]
  run(bytes: Uint8Array): unknown
}

/** Bytes that a net may take; what needs more must be refused, and quickly. */
export const MAX_MEMORY = 64 * 2 ** 20
/** Values of a layer and multiplications (about) up to which a net that could be built is run as well. */
const MAX_VALUES = 1e5
const MAX_WORK = 1e7

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

/** What has been read can be written, and reads as the same again. */
function roundTrip(type: MessageName, message: object): void {
  const text = printText(type, message)
  const again = printText(type, parseText(type, text) as object)
  if (again !== text) throw new Error(`a ${type} that was printed reads differently: ${firstDifference(text, again)}`)
}

function wireRoundTrip(type: MessageName, message: object): void {
  const bytes = writeMessage(type, message)
  const again = writeMessage(type, readMessage(type, bytes) as object)
  if (Buffer.compare(bytes, again)) throw new Error(`a ${type} that was written reads differently`)
}

function firstDifference(a: string, b: string): string {
  let i = 0
  while (a[i] === b[i]) i++
  return `${JSON.stringify(a.slice(Math.max(0, i - 40), i + 40))} became ${JSON.stringify(b.slice(Math.max(0, i - 40), i + 40))}`
}

/**
 * The files that golden prototxts name, and nothing else of the disk: a damaged path must not lead out of the corpus.
 */
const goldenFile = (path: string): Uint8Array | undefined => {
  if (!/^[\w./-]+$/.test(path) || path.includes('..') || path.startsWith('/')) return new Uint8Array(0)
  for (const folder of ['io', 'layers', 'io/images'])
    try {
      return new Uint8Array(readFileSync(goldenPath(`${folder}/${path}`)))
    } catch {}
  return new Uint8Array(0)
}

async function buildNet(param: NetParameter, engine: string): Promise<void> {
  const net = await Net.create(param, {
    engine,
    threads: 1,
    seed: 1,
    phase: 'TRAIN',
    maxMemory: MAX_MEMORY,
    files: goldenFile,
  })
  try {
    const values = (blobs: { count: number }[]) => blobs.reduce((sum, blob) => sum + blob.count, 0)
    const tops = net.built.nodes.reduce((most, node) => Math.max(most, values(node.top) + values(node.bottom)), 1)
    const params = net.built.nodes.reduce((most, node) => Math.max(most, values(node.layer.blobs)), 1)
    if (
      tops > MAX_VALUES ||
      tops * params * net.built.nodes.length > MAX_WORK ||
      net.built.nodes.some(node => usesWindow(node.param))
    )
      return
    for (const name of net.inputs) fillOddly(net.blobs[name].dataArray, net.inputs.length + tops)
    await net.forward()
    await net.backward()
  } finally {
    net.dispose()
  }
}

/** Places, labels, boxes and counts that are none, among those that may be. */
const ODD = [
  0,
  0,
  1,
  1,
  2,
  3,
  0.5,
  -1,
  7,
  255,
  65536,
  2147483648,
  -2147483648,
  1e30,
  -1e30,
  Number.NaN,
  Infinity,
  -Infinity,
]
/** Three in four inputs hold small numbers alone, and get farther. */
function fillOddly(values: Float32Array, seed: number): void {
  const kinds = seed % 4 ? 6 : ODD.length
  for (let i = 0; i < values.length; i++) values[i] = ODD[(Math.imul(i + seed, 2654435761) >>> 0) % kinds]
}

/** Layers whose work grows with a window as well are run only with small windows. */
const usesWindow = ({
  pooling_param,
  convolution_param,
  lrn_param,
  spp_param,
}: NonNullable<NetParameter['layer']>[number]): boolean =>
  [
    pooling_param?.kernel_size,
    pooling_param?.kernel_h,
    pooling_param?.kernel_w,
    lrn_param?.local_size,
    spp_param?.pyramid_height,
  ]
    .concat(convolution_param?.kernel_size, convolution_param?.kernel_h, convolution_param?.kernel_w)
    .some(size => (size ?? 0) > 20)

const solverNet = readFileSync(goldenPath('solvers/net.prototxt'))
const solverFiles = (path: string): Uint8Array =>
  path.endsWith('net.prototxt') ? new Uint8Array(solverNet) : new Uint8Array(0)

async function buildSolver(param: SolverParameter): Promise<Solver> {
  return createSolver(param, { engine: 'js', seed: 1, files: solverFiles, maxMemory: MAX_MEMORY })
}

async function train(param: SolverParameter): Promise<void> {
  if ((param.iter_size ?? 1) > 5) return
  const solver = await buildSolver({ ...param, snapshot_prefix: undefined })
  try {
    await solver.step(3)
    const { state, model } = await solver.snapshot()
    await solver.restore(state, model)
  } finally {
    solver.dispose()
  }
}

const kept = new Map<string, Promise<Solver>>()
/** One solver for each type: restoring checks everything before it changes anything. */
function solverOf(name: string): Promise<Solver> {
  const file = /adadelta|adam|sgd_itersize3_multistep|sgd_momentum_l2/.exec(name)?.[0] ?? 'adam'
  if (!kept.has(file))
    kept.set(file, buildSolver(parseSolver(readFileSync(goldenPath(`solvers/solver_${file}.prototxt`), 'utf8'))))
  return kept.get(file)!
}
let classifier: Promise<Net> | undefined

async function load(bytes: Uint8Array): Promise<void> {
  const solver = await solverOf('adam')
  classifier ??= Net.create(goldenPath('io/classifier.prototxt'), { engine: 'js', seed: 1 })
  for (const net of [solver.net, await classifier]) {
    const before = net.built.nodes.flatMap(node => node.layer.blobs.map(blob => blob.dataArray[0]))
    try {
      await net.copyFrom(bytes)
    } catch (error) {
      const after = net.built.nodes.flatMap(node => node.layer.blobs.map(blob => blob.dataArray[0]))
      if (after.some((value, i) => !Object.is(value, before[i])))
        throw new Error('a model that was refused has changed the net', { cause: error })
      // a whole model of another net
      if (!/^no layer of the source has the name/.test((error as Error).message)) throw error
    }
  }
}

async function restore(bytes: Uint8Array, model: Seed, random: number): Promise<void> {
  const solver = await solverOf(model.name)
  await solver.restore(bytes, random % 2 ? model.bytes : undefined)
}

/** Data of every kind that has a place in its input. */
const readers = `
  layer { name: "data" type: "Data" top: "d1" top: "l1" transform_param { crop_size: 12 mirror: true } data_param { source: "mnist_200_lmdb" batch_size: 3 backend: LMDB } }
  layer { name: "images" type: "ImageData" top: "images" top: "l2" transform_param { mirror: true }
    image_data_param { source: "images/list.txt" root_folder: "images/" batch_size: 2 shuffle: true new_height: 8 new_width: 8 } }
  layer { name: "hdf5" type: "HDF5Data" top: "data" top: "label" hdf5_data_param { source: "hdf5/list.txt" batch_size: 2 shuffle: true } }
  layer { name: "x" type: "DummyData" top: "x" top: "cont" dummy_data_param { shape { dim: 2 dim: 1 dim: 2 } shape { dim: 2 dim: 1 } data_filler { value: 1 } } }
  layer { name: "lstm" type: "LSTM" bottom: "x" bottom: "cont" top: "h" recurrent_param { num_output: 4 weight_filler { type: "xavier" } } }
  layer { name: "out" type: "Silence" bottom: "d1" bottom: "l1" bottom: "images" bottom: "l2" bottom: "data" bottom: "label" }
  layer { name: "loss" type: "Reduction" bottom: "h" top: "loss" loss_weight: 1 }`
let reading: Promise<Solver> | undefined

/** A solver state whose positions are damaged, and a step from there. */
async function goOnFrom(positions: string): Promise<void> {
  reading ??= createSolver(
    parseSolver(`base_lr: 0.01 lr_policy: "fixed" test_iter: 1 test_interval: 100 net_param { ${readers} }`),
    {
      engine: 'js',
      seed: 1,
      files: goldenFile,
    },
  )
  const solver = await reading
  const history = solver.history.map(blob => toBlobProto(blob.shape, blob.dataArray))
  await solver.restore(writeMessage('SolverState', { iter: 1, history, ristretto_positions: positions }))
  await solver.step(1)
  await solver.test()
}

const pixels = () => importPixels(() => import('ndarray-pixels'))

async function readDatabaseFile(bytes: Uint8Array): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ristretto-lmdb-'))
  try {
    writeFileSync(join(folder, 'data.mdb'), bytes)
    const db = await LmdbReader.open(folder)
    try {
      for (const { key } of db) db.get(key)
    } finally {
      db.close()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function readDatabase(bytes: Uint8Array): Promise<void> {
  const db = await LmdbReader.open(bytes, 'data.mdb')
  for (const { key, value } of db) {
    db.get(key)
    try {
      readDatum(value)
    } catch {}
  }
  db.cursor().seek('00000001')
}

async function useDatabase(bytes: Uint8Array): Promise<void> {
  const text =
    'layer { name: "d" type: "Data" top: "data" top: "label" data_param { source: "db" batch_size: 3 backend: LMDB } }'
  const files = (path: string) => (path === 'db/data.mdb' ? bytes : undefined)
  const net = await Net.create(parseNet(text), { engine: 'js', seed: 1, maxMemory: MAX_MEMORY, files })
  try {
    for (let i = 0; i < 3; i++) await net.forward()
  } finally {
    net.dispose()
  }
  await computeImageMean(bytes)
}

async function readHdf5(bytes: Uint8Array): Promise<void> {
  const library = await loadHdf5()
  const reader = library.open(bytes, 'data.h5')
  try {
    for (const name of reader.names()) {
      if (!reader.has(name)) continue
      const { shape, data } = reader.read(name)
      if (shape.reduce((a, b) => a * b, 1) !== data.length) throw new Error('shape and values of a dataset differ')
      reader.text(name)
    }
  } finally {
    reader.close()
  }
}

async function useHdf5(bytes: Uint8Array): Promise<void> {
  const text =
    'layer { name: "d" type: "HDF5Data" top: "data" top: "label" hdf5_data_param { source: "list.txt" batch_size: 2 shuffle: true } }'
  const files = (path: string) =>
    path === 'list.txt' ? new TextEncoder().encode('a.h5\n') : path === 'a.h5' ? bytes : undefined
  const net = await Net.create(parseNet(text), { engine: 'js', seed: 1, maxMemory: MAX_MEMORY, files })
  try {
    for (let i = 0; i < 3; i++) await net.forward()
  } finally {
    net.dispose()
  }
}

let turn = 0

export const targets: readonly Target[] = [
  {
    name: 'net prototxt',
    weight: 20,
    form: 'text',
    seeds: corpus.nets,
    run(bytes) {
      const net = parseNet(decode(bytes))
      roundTrip('NetParameter', net)
      roundTrip('NetParameter', upgradeNet(net))
    },
  },
  {
    name: 'solver prototxt',
    weight: 6,
    form: 'text',
    seeds: corpus.solvers,
    async run(bytes) {
      const param = upgradeSolver(parseSolver(decode(bytes)))
      roundTrip('SolverParameter', param)
      ;(await buildSolver(param)).dispose()
    },
  },
  {
    name: 'Net.create',
    weight: 15,
    form: 'text',
    seeds: corpus.nets,
    run: bytes => buildNet(parseNet(decode(bytes)), 'js'),
  },
  {
    name: 'Net.create, other values',
    weight: 30,
    form: 'values',
    seeds: corpus.nets,
    run: bytes => buildNet(parseNet(decode(bytes)), bytes.length % 2 ? 'js' : 'wasm'),
  },
  {
    name: 'training',
    weight: 10,
    form: 'values',
    seeds: corpus.solvers,
    run: bytes => train(parseSolver(decode(bytes))),
  },
  {
    name: 'caffemodel message',
    weight: 8,
    seeds: corpus.models,
    run(bytes) {
      const net = readMessage('NetParameter', bytes)
      wireRoundTrip('NetParameter', net)
      upgradeNet(net)
    },
  },
  { name: 'caffemodel into a net', weight: 8, seeds: corpus.models, run: load },
  {
    name: 'solverstate',
    weight: 8,
    seeds: corpus.states,
    run: bytes => restore(bytes, corpus.models()[turn++ % 4], turn),
  },
  { name: 'caffemodel.h5', weight: 4, seeds: corpus.hdf5Models, run: load },
  {
    name: 'solverstate.h5',
    weight: 4,
    seeds: corpus.hdf5States,
    run: bytes => restore(bytes, corpus.models()[turn++ % 4], 1),
  },
  { name: 'HDF5', weight: 8, seeds: corpus.hdf5Data, run: readHdf5 },
  { name: 'HDF5Data layer', weight: 4, seeds: corpus.hdf5Data, run: useHdf5 },
  { name: 'LMDB', weight: 10, seeds: corpus.databases, run: readDatabase },
  { name: 'LMDB on disk', weight: 4, seeds: corpus.databases, run: readDatabaseFile },
  { name: 'Data layer', weight: 6, seeds: corpus.databases, run: useDatabase },
  {
    name: 'Datum',
    weight: 8,
    seeds: corpus.datums,
    run(bytes) {
      readDatum(writeDatum(readDatum(bytes)))
    },
  },
  { name: 'mean binaryproto', weight: 6, seeds: corpus.arrays, run: bytes => readMeanImage(bytes, 'mean.binaryproto') },
  {
    name: 'image',
    weight: 12,
    seeds: corpus.images,
    async run(bytes) {
      const image = await decodeImage(bytes, await pixels())
      for (const channels of [1, 3] as const) toPlanes(image, channels)
    },
  },
  {
    name: 'positions in a solverstate',
    weight: 4,
    form: 'text',
    seeds: corpus.positions,
    run: bytes => goOnFrom(decode(bytes)),
  },
  {
    name: 'npy',
    weight: 4,
    seeds: corpus.npys,
    run(bytes) {
      readNpy(writeNpy(readNpy(bytes)))
    },
  },
  {
    name: 'param_str',
    weight: 4,
    form: 'text',
    seeds: corpus.literals,
    run: bytes => parseLiteral(decode(bytes), 'param_str'),
  },
  {
    name: 'arrays in messages',
    weight: 4,
    seeds: () => [...corpus.arrays(), ...corpus.datums()],
    run(bytes) {
      for (const read of [blobProtoToArray, blobProtoVectorToArrayList, datumToArray])
        try {
          read(bytes)
        } catch (error) {
          if (!(error instanceof RistrettoError)) throw error
        }
    },
  },
  { name: 'ONNX model', weight: 10, seeds: onnx.models, run: onnx.readModel },
  {
    name: 'ONNX export, other values',
    weight: 8,
    form: 'values',
    seeds: corpus.nets,
    run: bytes => onnx.exportDescribed(decode(bytes), MAX_MEMORY),
  },
  { name: 'idx', weight: 4, seeds: corpus.idx, run: bytes => readIdx(bytes) },
  {
    name: 'image list',
    weight: 4,
    form: 'text',
    seeds: corpus.imageLists,
    run: bytes => parseImageList(decode(bytes), 'list.txt'),
  },
  {
    name: 'window list',
    weight: 4,
    form: 'text',
    seeds: corpus.windowLists,
    run: bytes => parseWindowList(decode(bytes), 'list.txt', 0.5, 0.5),
  },
]

/** Whole files still read after all the damaged ones: no reader may be left in a broken state. */
export async function control(): Promise<void> {
  await readHdf5(corpus.hdf5Data()[0].bytes)
  await readDatabase(corpus.databases()[0].bytes)
  await decodeImage(corpus.images()[0].bytes, await pixels())
  // a model of another net than one of the two is refused by it
  await load(corpus.models()[0].bytes).catch(error => {
    if (!(error instanceof NetError)) throw error
  })
}
