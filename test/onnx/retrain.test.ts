import { describe, expect, test } from 'vitest'
import { createSolver } from '../../lib/index.js'
import { Net } from '../../lib/net.js'
import { importGraph } from '../../lib/onnx/import.js'
import type { ImportOptions } from '../../lib/onnx/import_options.js'
import { floats, graphOf, real, wholes } from './graphs.js'

const random = (shape: readonly number[], seed: number) => {
  const count = shape.reduce((a, b) => a * b, 1)
  return floats(shape, ...Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898 + seed) * 0.5))
}

/** A small classifier of 3 classes as others write it: convolution, normalization, a mean over the picture, Gemm, Softmax. */
const classifier = graphOf({
  inputs: { image: ['N', 1, 6, 6] },
  outputs: ['prob'],
  constants: {
    w1: random([4, 1, 3, 3], 1),
    gamma: floats([4], 1, 1, 1, 1),
    beta: floats([4], 0, 0, 0, 0),
    mean: floats([4], 0.1, -0.1, 0, 0.2),
    variance: floats([4], 0.5, 0.4, 0.3, 0.6),
    flat: wholes(0, -1),
    w2: random([3, 4], 2),
    b2: floats([3], 0, 0, 0),
  },
  nodes: [
    ['backbone/conv: c = Conv(image, w1)', { pads: [1, 1, 1, 1] }],
    ['backbone/norm: n = BatchNormalization(c, gamma, beta, mean, variance)', { epsilon: real(1e-5) }],
    ['backbone/relu: r = Relu(n)'],
    ['backbone/mean: m = GlobalAveragePool(r)'],
    ['flatten: f = Reshape(m, flat)'],
    ['head: s = Gemm(f, w2, b2)', { transB: 1 }],
    ['prob = Softmax(s)', { axis: 1 }],
  ],
})
const importClassifier = (options: ImportOptions) => importGraph(classifier, { dims: { N: 8 }, ...options }).net

/** Bright upper halves, bright lower halves. */
const image = Float32Array.from({ length: 8 * 36 }, (_, i) => (i % 36 < 18 === Math.floor(i / 36) % 2 < 1 ? 1 : 0))
const label = Float32Array.from({ length: 8 }, (_, i) => i % 2)

async function trained(options: ImportOptions, steps = 30) {
  const net_param = importClassifier(options)
  const solver = await createSolver(
    {
      net_param,
      type: 'SGD',
      base_lr: 0.5,
      momentum: 0.9,
      lr_policy: 'fixed',
      max_iter: steps,
      random_seed: 3,
    } as never,
    { engine: 'js' },
  )
  solver.net.feed(['image', 'label'], [[image, label]] as never)
  const before = Object.fromEntries(
    Object.entries(solver.net.params).map(([k, v]) => [k, v.map(b => [...b.dataArray])]),
  )
  await solver.step(1)
  const first = await solver.loss()
  await solver.step(steps - 1)
  const after = Object.fromEntries(Object.entries(solver.net.params).map(([k, v]) => [k, v.map(b => [...b.dataArray])]))
  return { solver, before, after, first, last: await solver.loss() }
}

describe('a model of somebody else learns', () => {
  test('a new head of two classes; what is frozen stays bit for bit, statistics too', { tags: 'long' }, async () => {
    const { before, after, first, last } = await trained({
      freeze: ['backbone/*'],
      replaceOutput: { classes: 2, label: 'label' },
    })
    expect(first).toBeGreaterThan(0.3)
    expect(last).toBeLessThan(first / 3)
    expect(Object.keys(after)).toContain('head_2')
    for (const name of Object.keys(before))
      if (name.startsWith('backbone/')) expect(after[name], name).toEqual(before[name])
      else expect(after[name], name).not.toEqual(before[name])
    expect(before['backbone/conv'][0]).toEqual([...(classifier.initializers.get('w1')?.data ?? [])])
  })

  test('all of it, with live statistics; or with those of the model', { tags: 'long' }, async () => {
    const live = await trained({ replaceOutput: { label: 'label' } })
    expect(live.after['backbone/norm']).not.toEqual(live.before['backbone/norm'])
    expect(live.last).toBeLessThan(live.first / 3)
    const frozen = await trained({ batchNorm: 'frozen', replaceOutput: { label: 'label' } })
    expect(frozen.after['backbone/norm']).toEqual(frozen.before['backbone/norm'])
    expect(frozen.after['backbone/norm_scale']).toEqual(frozen.before['backbone/norm_scale'])
    expect(frozen.after['backbone/conv']).not.toEqual(frozen.before['backbone/conv'])
  })

  test('only what is named learns', async () => {
    const { before, after } = await trained({ train: ['head*'], replaceOutput: { label: 'label' } }, 2)
    expect(after['backbone/conv']).toEqual(before['backbone/conv'])
    expect(after.head).not.toEqual(before.head)
  })

  test('where all of it is frozen, a new head learns nevertheless', async () => {
    const { solver, before, after } = await trained({ freeze: ['*'], replaceOutput: { classes: 2, label: 'label' } }, 2)
    const heads = Object.keys(before).filter(name => name.startsWith('head'))
    expect(heads).toEqual(['head_2'])
    for (const name of Object.keys(before)) {
      if (heads.includes(name)) expect(after[name], name).not.toEqual(before[name])
      else expect(after[name], name).toEqual(before[name])
    }
    solver.dispose()
  })

  test('goes back to ONNX with the names that it had, and says the same there', async () => {
    const { solver } = await trained({ freeze: ['backbone/*'], replaceOutput: { classes: 2, label: 'label' } })
    const bytes = await solver.net.toBytes({ format: 'onnx' })
    const again = await Net.create(bytes, { dims: { N: 8 }, engine: 'js' })
    expect([again.inputs, again.outputs]).toEqual([['image'], ['prob']])
    const here = await Net.create(solver.net.description, { engine: 'js', phase: 'TEST' })
    here.shareWith(solver.net)
    const [a, b] = [await again.forward({ image }), await here.forward({ image })]
    expect(again.blobs.prob.shape).toEqual([8, 2])
    for (const [i, value] of (a.prob.data as Float32Array).entries())
      expect(value).toBeCloseTo((b.prob.data as Float32Array)[i], 5)
  })
})

test('refuses heads that there are none of, and patterns that fit nothing', () => {
  expect(() => importClassifier({ replaceOutput: { classes: 0 } })).toThrow(
    /the option classes is 0; it must be a whole number from 1 on/,
  )
  expect(() => importClassifier({ replaceOutput: { label: 'image' } })).toThrow(/'image' is the name of a blob already/)
  expect(() => importClassifier({ freeze: ['body/*'] })).toThrow(/freeze: 'body\/\*' fits the name of no layer/)
  const headless = graphOf({ inputs: { x: [2] }, outputs: ['y'], nodes: [['y = Relu(x)']] })
  expect(() => importGraph(headless, { replaceOutput: { classes: 2 } })).toThrow(/layer 'y' \(ReLU\) is in the way/)
  const two = graphOf({ inputs: { x: [2] }, outputs: ['y', 'z'], nodes: [['y = Relu(x)'], ['z = Tanh(x)']] })
  expect(() => importGraph(two, { replaceOutput: { classes: 2 } })).toThrow(/needs a net with one output; .* 'y', 'z'/)
})
