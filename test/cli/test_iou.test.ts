import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Net } from '../../lib/net.js'
import { cli, temporaryFolder } from './helpers.js'

const folder = temporaryFolder()
const numbers = [0, 1, 2]
const row = (...values: number[]) => values.map(value => `bottom: "v${value}"`).join(' ')

/** A net that says 0, 1 of two pixels (of two classes, channel by channel) whose labels are 1, 1; and one of another label. */
const text = (labels: string) => `
layer { name: "numbers" type: "DummyData" ${numbers.map(value => `top: "v${value}"`).join(' ')} dummy_data_param {
  shape { dim: 1 dim: 1 dim: 1 dim: 1 } ${numbers.map(value => `data_filler { type: "constant" value: ${value} }`).join(' ')} } }
layer { name: "first" type: "Concat" ${row(1, 0, 0)} top: "first" concat_param { axis: 3 } }
layer { name: "second" type: "Concat" ${row(0, 1, 0)} top: "second" concat_param { axis: 3 } }
layer { name: "scores" type: "Concat" bottom: "first" bottom: "second" top: "scores" concat_param { axis: 1 } }
layer { name: "label" type: "Concat" ${labels} top: "label" concat_param { axis: 3 } }`

test('test --iou: a table by class, over all batches; as JSON; with names and a label that does not count; refusals', async () => {
  const model = join(folder, 'seg.prototxt')
  writeFileSync(model, text(row(1, 1, 2)))
  const weights = join(folder, 'seg.caffemodel')
  const net = await Net.create(model, { engine: 'js' })
  await net.save(weights)
  net.dispose()
  const map = join(folder, 'labelmap.prototxt')
  writeFileSync(map, 'item { name: "none" label: 0 } item { name: "n1" label: 1 display_name: "road" }')
  const run = (...more: string[]) =>
    cli('test', '--model', model, '--weights', weights, '--iterations', '2', '--engine', 'js', ...more)
  // class 1: two pixels a batch, one of them found; class 0 is said of one that is not
  const table = (await run('--iou', 'scores,label', '--ignore-label', '2', '--label-map', map)).out
  expect(table.split('\n').map(line => line.split(/ {2,}/))).toEqual([
    ['class', 'pixels', 'accuracy', 'IoU'],
    ['none', '0', 'nan', '0'],
    ['road', '4', '0.5', '0.5'],
    ['mean', '0.5', '0.25'],
    ['pixel accuracy', '0.5'],
    [''],
  ])
  const { meanIou, classes } = JSON.parse((await run('--iou', 'scores,label', '--ignore-label', '2', '--json')).out)
  expect([meanIou, classes[1]]).toEqual([0.25, { label: 1, places: 4, accuracy: 0.5, iou: 0.5 }])
  const refused = async (why: string, ...more: string[]) =>
    expect(await run(...more)).toMatchObject({ err: expect.stringContaining(why) })
  await refused('item 0 has the label 2: labels are 0 to 1', '--iou', 'scores,label')
  await refused("has no blob 'labels'; did you mean 'label'?", '--iou', 'scores,labels')
  await refused('give two blobs, scores,labels', '--iou', 'scores')
  await refused('give one of them', '--iou', 'scores,label', '--map')
})
