import { describe, expect, test } from 'vitest'
import type { ConvolutionShape, Engine, HostEngine } from '../../lib/engine.js'
import { createEngine } from '../../lib/engines/index.js'
import { createJsEngine } from '../../lib/engines/js.js'
import { EngineError } from '../../lib/errors.js'
import { Memory } from '../../lib/memory.js'
import { RandomStream } from '../../lib/rng.js'
import { expectClose } from '../golden.js'

const reason = await createEngine('native', { threads: 2 }).then(
  () => '',
  (error: unknown) => {
    if (!(error instanceof EngineError)) throw error
    return error.message
  },
)
const suite = reason ? describe.skip : describe

function filled(engine: Engine, n: number, seed: number): Memory {
  const stream = new RandomStream(seed, 'native')
  const memory = new Memory(n, engine.heap)
  memory.array.forEach((_, i, values) => {
    values[i] = stream.uniform() * 2 - 1
  })
  return memory
}

suite(`engine native${reason ? ` (skipped: ${reason})` : ''}`, () => {
  test('says which library it found, and that is the one asked for', async () => {
    const engine = await createEngine('native', { threads: 2 })
    expect(engine.name).toBe('native')
    const wanted = process.env.RISTRETTO_BLAS
    if (wanted) expect(engine.detail.toLowerCase()).toContain(wanted.toLowerCase())
    expect(engine.detail).toMatch(/, 2 threads$/)
  })

  const products: [number, number, number][] = [
    [1, 7, 5],
    [9, 1, 300],
    [33, 65, 17],
    [130, 70, 129],
    [3, 900, 400],
  ]
  test.each(products)('gemm %i×%i×%i, every transpose, α and β', async (M, N, K) => {
    const engines = [createJsEngine(), await createEngine('native', { threads: 2 })]
    for (const transA of [false, true])
      for (const transB of [false, true])
        for (const [alpha, beta] of [
          [1, 0],
          [0.5, 1],
          [-1, 0.25],
        ]) {
          const [expected, got] = engines.map(engine => {
            const C = filled(engine, M * N, 3)
            engine.kernels.gemm(
              transA,
              transB,
              M,
              N,
              K,
              alpha,
              filled(engine, M * K, 1),
              filled(engine, K * N, 2),
              beta,
              C,
            )
            return C.array
          })
          expectClose(got, expected, 1e-5, 1e-4, `${transA} ${transB} ${alpha} ${beta}`)
        }
  })

  const sequences: [number, number, number][] = [
    [1, 1, 3],
    [4, 2, 37],
    [5, 3, 5],
    [3, 17, 67],
    [6, 16, 128],
    [2, 130, 20],
  ]
  test.each(sequences)(
    'LSTM and RNN over %i steps of %i streams, H = %i, in the same bits on 1, 2 and 3 threads',
    async (T, N, H) => {
      const engines = [
        createJsEngine(),
        ...(await Promise.all([1, 2, 3].map(threads => createEngine('native', { threads })))),
      ]
      for (const gates of [4, 1]) {
        const results = engines.map(engine => {
          const { kernels } = engine
          const [wh, h0, gate] = [
            filled(engine, gates * H * H, 1),
            filled(engine, N * H, 2),
            filled(engine, T * N * gates * H, 3),
          ]
          const [cont, dh, c] = [
            filled(engine, T * N, 4),
            filled(engine, T * N * H, 5),
            filled(engine, (T + 1) * N * H, 6),
          ]
          cont.array.forEach((value, i) => {
            cont.array[i] = value > -0.5 ? 1 : 0
          })
          wh.array.forEach((value, i) => {
            wh.array[i] = value / Math.sqrt(H)
          })
          const [conted, h, dc, dgates] = [T * N * H, T * N * H, N * H, T * N * gates * H].map(n =>
            filled(engine, n, 7),
          )
          if (gates === 4) kernels.lstm(T, N, H, cont, wh, h0, gate, conted, c, h)
          else kernels.rnn(T, N, H, cont, wh, h0, gate, conted, h)
          if (gates === 4) kernels.lstmGradient(T, N, H, cont, wh, gate, c, dh, dc, dgates)
          else kernels.rnnGradient(T, N, H, cont, wh, h, dh, dgates)
          return [gate, conted, c, h, dc, dgates].map(memory => memory.array.slice())
        })
        const [expected, one, two, three] = results
        for (const [i, values] of expected.entries()) {
          expectClose(one[i], values, 1e-5, 1e-4, `${gates} gates, ${i}`)
          expect(two[i]).toEqual(one[i])
          expect(three[i]).toEqual(one[i])
        }
      }
    },
  )

  const shape = (s: Partial<ConvolutionShape>): ConvolutionShape => {
    const full = {
      batch: 2,
      channels: 4,
      outputs: 6,
      group: 1,
      input: [9, 11],
      kernel: [3, 3],
      stride: [1, 1],
      pad: [0, 0],
      dilation: [1, 1],
      ...s,
    }
    const output = full.input.map(
      (n, i) => Math.floor((n + 2 * full.pad[i] - full.dilation[i] * (full.kernel[i] - 1) - 1) / full.stride[i]) + 1,
    )
    return { ...full, output }
  }
  const shapes: Record<string, ConvolutionShape> = {
    'plain 3×3': shape({}),
    'padded, strided': shape({ pad: [1, 2], stride: [2, 3] }),
    'dilated, grouped': shape({ dilation: [2, 1], group: 2, pad: [2, 0] }),
    pointwise: shape({ kernel: [1, 1] }),
    'pointwise, strided': shape({ kernel: [1, 1], stride: [2, 2] }),
    'one image, many positions': shape({ batch: 1, channels: 16, outputs: 24, input: [70, 65], pad: [1, 1] }),
    'large weights': shape({ channels: 64, outputs: 72, input: [6, 5], pad: [1, 1] }),
    'many images': shape({ batch: 19, input: [7, 7], kernel: [5, 5] }),
    'tiles of 6×6, whole and cut': shape({ batch: 3, channels: 64, outputs: 70, input: [30, 17], pad: [1, 1] }),
    'tiles of 6×6, 5×5, grouped': shape({
      batch: 9,
      channels: 64,
      outputs: 96,
      group: 2,
      input: [16, 15],
      kernel: [5, 5],
      pad: [2, 2],
    }),
    'a kernel row at a time': shape({
      batch: 3,
      channels: 33,
      outputs: 21,
      input: [13, 11],
      kernel: [4, 3],
      pad: [2, 1],
    }),
    'a kernel row at a time, strided in a row': shape({
      batch: 9,
      channels: 20,
      outputs: 40,
      input: [17, 19],
      kernel: [3, 3],
      stride: [1, 2],
      pad: [0, 2],
    }),
    'a kernel row at a time, dilated, grouped': shape({
      batch: 2,
      channels: 48,
      outputs: 6,
      group: 2,
      input: [21, 20],
      kernel: [3, 2],
      pad: [3, 1],
      dilation: [3, 2],
    }),
    'a kernel row at a time, one image in pieces': shape({
      batch: 1,
      channels: 40,
      outputs: 12,
      input: [75, 71],
      kernel: [5, 2],
      pad: [4, 1],
    }),
    'rows 4 KiB apart': shape({ batch: 3, channels: 3, outputs: 32, input: [32, 32], kernel: [5, 5], pad: [2, 2] }),
    'few outputs': shape({ batch: 2, channels: 70, outputs: 8, input: [28, 29], kernel: [1, 1] }),
    'pad wider than the input': shape({
      batch: 2,
      channels: 20,
      outputs: 5,
      input: [3, 2],
      kernel: [3, 3],
      pad: [3, 4],
    }),
    'small images side by side': shape({
      batch: 18,
      channels: 150,
      outputs: 40,
      input: [7, 7],
      kernel: [3, 2],
      pad: [1, 0],
    }),
    'small images side by side, pointwise, grouped': shape({
      batch: 9,
      channels: 128,
      outputs: 64,
      group: 2,
      input: [7, 5],
      kernel: [1, 1],
    }),
    'small images side by side, strided': shape({
      batch: 8,
      channels: 16,
      outputs: 48,
      input: [15, 14],
      pad: [1, 1],
      stride: [2, 2],
    }),
    'strips of a piece': shape({ batch: 1, channels: 3, outputs: 100, input: [61, 67], stride: [2, 2], pad: [1, 1] }),
    depthwise: shape({ channels: 6, outputs: 6, group: 6 }),
  }
  test.each(Object.entries(shapes))('convolution, three passes: %s', async (_, s) => {
    const count = (sizes: readonly number[]) => sizes.reduce((n, d) => n * d, 1)
    const [nx, nw, ny] = [
      s.batch * s.channels * count(s.input),
      (s.outputs * s.channels * count(s.kernel)) / s.group,
      s.batch * s.outputs * count(s.output),
    ]
    const run = (engine: HostEngine) => {
      const [x, w, b, dy] = [
        filled(engine, nx, 1),
        filled(engine, nw, 2),
        filled(engine, s.outputs, 3),
        filled(engine, ny, 4),
      ]
      const [y, plain, dx, dw] = [
        new Memory(ny, engine.heap),
        filled(engine, ny, 5),
        filled(engine, nx, 6),
        filled(engine, nw, 7),
      ]
      const rectified = new Memory(ny, engine.heap)
      engine.kernels.convolution(s, x, w, b, y)
      engine.kernels.convolution(s, x, w, null, plain)
      engine.kernels.convolution(s, x, w, b, rectified, { relu: 0.25 })
      engine.kernels.convolutionInputGradient(s, dy, w, dx)
      engine.kernels.convolutionWeightGradient(s, x, dy, dw)
      return { y: y.array, plain: plain.array, rectified: rectified.array, dx: dx.array, dw: dw.array }
    }
    const expected = run(createJsEngine())
    const [one, two] = [
      run(await createEngine('native', { threads: 1 })),
      run(await createEngine('native', { threads: 2 })),
    ]
    for (const part of ['y', 'plain', 'rectified', 'dx', 'dw'] as const) {
      expectClose(two[part], expected[part], 1e-4, 1e-3, part)
      expect(two[part], `${part}: the same bits on one thread and on two`).toEqual(one[part])
    }
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
