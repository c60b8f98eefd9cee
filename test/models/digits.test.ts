/** The net that the package brings along is as good as the README says. */
import { readFileSync, statSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readDigits } from '../../docs/examples/mnist/databases.js'
import { Net, parseNet, printNet } from '../../lib/index.js'
import { EvaluationTally } from '../../lib/tools/index.js'

const folder = new URL('../../models/digits/', import.meta.url)
const archive = new URL('digits.zip', folder)

test('99.2 % of the 10,000 test pictures, from less than 250 kB', { tags: 'ci' }, async () => {
  expect(statSync(archive).size).toBeLessThan(250_000)
  const net = await Net.load(archive)
  const { pixels, labels } = await readDigits('test')
  const { scale = 1 } = (await net.preparation()) ?? {}
  const items = Array.from(labels, (_, i) =>
    Float32Array.from(pixels.subarray(784 * i, 784 * (i + 1)), byte => byte * scale),
  )
  const rows = await net.predict(items, { batch: 100 })
  const tally = new EvaluationTally({ hardest: 0 })
  rows.forEach((row, i) => {
    tally.add({ items: 1, classes: 10, places: 1, scores: row, labels: [labels[i]] })
  })
  expect(tally.result().accuracy).toBeCloseTo(0.992, 3)
  net.dispose()
})

test('is the net that its training script trains', async () => {
  const net = await Net.load(archive)
  const described = await Net.create(parseNet(readFileSync(new URL('net.prototxt', folder), 'utf8')), {
    phase: 'TEST',
    stages: ['deploy'],
  })
  const layers = (text: string) => parseNet(text).layer
  expect(layers(printNet(net.param))).toEqual(
    layers(printNet(described.param))?.map(({ include, exclude, ...rest }) => rest),
  )
  net.dispose()
  described.dispose()
})
