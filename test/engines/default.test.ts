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
  const { startDefaultEngine, startEngine } = await import('../../lib/engines/index.js')
  const lines: string[] = []
  return {
    engine: startDefaultEngine({ threads: 1 }, line => lines.push(line)),
    named: () => startEngine('wasm', { threads: 1 }),
    lines,
  }
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

test('where the memory is refused, nothing takes over, and every request says what to do', async () => {
  const { engine, named, lines } = await start(() => ({
    Memory: class {
      constructor() {
        throw new RangeError('could not allocate memory')
      }
    } as never,
  }))
  const advice = /memory was refused: could not allocate memory; .*ulimit -v.*engine: 'js'/
  await expect(engine).rejects.toThrow(advice)
  await expect(named()).rejects.toThrow(advice)
  expect(lines).toEqual([])
})
