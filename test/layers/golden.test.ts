import { describe, expect, test } from 'vitest'
import { layerTypes } from '../../lib/registry.js'
import { hostEngines } from '../engines.js'
import { Golden, recordedLayers } from '../golden.js'
import { isPending } from '../pending.js'
import { type Case, runCase } from './golden_case.js'

const all = recordedLayers()
for (const file of all) {
  const golden = new Golden<{ layer_type: string; cases: Case[] }>(file)
  const { layer_type: type, cases } = golden.json
  if (isPending(file, type)) {
    test.skip(`${file}: pending`)
    continue
  }
  for (const engine of hostEngines)
    describe(`${file.split('/').pop()} on ${engine}`, () => {
      for (const c of cases) test(c.name, () => runCase(golden, c, engine, type))
    })
}

test('every type of Caffe is registered or pending', () => {
  const types = all.filter(file => file.startsWith('layers/')).map(file => file.slice('layers/'.length))
  expect(types.length).toBeGreaterThan(50)
  expect(types.filter(type => !layerTypes().includes(type) && !isPending('', type))).toEqual([])
})
