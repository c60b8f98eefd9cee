/**
 * LeNet trained on whole digits and on occluded ones; both tested on both. From the root of the repository:
 *
 *   npx tsx docs/examples/occlusion/train.ts [iterations]
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import ndarray, { type NdArray } from 'ndarray'
import ops from 'ndarray-ops'
import { AdamSolver, type Blob, Net, registerLayerModule } from 'ristretto'
import { makeMnist, readDigits } from '../mnist/databases.js'
import { toPng } from '../net-surgery/picture.js'
import { BlankSquareLayer } from './blank_square.js'

registerLayerModule('blank_square', { BlankSquareLayer })

const folder = 'examples-output/occlusion'
const model = 'docs/examples/occlusion/lenet.prototxt'

/** The first pictures of batches N × 1 × H × W side by side: a row for each batch, its largest value white. */
export function strips(batches: readonly Blob[], count: number): NdArray<Float32Array> {
  const [{ height, width }] = batches
  const all = ndarray(new Float32Array(batches.length * height * width * count), [
    batches.length * height,
    width * count,
  ])
  batches.forEach((batch, b) => {
    const row = all.lo(b * height, 0).hi(height, width * count)
    for (let i = 0; i < count; i++) ops.assign(row.lo(0, i * width).hi(height, width), batch.data.pick(i, 0))
    ops.divseq(row, ops.sup(row))
  })
  return all
}

/** Train with these further stages; gives the share of test pictures that is right, whole and occluded. */
async function train(
  name: string,
  stages: string[],
  iterations: number | undefined,
): Promise<[whole: number, occluded: number]> {
  const solver = await AdamSolver.create('docs/examples/occlusion/solver.prototxt', { stages })
  await solver.step(iterations ?? solver.param.max_iter)
  const results = await solver.testAll()
  await solver.net.save(join(folder, `${name}.caffemodel`))
  // the last batch, as it came from the database and as LeNet saw it
  const { data, scaled } = solver.net.blobs
  await writeFile(join(folder, `${name}.png`), await toPng(strips([data, scaled], 10), 2))
  solver.dispose()
  const [whole, occluded] = results.map(outputs => outputs.find(output => output.name === 'accuracy')!.value)
  return [whole, occluded]
}

async function main(iterations?: string): Promise<void> {
  await makeMnist()
  await mkdir(folder, { recursive: true })
  const count = iterations === undefined ? undefined : Number(iterations)
  console.log('trained on  tested on whole digits  tested on occluded digits')
  for (const [name, stages] of [
    ['whole', []],
    ['occluded', ['occluded']],
  ] as const) {
    const shares = await train(name, [...stages], count)
    console.log(
      `${name.padEnd(10)}  ${shares.map((share, i) => `${(100 * share).toFixed(2)} %`.padEnd([22, 0][i])).join('')}`,
    )
  }

  // the same description once more, as an application uses it
  const net = await Net.create(model, { stages: ['deploy'], weights: join(folder, 'occluded.caffemodel') })
  const { pixels, labels } = await readDigits('test')
  const { prob } = await net.forward({ data: Float32Array.from(pixels.subarray(0, 28 * 28)) })
  const digit = prob.data.indexOf(Math.max(...prob.data))
  console.log(
    `deployed: the first test picture is a ${digit} (labelled ${labels[0]}), with ${(100 * prob.get(0, digit)).toFixed(0)} %`,
  )
  net.dispose()
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(...process.argv.slice(2))
