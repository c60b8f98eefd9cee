import { afterAll, beforeAll, describe, test } from 'vitest'
import { expectClose, Golden, type GoldenArray, recordedLayers } from '../golden.js'
import type { Case } from '../layers/golden_case.js'
import { turns } from '../turns.js'
import { bundle, chromiumPath, openSite, type Site } from './harness.js'
import type { GivenCase, tests } from './page.js'

type Outcome = Awaited<ReturnType<typeof tests.golden>>

/** They take turns: each kernel is compared on both by gpu.browser.ts. */
const devices = ['gpu:webgl2', 'gpu:webgpu']

let site: Site

const run = (engine: string, given: GivenCase): Promise<Outcome> =>
  site.page.evaluate(([name, c]) => (globalThis as unknown as { tests: typeof tests }).tests.golden(name, c), [
    engine,
    given,
  ] as const)

describe.skipIf(chromiumPath === undefined)('Recorded layer cases of Caffe and its forks in Chromium', () => {
  beforeAll(async () => {
    site = await openSite({ '/main.js': await bundle('test/browser/page.ts') })
    await site.page.waitForFunction(() => 'tests' in globalThis)
  })
  afterAll(() => site?.close())

  for (const file of recordedLayers()) {
    const golden = new Golden<{ layer_type: string; cases: Case[] }>(file)
    const ofForks = file.startsWith('..')
    const { layer_type: type, cases } = golden.json
    const numbers = (array: GoldenArray) => [...golden.array(array)]
    // layers that read files are host code on every engine, and have their tests in Node
    const testable = cases.filter(c => !/\bsource:/.test(c.prototxt))
    // Caffe's own on wasm have their turn in Node
    describe.each([...devices, ...(ofForks ? ['wasm'] : [])])(`${file.split('/').pop()} on %s`, engine => {
      test.each(turns(testable, engine, devices))('$name', async c => {
        const backward = c.backward && c.top_diffs !== null
        const got = await run(engine, {
          prototxt: c.prototxt,
          phase: c.phase,
          forwards: c.forwards ?? 1,
          params: c.params_from_filler ? null : c.params.map(numbers),
          inputs: c.bottoms.map(bottom => ({ name: bottom.input ?? bottom.name, values: numbers(bottom) })),
          // the first top of a loss holds its weight already
          topDiffs: backward
            ? c.top_diffs!.slice(type.endsWith('Loss') ? 1 : 0).map(top => ({ name: top.name, values: numbers(top) }))
            : null,
          tops: c.tops.map(top => top.name),
          bottoms: c.bottoms.map(bottom => bottom.name),
        })
        const quirky = (array: string) =>
          c.quirk?.arrays.some(name => name === array || name.startsWith(`${array}[`) || array.startsWith(name)) ??
          false
        const close = (values: number[], expected: GoldenArray | null, what: string) => {
          if (expected && !quirky(what.split(' ')[0]))
            expectClose(values, golden.array(expected), c.rtol, c.atol, `${type} ${c.name} ${what}`)
        }
        for (const [i, top] of c.tops.entries()) close(got.tops[i], top, `tops ${top.name}`)
        if (!backward) return
        for (const [i, diff] of c.bottom_diffs?.entries() ?? []) close(got.bottomDiffs[i], diff, `bottom_diffs ${i}`)
        for (const [i, diff] of c.param_diffs?.entries() ?? []) close(got.paramDiffs[i], diff, `param_diffs ${i}`)
      })
    })
  }
})
