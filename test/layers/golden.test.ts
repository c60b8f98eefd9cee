import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { layerTypes } from '../../lib/registry.js'
import { hostEngines } from '../engines.js'
import { Golden, goldenPath } from '../golden.js'
import { pendingLayers } from '../pending.js'
import { type Case, runCase } from './golden_case.js'

const files = readdirSync(goldenPath('layers')).filter(file => file.endsWith('.json'))
for (const file of files) {
  const golden = new Golden<{ layer_type: string; cases: Case[] }>(`layers/${file.replace('.json', '')}`)
  const { layer_type: type, cases } = golden.json
  if (pendingLayers.includes(type)) {
    test.skip(`${type}: pending`)
    continue
  }
  for (const engine of hostEngines)
    describe(`${type} on ${engine}`, () => {
      for (const c of cases) test(c.name, () => runCase(golden, c, engine, type))
    })
}

test('every recorded type is registered or pending', () => {
  const types = files.map(file => file.replace('.json', ''))
  expect(types.filter(type => !layerTypes().includes(type) && !pendingLayers.includes(type))).toEqual([])
})
