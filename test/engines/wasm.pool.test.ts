import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { createPool, type Pool } from '../../lib/engines/wasm/pool.js'
import { wasmRuntime } from '../../lib/engines/wasm/runtime.js'
import { createWasmEngine } from '../../lib/engines/wasm.js'
import { EngineError } from '../../lib/errors.js'
import { RandomStream } from '../../lib/rng.js'
import { bundled } from '../bundled.js'

const full = process.env.RISTRETTO_STRESS === '1'
const JOBS = full ? 5_000_000 : 200_000

describe('the worker pool', () => {
  it(
    `runs every chunk of ${JOBS} jobs of changing size exactly once`,
    async () => {
      const runtime = await wasmRuntime()
      const pool = await createPool(runtime, 3)
      const block = runtime.heap.allocate(64)
      const counts = new Int32Array(block.array.buffer, block.pointer, 64)
      const random = new RandomStream(11, 'pool')
      const expected = new Int32Array(64)
      for (let i = 0; i < JOBS; i++) {
        // mostly tiny jobs, where late workers meet the next one; now and then a pause in which they fall asleep
        const chunks = i & 1 ? 2 + (i & 7) : 2 + random.integer(62)
        pool.exports.countChunks(chunks, block.pointer)
        for (let c = 0; c < chunks; c++) expected[c]++
        if ((i & 0x3fff) === 0) await new Promise(resolve => setTimeout(resolve, 1))
        if ((i & 0xfff) === 0) expect(counts).toEqual(expected)
      }
      expect(counts).toEqual(expected)
    },
    full ? 600_000 : 30_000,
  )

  it('works in memory that has just grown', { tags: 'ci' }, async () => {
    // a process of its own, twice: without seeGrowth in threads.ts five of six such processes lost a worker
    const script = await bundled('test/engines/growth_child.ts')
    for (let run = 0; run < 2; run++)
      expect(execFileSync(process.execPath, [script], { encoding: 'utf8' })).toBe('done\n')
  })

  it('raises an EngineError at the next dispatch after a worker has died, and a new engine works', async () => {
    const engine = await createWasmEngine({ threads: 4 })
    const bad = engine.heap.allocate(1)
    const runtime = await wasmRuntime()
    const pool: Pool = await createPool(runtime, 2)
    // counters beyond the memory: whoever touches them is trapped, be it the worker or this thread
    let error: unknown
    for (let i = 0; i < 200 && !(error instanceof EngineError); i++) {
      try {
        pool.exports.countChunks(1000, 0xfffffff0)
      } catch (e) {
        error = e
      }
      await new Promise(resolve => setTimeout(resolve, 1))
    }
    expect(error).toBeInstanceOf(EngineError)
    expect(String(error)).toMatch(/worker of the wasm engine has died/)
    expect(pool.broken).toBe(true)
    const again = await createWasmEngine({ threads: 4 })
    expect(again).toBe(engine)
    engine.heap.release(bad)
  })

  it('is kept for each number of threads, and says what it is', async () => {
    const one = await createWasmEngine({ threads: 1 })
    const two = await createWasmEngine({ threads: 2 })
    expect(await createWasmEngine({ threads: 2 })).toBe(two)
    expect(two.heap).toBe(one.heap)
    expect([one.name, one.threads, two.threads]).toEqual(['wasm', 1, 2])
    expect(one.detail).toMatch(/^(no )?fma, 1 thread$/)
    expect(two.detail).toMatch(/^(no )?fma, 2 threads$/)
    expect((await createWasmEngine()).threads).toBeGreaterThan(0)
    for (const threads of [0, -1, 1.5, Number.NaN])
      await expect(createWasmEngine({ threads })).rejects.toThrow(EngineError)
  })

  it('lets a program end by itself', () => {
    const program = `
      import { createWasmEngine } from './lib/engines/wasm.ts'
      import { Memory } from './lib/memory.ts'
      const engine = await createWasmEngine({ threads: 3 })
      const x = new Memory(100000, engine.heap)
      engine.kernels.fill(100000, 2, x)
      console.log(x.array[99999])
    `
    const output = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
      encoding: 'utf8',
      timeout: 110_000,
    })
    expect(output.trim()).toBe('2')
  })
})
