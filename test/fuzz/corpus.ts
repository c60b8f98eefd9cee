/** The files that are damaged: golden ones, and what they lead to. */
import { readdirSync, readFileSync } from 'node:fs'
import ndarray from 'ndarray'
import { writeNpy } from '../../lib/pycaffe/io/npy.js'
import { goldenPath, recordedLayers } from '../golden.js'
import { ownLayers } from './own_layers.js'

export interface Seed {
  readonly name: string
  readonly bytes: Uint8Array
}

const read = (path: string): Seed => ({ name: path, bytes: new Uint8Array(readFileSync(goldenPath(path))) })
const list = (folder: string, ending: string): Seed[] =>
  readdirSync(goldenPath(folder))
    .filter(file => file.endsWith(ending))
    .sort()
    .map(file => read(`${folder}/${file}`))
const text = (name: string, value: string): Seed => ({ name, bytes: new TextEncoder().encode(value) })
const json = (path: string) => JSON.parse(readFileSync(goldenPath(path), 'utf8'))

/** Three cases of each layer type, Caffe's, of forks and the library's own: every parameter message occurs. */
const layerCases = (): Seed[] => [
  ...recordedLayers()
    .sort()
    .flatMap(file =>
      (json(`${file}.json`).cases as { name: string; prototxt: string }[])
        .slice(0, 3)
        .map(c => text(`${file}: ${c.name}`, c.prototxt)),
    ),
  ...ownLayers.map(([name, prototxt]) => text(name, prototxt)),
]

const dataNets = (): Seed[] =>
  (json('io/io.json').sources as { name: string; prototxt: string }[]).map(c =>
    text(`io/io.json: ${c.name}`, c.prototxt),
  )

const lazy = <T>(make: () => T): (() => T) => {
  let made: T | undefined
  return () => (made ??= make())
}

export const nets = lazy(() => [
  ...list('nets/prototxt', '.prototxt'),
  ...list('nets/upgrade', '.in.prototxt').filter(seed => !seed.name.includes('solver')),
  ...layerCases(),
  ...dataNets(),
  read('solvers/net.prototxt'),
  read('io/classifier.prototxt'),
])
export const solvers = lazy(() => [
  ...list('solvers', '.prototxt').filter(seed => !seed.name.endsWith('/net.prototxt')),
  read('nets/upgrade/solver_old.in.prototxt'),
])
export const models = lazy(() => [
  ...list('solvers/snapshots', '.caffemodel'),
  read('io/classifier.caffemodel'),
  read('nets/legacy_v1.caffemodel'),
])
export const states = lazy(() => list('solvers/snapshots', '.solverstate'))
export const hdf5Models = lazy(() => list('solvers/snapshots', '.caffemodel.h5'))
export const hdf5States = lazy(() => list('solvers/snapshots', '.solverstate.h5'))
export const hdf5Data = lazy(() => list('io/hdf5', '.h5'))
export const databases = lazy(() =>
  ['features', 'images_encoded', 'images_grey', 'images_raw'].map(name => read(`io/${name}_lmdb/data.mdb`)),
)
export const datums = lazy(() => [read('io/datum_bytes.bin'), read('io/datum_float.bin')])
export const arrays = lazy(() => [
  read('io/images_mean.binaryproto'),
  read('io/mnist_mean.binaryproto'),
  read('io/blob.bin'),
])
export const images = lazy(() => [...list('io/images', '.png'), ...list('io/images', '.jpg')])
export const idx = lazy(() => [
  read('io/mnist_200-labels-idx1-ubyte'),
  shortened(read('io/mnist_200-images-idx3-ubyte')),
])
export const imageLists = lazy(() => list('io/images', '.txt'))
export const windowLists = lazy(() => [
  text(
    'windows',
    '# 0\nc0.png\n3\n14\n16\n2\n1 0.9 1 2 9 12\n0 0.1 0 0 15 13\n# 1\nj1.jpg\n3\n14\n16\n1\n2 0.7 3 3 8 8\n',
  ),
])

/** The first three pictures of an idx file. */
function shortened({ name, bytes }: Seed): Seed {
  const copy = bytes.slice(0, 16 + 3 * 28 * 28)
  new DataView(copy.buffer).setUint32(4, 3)
  return { name, bytes: copy }
}

export const npys = lazy(() => [
  { name: 'float32', bytes: writeNpy(ndarray(new Float32Array(24), [2, 3, 4])) },
  { name: 'uint8', bytes: writeNpy(ndarray(new Uint8Array(5))) },
])
export const literals = lazy(() => [
  text('dictionary', "{'margin': 0.2, 'sizes': [1, 2, (3, 4)], \"name\": 'a\\n', 'flag': True, 'none': None}"),
  text('npy header', "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 4), }"),
])
/** Positions of random streams and data, as our solver states hold them. */
export const positions = lazy(() => [
  text(
    'positions',
    '{"seed":5,"train":{"passes":12,"layers":{"data":{"item":84,"record":34,"epoch":1},"images":{"item":7,"record":1,"epoch":3},"hdf5":{"row":2,"file":1,"epoch":4},"lstm":{"0.1":0.5,"1.3":-2e-3}}},"test":[{"passes":3,"layers":{"data":{"item":9,"record":9,"epoch":0}}}]}',
  ),
])
