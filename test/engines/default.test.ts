import { afterEach, expect, test, vi } from 'vitest'

afterEach(() => {
  vi.unstubAllGlobals()
  vi.resetModules()
})

/** The engine that is made when nobody names one, in a process whose WebAssembly is this. */
async function start(change: (wasm: typeof WebAssembly) => Partial<typeof WebAssembly>) {
  const { Memory, Module, Instance, validate, compile } = WebAssembly
  const wasm = { Memory, Module, Instance, validate, compile } as typeof WebAssembly
  vi.stubGlobal('WebAssembly', { ...wasm, ...change(wasm) })
  vi.resetModules()
  const { startDefaultEngine } = await import('../../lib/engines/index.js')
  const lines: string[] = []
  return { engine: startDefaultEngine({ threads: 1 }, line => lines.push(line)), lines }
}

test('js takes over where there is no SIMD, and says so in its detail and in the log', async () => {
  const { engine, lines } = await start(() => ({ validate: () => false }))
  const { name, detail } = await engine
  expect(name).toBe('js')
  expect(detail).toBe('plain loops, since wasm cannot run here: this JavaScript engine has no WebAssembly SIMD')
  expect(lines).toEqual([
    'engine js is used, since wasm cannot run here: this JavaScript engine has no WebAssembly SIMD',
  ])
})

test('where the memory is refused, nothing takes over', async () => {
  const { engine } = await start(() => ({
    Memory: class {
      constructor() {
        throw new RangeError('could not allocate memory')
      }
    } as never,
  }))
  await expect(engine).rejects.toThrow(/memory was refused: could not allocate memory; .*ulimit -v.*engine: 'js'/)
})
