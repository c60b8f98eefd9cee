import { describe, test } from 'vitest'
import { Golden, recordedLayers } from '../golden.js'
import { type Case, runCase } from '../layers/golden_case.js'
import { isPending } from '../pending.js'
import { turns } from '../turns.js'

/**
 * The modes of the gpu engine that run in every Node, which take turns; the others have their tests in test/browser. Each is
 * given all kernels in gpu.kernels.test.ts.
 */
const engines = process.env.RISTRETTO_GPU_ENGINES?.split(',') ?? ['gpu:webasm', 'gpu:cpu']

for (const file of recordedLayers()) {
  const golden = new Golden<{ layer_type: string; cases: Case[] }>(file)
  const { layer_type: type, cases } = golden.json
  if (isPending(file, type)) continue
  for (const engine of engines)
    describe(`${type} on ${engine}`, { tags: engine === 'gpu:cpu' ? 'ci' : [] }, () => {
      for (const c of turns(cases, engine, engines)) test(c.name, () => runCase(golden, c, engine, type))
    })
}
