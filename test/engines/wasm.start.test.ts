import { expect, it, vi } from 'vitest'
import { createPool } from '../../lib/engines/wasm/pool.js'
import { wasmRuntime } from '../../lib/engines/wasm/runtime.js'
import { EngineError } from '../../lib/errors.js'

// what a worker without its runtime's modules does: it waits for a message that never comes
vi.mock('../../lib/generated/wasm_worker.js', () => ({ source: 'setInterval(() => {}, 1000)' }))

it('threads that never answer are an error which says so, and the pool is of no further use', async () => {
  const pool = await createPool(await wasmRuntime(), 3, { limit: 50 })
  const error = await pool.ready.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(EngineError)
  expect(String(error)).toMatch(
    /a worker of the wasm engine could not start: it did not start within 0.05 s; use threads: 1/,
  )
  expect(pool.broken).toBe(true)
  // this thread alone would wait for them
  expect(() => pool.exports.countChunks(4, 0)).toThrow(EngineError)
})
