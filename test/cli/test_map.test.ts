import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Net } from '../../lib/net.js'
import { cli, temporaryFolder } from './helpers.js'

const folder = temporaryFolder()
const numbers = [0, 1, 0.9, 0.1, 0.5]
const row = (...values: number[]) => values.map(value => `bottom: "v${value}"`).join(' ')

/** A net that finds the one object of each of its pictures, made of constants. */
const text = `
layer { name: "numbers" type: "DummyData" ${numbers.map(value => `top: "v${value}"`).join(' ')} dummy_data_param {
  shape { dim: 1 dim: 1 dim: 1 dim: 1 } ${numbers.map(value => `data_filler { type: "constant" value: ${value} }`).join(' ')} } }
layer { name: "det" type: "Concat" ${row(0, 1, 0.9, 0.1, 0.1, 0.5, 0.5)} top: "det" concat_param { axis: 3 } }
layer { name: "truth" type: "Concat" ${row(0, 1, 0, 0.1, 0.1, 0.5, 0.5, 0)} top: "truth" concat_param { axis: 3 } }
layer { name: "evaluate" type: "DetectionEvaluate" bottom: "det" bottom: "truth" top: "eval" detection_evaluate_param { num_classes: 3 } }`

test('test --map: a table by class, over all batches; as JSON; with names; refusals', async () => {
  const model = join(folder, 'det.prototxt')
  writeFileSync(model, text)
  const weights = join(folder, 'det.caffemodel')
  const net = await Net.create(model, { engine: 'js' })
  await net.save(weights)
  net.dispose()
  const map = join(folder, 'labelmap.prototxt')
  writeFileSync(map, 'item { name: "none" label: 0 } item { name: "n1" label: 1 display_name: "cat" }')
  const run = (...more: string[]) =>
    cli('test', '--model', model, '--weights', weights, '--iterations', '2', '--engine', 'js', ...more)
  expect((await run('--map', '--label-map', map)).out.split('\n').map(line => line.split(/ +/))).toEqual([
    ['class', 'truths', 'detections', '11point', 'MaxIntegral'],
    ['cat', '2', '2', '1', '1'],
    ['2', '0', '0', '0', '0'],
    ['mean', '0.5', '0.5'],
    [''],
  ])
  expect(JSON.parse((await run('--map', '2007', '--json')).out)).toEqual({
    iterations: 2,
    output: 'eval',
    scores: [
      {
        version: '11point',
        map: 0.5,
        classes: [
          { label: 1, truths: 2, detections: 2, ap: 1 },
          { label: 2, truths: 0, detections: 0, ap: 0 },
        ],
      },
    ],
  })
  expect(await run('--map', '1999')).toMatchObject({ code: 2, err: expect.stringContaining('2007, 2012') })
  writeFileSync(model, text.replace('top: "eval"', 'top: "eval" include { stage: "none" }'))
  expect(await run('--map')).toMatchObject({
    code: 1,
    err: expect.stringContaining('--map takes a net with one output of DetectionEvaluate, 1×1×rows×5; this one has 0'),
  })
})
