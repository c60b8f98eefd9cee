/**
 * A classifier of the digits 0 to 7 becomes an embedding, trained by triplets, that keeps 8 and 9 apart as well. From
 * the root of the repository:
 *
 *   npx tsx docs/examples/triplet/finetune.ts [iterations]
 */
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { Net, registerLayerModule, SGDSolver } from 'ristretto'
import { chooseDigits, makeDatabase, readDigits } from '../mnist/databases.js'
import { type Separation, separation } from './distances.js'
import { TripletLossLayer } from './triplet_loss.js'
import { TripletSelectLayer } from './triplet_select.js'

registerLayerModule('triplet_select', { TripletSelectLayer })
registerLayerModule('triplet_loss', { TripletLossLayer })

const here = 'docs/examples/triplet'
const folder = 'examples-output/triplet'
const classifier = `${folder}/classifier.caffemodel`

/** Of pictures with these labels, from the test set: how far apart the classes lie, by the net's present weights. */
async function measure(net: Net, wanted: (label: number) => boolean, count: number): Promise<Separation> {
  const test = chooseDigits(await readDigits('test'), wanted)
  const size = 28 * 28
  const batch = net.blobs['data'].num
  const rows: number[] = []
  for (let i = 0; i < count; i += batch) {
    const pixels = test.pixels.subarray(i * size, (i + batch) * size)
    const { unit } = await net.forward({ data: Float32Array.from(pixels, pixel => pixel / 256) })
    rows.push(...unit.data)
  }
  return separation(Float32Array.from(rows), test.labels.subarray(0, count))
}

async function report(when: string, net: Net): Promise<void> {
  for (const [name, wanted] of [
    ['0 to 7', label => label < 8],
    ['8 and 9', label => label >= 8],
  ] as [string, (label: number) => boolean][]) {
    const { recall, ratio, ranking } = await measure(net, wanted, 1000)
    const percent = (value: number) => `${(100 * value).toFixed(1)} %`
    console.log(
      `${when.padEnd(7)} ${name.padEnd(8)} ${percent(recall).padStart(13)} ${ratio.toFixed(3).padStart(15)} ${percent(ranking).padStart(12)}`,
    )
  }
}

async function main(iterations?: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await makeDatabase(`${folder}/train_0to7_lmdb`, async () =>
    chooseDigits(await readDigits('train'), label => label < 8),
  )

  // 1. The classifier to start from
  if (!existsSync(classifier)) {
    const solver = await SGDSolver.create(`${here}/classifier_solver.prototxt`)
    await solver.solve()
    await solver.net.save(classifier)
    solver.dispose()
  }

  // 2. The embedding takes what it can from it, layer by layer of the same name
  const solver = await SGDSolver.create(`${here}/embedding_solver.prototxt`)
  const { loaded, missing, extra } = await solver.net.copyFrom(classifier)
  console.log(
    `loaded: ${loaded.join(', ')}\nfresh, not in the file: ${missing.join(', ')}\nleft out, not in the net: ${extra.join(', ')}`,
  )

  // 3. The same layers with an input instead of data, on the solver's weights
  const net = await Net.create(`${here}/embedding.prototxt`, { stages: ['deploy'] })
  net.shareWith(solver.net)
  console.log('        digits   nearest right   same/different   ranking')
  await report('before', net)

  // 4. Train
  const frozen = Float32Array.from(solver.net.params['conv2'][0].dataArray)
  await solver.step(iterations === undefined ? solver.param.max_iter : Number(iterations))
  await report('after', net)
  const moved = solver.net.params['conv2'][0].dataArray.some((value, i) => value !== frozen[i])
  console.log(`loss ${solver.smoothedLoss.toFixed(3)}; conv2, lr_mult 0, has ${moved ? 'moved' : 'not moved'}`)
  await net.save(`${folder}/embedding.caffemodel`)
  net.dispose()
  solver.dispose()
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(...process.argv.slice(2))
