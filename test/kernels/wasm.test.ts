import { describe, expect, it } from 'vitest'
import type { HostEngine } from '../../lib/engine.js'
import { createJsEngine, jsKernels } from '../../lib/engines/js.js'
import { wasmKernels } from '../../lib/engines/wasm/kernels.js'
import { createPool } from '../../lib/engines/wasm/pool.js'
import { decode, wasmRuntime } from '../../lib/engines/wasm/runtime.js'
import { createWasmEngine } from '../../lib/engines/wasm.js'
import { plain } from '../../lib/generated/wasm_plain.js'
import { Memory } from '../../lib/memory.js'
import { RandomStream } from '../../lib/rng.js'
import { cases, type Kit } from './cases.js'

const js = createJsEngine()
const wasm = await Promise.all([1, 2, 3].map(threads => createWasmEngine({ threads })))

/** The build without fused multiply-adds, which is what runs where relaxed SIMD is missing. */
async function plainEngine(): Promise<HostEngine> {
  const runtime = { ...(await wasmRuntime()), module: await WebAssembly.compile(decode(plain)), fused: false }
  return { ...wasm[0], kernels: { ...jsKernels, ...wasmKernels((await createPool(runtime, 2)).exports) } }
}
const unfused = await plainEngine()

/**
 * Seeded inputs on an engine's heap; what `output` gives out starts as NaN, so that a value that is not written shows.
 */
function kit(engine: HostEngine, name: string): { kit: Kit; outputs: Memory[] } {
  const stream = new RandomStream(7, name)
  const outputs: Memory[] = []
  const make = (values: ArrayLike<number>) => {
    const memory = new Memory(values.length, engine.heap)
    memory.array.set(values)
    return memory
  }
  return {
    outputs,
    kit: {
      random: (n, scale = 1) => make(Float32Array.from({ length: n }, () => (2 * stream.uniform() - 1) * scale)),
      integers: (n, below) => make(Float32Array.from({ length: n }, () => stream.integer(below))),
      values: values => make(values),
      output(memory) {
        const given = typeof memory === 'number' ? make(new Float32Array(memory).fill(Number.NaN)) : memory
        outputs.push(given)
        return given
      },
    },
  }
}

function run(engine: HostEngine, name: string): Float32Array[] {
  const { kit: made, outputs } = kit(engine, name)
  const call = cases[name](made)
  call(engine.kernels)
  return outputs.map(memory => memory.array.slice())
}

/**
 * Convolutions that may pass by tiles of 6 × 6 (kernels/wasm/winograd.ts), which have two or three times the error of a
 * plain sum.
 */
function isTiled(name: string): boolean {
  const sizes = /^convolution\w* \d+×(\d+)×.* to (\d+), kernel (?:3,3|5,5), stride 1,1, .*dilation 1,1,/.exec(name)
  return sizes !== null && Math.min(Number(sizes[1]), Number(sizes[2])) >= 32
}

/** The smallest normal float32: what is smaller may be 0. */
const FLT_MIN = 2 ** -126

/** Fails where values differ by more than float32 sums do. */
function compare(outputs: Float32Array[], expected: Float32Array[], name: string): void {
  const tolerance = isTiled(name) ? 6e-6 : 2e-6
  expect(outputs).toHaveLength(expected.length)
  for (const [i, values] of expected.entries()) {
    const size = values.reduce((most, v) => (Number.isFinite(v) ? Math.max(most, Math.abs(v)) : most), 0)
    for (const [j, value] of values.entries()) {
      const got = outputs[i][j]
      if (!(Math.abs(got - value) <= tolerance * size + 2e-6 * Math.abs(value) + FLT_MIN || Object.is(got, value))) {
        expect.fail(
          `output ${i}, value ${j} of ${values.length}: ${got} where the plain loops give ${value} (largest ${size})`,
        )
      }
    }
  }
}

describe('the wasm kernels', () => {
  for (const name of Object.keys(cases)) {
    it(`${name} agrees with the plain loops, in the same bits on 1, 2 and 3 threads`, () => {
      const expected = run(js, name)
      const [one, two, three] = wasm.map(engine => run(engine, name))
      compare(one, expected, name)
      compare(run(unfused, name), expected, name)
      for (const i of expected.keys()) {
        expect(Buffer.compare(Buffer.from(two[i].buffer), Buffer.from(one[i].buffer)), '2 threads').toBe(0)
        expect(Buffer.compare(Buffer.from(three[i].buffer), Buffer.from(one[i].buffer)), '3 threads').toBe(0)
      }
    })
  }
})
