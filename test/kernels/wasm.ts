/** The kernels of the WebAssembly engine against the plain loops, on every number of threads and in both builds. */
import { describe, expect, it } from 'vitest'
import type { HostEngine, Kernels } from '../../lib/engine.js'
import { createEngine } from '../../lib/engines/index.js'
import { jsKernels } from '../../lib/engines/plain_loops.js'
import { wasmKernels } from '../../lib/engines/wasm/bind/index.js'
import { createPool } from '../../lib/engines/wasm/pool.js'
import { decode, wasmRuntime } from '../../lib/engines/wasm/runtime.js'
import { createWasmEngine } from '../../lib/engines/wasm.js'
import { plain } from '../../lib/generated/wasm_plain.js'
import { kernelCases } from '../../lib/testing/kernel_cases/index.js'
import type { KernelCase } from '../../lib/testing/kernel_cases/kit.js'
import { compareOutput, runCase } from '../../lib/testing/kernel_cases/run.js'

const js = await createEngine('js')
const wasm = await Promise.all([1, 2, 3].map(threads => createWasmEngine({ threads })))

/** The build without fused multiply-adds, which is what runs where relaxed SIMD is missing. */
async function plainEngine(): Promise<HostEngine> {
  const runtime = { ...(await wasmRuntime()), module: await WebAssembly.compile(decode(plain)), fused: false }
  return { ...wasm[0], kernels: { ...jsKernels, ...wasmKernels((await createPool(runtime, 2)).exports) } }
}
const unfused = await plainEngine()

/** What a case writes on an engine. */
function run(engine: HostEngine, kernel: keyof Kernels, c: KernelCase): Float32Array[] {
  const { outputs, made } = runCase(kernel, c, engine)
  const values = outputs.map(memory => memory.array.slice())
  for (const memory of made) memory.dispose()
  return values
}

/** Fails where values differ by more than float32 sums do. */
function compare(outputs: Float32Array[], expected: Float32Array[], tolerance = 2e-6): void {
  expect(outputs).toHaveLength(expected.length)
  for (const [i, values] of expected.entries()) {
    const { worst, at } = compareOutput(outputs[i], values, { ofLargest: tolerance, ofValue: 2e-6 })
    expect(worst, `output ${i}, ${at}`).toBeLessThanOrEqual(1)
  }
}

/** Holds the kernels to those of the table's cases that are wanted. */
export function checkKernels(isWanted: (c: KernelCase) => boolean): void {
  for (const [kernel, all] of Object.entries(kernelCases) as [keyof Kernels, KernelCase[]][]) {
    const cases = all.filter(isWanted)
    if (cases.length > 0)
      describe(`the wasm kernel ${kernel}`, () => {
        for (const c of cases)
          it(`${c.name}: as the plain loops, in the same bits on 1, 2 and 3 threads`, () => {
            const expected = run(js, kernel, c)
            const [one, two, three] = wasm.map(engine => run(engine, kernel, c))
            compare(one, expected, c.tolerance)
            compare(run(unfused, kernel, c), expected, c.tolerance)
            for (const i of expected.keys()) {
              expect(same(two[i], one[i]), '2 threads').toBe(true)
              expect(same(three[i], one[i]), '3 threads').toBe(true)
            }
          })
      })
  }
}

const same = (a: Float32Array, b: Float32Array) => Buffer.compare(Buffer.from(a.buffer), Buffer.from(b.buffer)) === 0
