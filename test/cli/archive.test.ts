/** From a training to one file, and from that to classes of pictures. */
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { LmdbWriter } from '../../lib/data/lmdb_writer.js'
import { createSolver } from '../../lib/index.js'
import { readModelArchive } from '../../lib/net/archive.js'
import { writeMessage } from '../../lib/proto/wire.js'
import { cli, temporaryFolder } from './helpers.js'

const folder = temporaryFolder()
const at = (name: string) => join(folder, name)
const js = ['--engine', 'js']
const pictures = at('pictures')
const solverFile = at('solver.prototxt')
let accuracy = 0

/** Four classes: which quarter of a 6 × 6 picture is bright. */
const planes = (label: number, k: number) =>
  Uint8Array.from({ length: 36 }, (_, i) => {
    const quarter = (Math.floor(i / 18) << 1) | (i % 6 > 2 ? 1 : 0)
    return (quarter === label ? 180 : 40) + ((i * 13 + k * 29) % 40)
  })

beforeAll(async () => {
  mkdirSync(at('data'))
  mkdirSync(pictures)
  for (const [name, from] of [
    ['train_db', 0],
    ['val_db', 20],
  ] as const) {
    const writer = await LmdbWriter.create(at(`data/${name}`))
    for (let i = 0; i < 40; i++)
      writer.put(
        String(i).padStart(4, '0'),
        writeMessage('Datum', { channels: 1, height: 6, width: 6, data: planes(i % 4, i + from), label: i % 4 }),
      )
    await writer.finish()
  }
  writeFileSync(at('two.txt'), 'left\nright\n')
  writeFileSync(at('other.onnx'), '')
  writeFileSync(at('data/labels.txt'), 'top left\ntop right\nbottom left\nbottom right\n')
  const data = (
    phase: string,
    db: string,
  ) => `layer { name: "data" type: "Data" top: "data" top: "label" include { phase: ${phase} }
    transform_param { scale: 0.02 mean_value: 75 } data_param { source: ${JSON.stringify(at(`data/${db}`))} backend: LMDB batch_size: 20 } }`
  writeFileSync(
    at('net.prototxt'),
    `name: "quarters" ${data('TRAIN', 'train_db')} ${data('TEST', 'val_db')}
    layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
    layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
    layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" include { phase: TEST } }`,
  )
  writeFileSync(
    solverFile,
    `net: ${JSON.stringify(at('net.prototxt'))} base_lr: 0.1 lr_policy: "fixed" max_iter: 30 test_iter: 2 test_interval: 30 random_seed: 1 snapshot_prefix: ${JSON.stringify(at('quarters'))}`,
  )
  const solver = await createSolver(solverFile, { engine: 'js' })
  await solver.solve()
  accuracy = (await solver.test()).find(({ name }) => name === 'accuracy')!.value
  solver.dispose()
  for (let i = 0; i < 8; i++)
    await sharp(planes(i % 4, i + 20), { raw: { width: 6, height: 6, channels: 1 } })
      .png()
      .toFile(join(pictures, `${i} 🐕.png`))
})

describe('archive', () => {
  const classes = ['top left', 'top right', 'bottom left', 'bottom right']
  const weights = at('quarters_iter_30.caffemodel')

  it('holds all that classify needs: the same classes as the test, best first, with their names', async () => {
    expect(accuracy).toBe(1)
    const model = at('model.zip')
    const made = await cli('archive', '--solver', solverFile, '--weights', weights, '--output', model)
    expect(made).toEqual({
      code: 0,
      err: '',
      out: `${model}: quarters, 4 classes\nPictures are brought to 6×6, grey, 75 taken off, times 0.02\n`,
    })
    const { code, out, err } = await cli('classify', model, pictures, '--json', ...js)
    expect({ code, err }).toEqual({ code: 0, err: 'Pictures are brought to 6×6, grey, 75 taken off, times 0.02\n' })
    const results = JSON.parse(out) as { file: string; predictions: { label: string; probability: number }[] }[]
    expect(results.map(({ predictions }) => predictions[0].label)).toEqual([...classes, ...classes])
    expect(results[2].file).toBe(join(pictures, '2 🐕.png'))
    for (const { predictions } of results) {
      expect(predictions).toHaveLength(4)
      expect(predictions.map(p => p.probability)).toEqual(predictions.map(p => p.probability).sort((a, b) => b - a))
    }
    // separate files know the same, from the net's own data layer and the labels beside its data
    const apart = await cli('classify', at('net.prototxt'), weights, pictures, '--json', ...js)
    expect(JSON.parse(apart.out)).toEqual(results)
    const { solver, trainVal, info } = await readModelArchive(readFileSync(model), model)
    expect(solver).toBe(readFileSync(solverFile, 'utf8'))
    expect(trainVal).toContain('val_db')
    expect(info['labels file']).toBe('labels.txt')
  })

  it('takes the snapshot that the solver wrote last where no weights are given, whatever its number', async () => {
    const without = await cli('archive', '--model', at('net.prototxt'), '--output', at('none.zip'))
    expect(without).toMatchObject({ code: 1, err: expect.stringContaining('which weights?') as string })
    const elsewhere = at('untrained.prototxt')
    writeFileSync(
      elsewhere,
      readFileSync(solverFile, 'utf8').replace(
        /snapshot_prefix.*/,
        `snapshot_prefix: ${JSON.stringify(at('no/such'))}`,
      ),
    )
    const untrained = await cli('archive', '--solver', elsewhere, '--output', at('none.zip'))
    expect(untrained.err).toContain('there is no snapshot')
    // an earlier snapshot, and one of an earlier training that went farther
    for (const iter of [4, 99]) {
      const earlier = at(`quarters_iter_${iter}.caffemodel`)
      writeFileSync(earlier, 'no model')
      utimesSync(earlier, 1e9, 1e9)
    }
    const { code, out } = await cli('archive', '--solver', solverFile, '--output', at('last.zip'))
    expect({ code, out: out.split('\n')[0] }).toEqual({
      code: 0,
      out: `${at('last.zip')}: quarters of ${weights}, 4 classes`,
    })
    expect(readFileSync(at('last.zip')).equals(readFileSync(at('model.zip')))).toBe(true)
  })

  it('custom layers travel as sources, and run only where somebody trusts them', async () => {
    const own = at('twice.mjs')
    const none = at('none.mjs')
    writeFileSync(none, 'export class Twice {}')
    const without = await cli(
      'archive',
      '--solver',
      solverFile,
      '--weights',
      weights,
      '--output',
      at('x.zip'),
      '--layers',
      none,
    )
    expect(without.err).toContain('it exports no layer')
    writeFileSync(
      own,
      `export class Twice {
  constructor(param, context) { Object.assign(this, { param, context, name: param.name, type: param.type, key: context.key ?? param.name }) }
  forward() {} reshape() {}
}`,
    )
    const made = await cli(
      'archive',
      '--solver',
      solverFile,
      '--weights',
      weights,
      '--output',
      at('x.zip'),
      '--layers',
      own,
    )
    expect(made).toMatchObject({ code: 0, err: '' })
    const refused = await cli('classify', at('x.zip'), pictures, ...js)
    expect(refused.code).toBe(1)
    expect(refused.err).toContain('holds custom layers (twice.mjs), which are programs')
    const trusted = await cli('classify', at('x.zip'), pictures, '--trust', '--top', '1', ...js)
    expect(trusted.code).toBe(0)
    expect(trusted.err).toMatch(/its custom layers in twice\.mjs \(SHA-256 [0-9a-f]{64}\) run/)
    expect(trusted.out).toContain('"bottom right"')
  })

  it.each([
    [['archive', '--weights', weights, '--output', at('y.zip')], 'which net?'],
    [['archive', '--solver', solverFile, '--weights', weights, '--output', at('y.tar')], 'is written as .zip'],
    [['archive', '--solver', solverFile, '--weights', at('gone'), '--output', at('y.zip')], 'file not found'],
    [
      ['archive', '--solver', solverFile, '--weights', weights, '--output', at('y.zip'), '--labels', at('gone')],
      `file not found: '${at('gone')}'`,
    ],
    [
      ['archive', '--solver', solverFile, '--weights', weights, '--output', at('y.zip'), '--labels', at('two.txt')],
      "two.txt has 2 labels, output 'prob' has 4 classes",
    ],
    [['classify', at('net.prototxt'), weights], 'which pictures?'],
    [
      ['classify', at('model.zip')],
      `which pictures? Files or folders follow the archive: ristretto classify ${at('model.zip')}`,
    ],
    [['classify', at('net.prototxt')], 'its .caffemodel follows it, and pictures follow that'],
    [['classify', at('net.prototxt'), join(pictures, '0 🐕.png')], 'is a picture: '],
    [
      ['classify', join(pictures, '0 🐕.png'), at('model.zip')],
      `is a picture: the model comes first, as in ristretto classify ${at('model.zip')}`,
    ],
    [
      ['classify', at('other.onnx'), join(pictures, '0 🐕.png')],
      `ristretto convert ${at('other.onnx')} deploy.prototxt net.caffemodel makes a net of it`,
    ],
    [['classify', weights, at('net.prototxt'), pictures], 'has weights: the prototxt of their net comes first'],
    [
      ['make-dataset', at('model.zip'), '--output', at('made')],
      'model.zip: this is an archive of a model, not a zip of pictures',
    ],
    [
      ['new', at('p3'), '--dataset', pictures],
      'has no summary.json, so make-dataset did not write it. Make a dataset of your pictures first',
    ],
    [['detect', at('model.zip'), join(pictures, '0 🐕.png')], 'has no output of boxes'],
  ])('%j', async (argv, message) => {
    const { code, err } = await cli(...argv)
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining(message) })
  })
})
