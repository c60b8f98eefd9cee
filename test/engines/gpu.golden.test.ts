import { readdirSync } from 'node:fs'
import { describe, test } from 'vitest'
import { Golden, goldenPath } from '../golden.js'
import { type Case, runCase } from '../layers/golden_case.js'

/** The modes of the gpu engine that run in every Node; the others have their tests in test/browser. */
const engines = process.env.RISTRETTO_GPU_ENGINES?.split(',') ?? ['gpu:webasm', 'gpu:cpu']

for (const file of readdirSync(goldenPath('layers')).filter(name => name.endsWith('.json'))) {
  const golden = new Golden<{ layer_type: string; cases: Case[] }>(`layers/${file.replace('.json', '')}`)
  const { layer_type: type, cases } = golden.json
  for (const engine of engines)
    describe(`${type} on ${engine}`, () => {
      for (const c of cases) test(c.name, () => runCase(golden, c, engine, type))
    })
}
