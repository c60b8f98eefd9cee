import { describe, expect, test } from 'vitest'
import type { HostEngine, Kernels } from '../../lib/engine.js'
import { kernelsOf } from '../../lib/engines/complete.js'
import { createEngine } from '../../lib/engines/index.js'
import { EngineError } from '../../lib/errors.js'
import { Memory } from '../../lib/memory.js'
import { RandomStream } from '../../lib/rng.js'
import { kernelCases } from '../../lib/testing/kernel_cases/index.js'
import type { KernelCase } from '../../lib/testing/kernel_cases/kit.js'
import { compareOutput, runCase } from '../../lib/testing/kernel_cases/run.js'

const js = await createEngine('js')

const native = (threads: number) => createEngine('native', { threads }) as Promise<HostEngine>
const reason = await native(2).then(
  () => '',
  (error: unknown) => {
    if (!(error instanceof EngineError)) throw error
    return error.message
  },
)
const suite = reason ? describe.skip : describe

/** What a case writes. */
function written(engine: HostEngine, kernel: keyof Kernels, c: KernelCase): Float32Array[] {
  const { outputs, made } = runCase(kernel, c, engine)
  const values = outputs.map(memory => memory.array.slice())
  for (const memory of made) memory.dispose()
  return values
}
const same = (a: Float32Array, b: Float32Array) => Buffer.compare(Buffer.from(a.buffer), Buffer.from(b.buffer)) === 0

suite(`engine native${reason ? ` (skipped: ${reason})` : ''}`, () => {
  test('says which library it found, and that is the one asked for', async () => {
    const engine = await native(2)
    expect(engine.name).toBe('native')
    const wanted = process.env.RISTRETTO_BLAS
    if (wanted) expect(engine.detail.toLowerCase()).toContain(wanted.toLowerCase())
    expect(engine.detail).toMatch(/, 2 threads$/)
  })

  test.each([
    [false, false, 24, 512, 300],
    [true, false, 512, 24, 300],
    [true, false, 1024, 512, 260],
  ] as const)('products of matrices whose rows lie 2 KB apart (%s, %s, %i×%i×%i)', async (transA, transB, M, N, K) => {
    const random = new RandomStream(3, 'products')
    const values = [M * K, K * N, M * N].map(n => Float32Array.from({ length: n }, () => random.uniform() - 0.5))
    const [expected, actual] = [js, await native(2)].map(engine => {
      const [a, b, c] = values.map(list => {
        const memory = new Memory(list.length, engine.heap)
        memory.array.set(list)
        return memory
      })
      kernelsOf(engine).gemm(transA, transB, M, N, K, 0.5, a, b, 2, c)
      return c.array
    })
    expect(compareOutput(actual, expected, { ofLargest: 1e-5, ofValue: 1e-5 }).worst).toBeLessThanOrEqual(1)
  })

  // what goes by the library; the others are the wasm engine's
  const byLibrary: (keyof Kernels)[] = [
    'gemm',
    'convolution',
    'convolutionInputGradient',
    'convolutionWeightGradient',
    'lstm',
    'lstmGradient',
    'rnn',
    'rnnGradient',
  ]
  describe.each(byLibrary)('%s', kernel => {
    for (const c of kernelCases[kernel] ?? [])
      test(`${c.name}: as the plain loops, and in the same bits on 1, 2 and 3 threads`, {
        tags: c.hostOnly === 'large' || c.hostOnly === 'huge' ? 'ci' : [],
      }, async () => {
        const expected = written(js, kernel, c)
        const [one, two, three] = await Promise.all([1, 2, 3].map(async n => written(await native(n), kernel, c)))
        for (const [i, values] of expected.entries()) {
          const { worst, at } = compareOutput(one[i], values, { ofLargest: 1e-5, ofValue: 1e-5 })
          expect(worst, `output ${i}, ${at}`).toBeLessThanOrEqual(1)
          expect(same(two[i], one[i]), '2 threads').toBe(true)
          expect(same(three[i], one[i]), '3 threads').toBe(true)
        }
      })
  })
})

test('a BLAS that is not there is named with what to install', async () => {
  const before = process.env.RISTRETTO_BLAS
  process.env.RISTRETTO_BLAS = '/nowhere/libnothing.so'
  try {
    await expect(createEngine('native', { threads: 1 })).rejects.toThrow(
      /found no BLAS for RISTRETTO_BLAS=\/nowhere\/libnothing.so.*apt-get install/,
    )
  } finally {
    if (before === undefined) delete process.env.RISTRETTO_BLAS
    else process.env.RISTRETTO_BLAS = before
  }
})
