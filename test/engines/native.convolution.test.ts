import { describe, expect, test } from 'vitest'
import type { After, ConvolutionShape, HostEngine } from '../../lib/engine.js'
import { createEngine } from '../../lib/engines/index.js'
import { createJsEngine } from '../../lib/engines/js.js'
import { planar } from '../../lib/engines/native/onednn/graph.js'
import { paysAlone } from '../../lib/engines/native/onednn/pays.js'
import { EngineError } from '../../lib/errors.js'
import { Memory } from '../../lib/memory.js'
import { RandomStream } from '../../lib/rng.js'

const reason = await createEngine('native', { threads: 1 }).then(
  engine => (engine.join ? '' : 'there is no oneDNN here'),
  (error: unknown) => {
    if (!(error instanceof EngineError)) throw error
    return error.message
  },
)
const suite = reason ? describe.skip : describe

interface Sizes {
  readonly batch: number
  readonly channels: number
  readonly outputs: number
  readonly size: number
  readonly kernel: number
  readonly stride?: number
  readonly pad?: number
  readonly group?: number
}
function shapeOf({ batch, channels, outputs, size, kernel, stride = 1, pad = 0, group = 1 }: Sizes): ConvolutionShape {
  const [input, output] = [
    [size, size + 3],
    [0, 3].map(more => Math.floor((size + more + 2 * pad - kernel) / stride) + 1),
  ]
  const both = (value: number) => [value, value]
  return {
    ...{ batch, channels, outputs, group, input, output, kernel: both(kernel) },
    ...{ stride: both(stride), pad: both(pad), dilation: both(1) },
  }
}
const same = (a: Float32Array, b: Float32Array) => Buffer.compare(Buffer.from(a.buffer), Buffer.from(b.buffer)) === 0
const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1)

/** The results and gradients of three calls, between which the weights change. */
function results(engine: HostEngine, s: ConvolutionShape, hasBias: boolean, after?: After): Float32Array[] {
  const stream = new RandomStream(3, 'convolution')
  const filled = (n: number) => {
    const memory = new Memory(n, engine.heap)
    memory.write(values => {
      for (let i = 0; i < n; i++) values[i] = 2 * stream.uniform() - 1
    })
    return memory
  }
  const x = filled(s.batch * s.channels * product(s.input))
  const w = filled((s.outputs * s.channels * product(s.kernel)) / s.group)
  const bias = hasBias ? filled(s.outputs) : null
  const y = new Memory(s.batch * s.outputs * product(s.output), engine.heap)
  const [dy, dx] = [filled(y.length), filled(x.length)]
  return [0, 1, 2].flatMap(call => {
    if (call === 1) w.write(values => values.fill(0.25, 3, 60))
    if (call === 2) w.array.fill(-0.25, 3, 60)
    engine.kernels.convolution(s, x, w, bias, y, after)
    engine.kernels.convolutionInputGradient(s, dy, w, dx)
    return [y.values.slice(), dx.values.slice()]
  })
}

const cases: [string, Sizes, boolean, After?][] = [
  ['a first layer', { batch: 2, channels: 3, outputs: 64, size: 33, kernel: 7, stride: 2, pad: 3 }, true, { relu: 0 }],
  ['5×5, many images', { batch: 5, channels: 32, outputs: 32, size: 12, kernel: 5, pad: 2 }, true],
  ['3×3 in steps of two, a clip', { batch: 1, channels: 48, outputs: 48, size: 80, kernel: 3, stride: 2 }, false, { clip: [0, 6] }], // biome-ignore format: one case a line
  ['5×5 in two groups, a single image', { batch: 1, channels: 32, outputs: 96, size: 21, kernel: 5, pad: 1, group: 2 }, false], // biome-ignore format: one case a line
  ['a filter for each channel', { batch: 4, channels: 44, outputs: 44, size: 17, kernel: 3, pad: 1, group: 44 }, true],
]

suite(`convolutions of plain memories by oneDNN${reason ? ` (skipped: ${reason})` : ''}`, () => {
  test.each(cases)('%s: as the plain loops, in the same bits on 1, 2 and 3 threads', async (_, sizes, bias, after) => {
    const s = shapeOf(sizes)
    expect(paysAlone(planar(s), s.batch, 8)).toBe(true)
    const expected = results(createJsEngine(), s, bias, after)
    const [one, two, three] = await Promise.all(
      [1, 2, 3].map(async threads => results(await createEngine('native', { threads }), s, bias, after)),
    )
    for (const [call, values] of expected.entries()) {
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      const worst = values.reduce((most, value, i) => Math.max(most, Math.abs(one[call][i] - value)), 0)
      expect(worst / largest).toBeLessThan(1e-5)
      expect(same(two[call], one[call]), '2 threads').toBe(true)
      expect(same(three[call], one[call]), '3 threads').toBe(true)
    }
  })
})

describe('whether a single convolution goes to oneDNN', () => {
  const decision = (sizes: Sizes) => paysAlone(planar(shapeOf(sizes)), sizes.batch, 8)
  test.each<[string, Sizes]>([
    ['1×1', { batch: 4, channels: 64, outputs: 64, size: 28, kernel: 1 }],
    ['what is small', { batch: 1, channels: 16, outputs: 16, size: 8, kernel: 3 }],
    ['channels that fill their blocks badly', { batch: 64, channels: 20, outputs: 50, size: 12, kernel: 5 }],
    ['many weights for few places', { batch: 4, channels: 256, outputs: 512, size: 14, kernel: 3, stride: 2, pad: 1 }],
  ])('not %s', (_, sizes) => {
    expect(decision(sizes)).toBe(false)
  })
})
