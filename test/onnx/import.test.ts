import { describe, expect, test } from 'vitest'
import { Net } from '../../lib/net.js'
import type { Attribute } from '../../lib/onnx/graph.js'
import { importGraph } from '../../lib/onnx/import.js'
import { floats, type GraphText, graphOf, layersOf, outputsOf, real, wholes } from './graphs.js'

describe('names', () => {
  test('inputs and outputs keep theirs, whatever they are; layers are called as nodes, else as outputs', () => {
    const { net } = importGraph(
      graphOf({
        inputs: { 'input:0': [1, 2] },
        outputs: ['__proto__', '{"a": 1}'],
        nodes: [['__proto__ = Relu(input:0)'], ['relu: {"a": 1} = Tanh(input:0)']],
      }),
    )
    expect(net.layer?.map(({ name, bottom, top }) => [name, bottom, top])).toEqual([
      ['input:0', undefined, ['input:0']],
      ['__proto__', ['input:0'], ['__proto__']],
      ['relu', ['input:0'], ['{"a": 1}']],
    ])
  })

  test('two nodes of one name are told apart', () => {
    const nodes = [['n: a = Relu(x)'], ['n: y = Tanh(a)']] as const
    expect(layersOf({ inputs: { x: [2] }, outputs: ['y'], nodes })).toEqual(['x: Input', 'n: ReLU', 'n_1: TanH'])
  })

  test('an output that is read as well stays one, an input may be one, and two may be the same value', async () => {
    const out = await outputsOf(
      {
        inputs: { x: [2] },
        outputs: ['a', 'y', 'same', 'x2'],
        nodes: [['a = Relu(x)'], ['y = Neg(a)'], ['same = Identity(a)'], ['x2 = Identity(x)']],
      },
      { x: [-1, 2] },
    )
    expect(Object.values(out).map(({ values }) => values)).toEqual([
      [0, 2],
      [0, -2],
      [0, 2],
      [-1, 2],
    ])
  })

  test('inputs that nothing reads stay, and are no outputs', async () => {
    const text = { inputs: { x: [2], idle: [3] }, outputs: ['y'], nodes: [['y = Relu(x)']] as const }
    const net = await Net.create(importGraph(graphOf(text)).net, { engine: 'js' })
    expect([net.inputs, net.outputs]).toEqual([['x', 'idle'], ['y']])
  })
})

describe('sizes', () => {
  const text = { inputs: { x: ['N', 3, 'H', 'H'] }, outputs: ['y'], nodes: [['y = Relu(x)']] } as const
  const shapeOf = (options: object) => importGraph(graphOf(text), options).net.layer?.[0].input_param?.shape?.[0].dim

  test('the batch is 1, others are given by name or by shape; equal names are equal sizes', () => {
    expect(shapeOf({ dims: { H: 5 } })).toEqual([1, 3, 5, 5])
    expect(shapeOf({ dims: { H: 5, N: 8 } })).toEqual([8, 3, 5, 5])
    expect(shapeOf({ shapes: { x: [2, 3, 4, 4] } })).toEqual([2, 3, 4, 4])
  })

  test.each([
    [{}, /axis 2 of input 'x' has no size: the model says \[N, 3, H, H\]; give shapes: \{ "x": .* or dims: \{ "H"/],
    [{ shapes: { x: [1, 4, 5, 5] } }, /input 'x' cannot be \[1, 4, 5, 5\]/],
    [{ shapes: { x: [1, 3, 5, 6] } }, /input 'x' cannot be \[1, 3, 5, 6\]/],
    [{ shapes: { z: [1] } }, /shapes names 'z', which is no input of the model: it has 'x'/],
    [{ shapes: { x: [1, 3, -1, 5] } }, /are no sizes/],
  ])('refuses %j', (options, message) => {
    expect(() => shapeOf(options)).toThrow(message)
  })

  test('inputs that are to be constants are none any more', async () => {
    const scaled = { inputs: { x: [2], sr: [] as number[] }, outputs: ['y'], nodes: [['y = Mul(x, sr)']] as const }
    expect(layersOf(scaled, { constants: { sr: 3 } })).toEqual(['x: Input', 'y: Power'])
    expect(() => layersOf(scaled, { constants: { rate: 3 } })).toThrow(/constants names 'rate'/)
    expect(() => layersOf(scaled, { constants: { sr: [1, 2] } })).toThrow(/is \[\], which is not 2 values/)
  })
})

describe('what is constant is computed while reading', () => {
  test('a target shape that is put together of shapes', async () => {
    const out = await outputsOf(
      {
        inputs: { x: [2, 3, 4] },
        outputs: ['y'],
        constants: { one: wholes(1), start: wholes(0), end: wholes(1), minus: wholes(-1) },
        nodes: [
          ['s = Shape(x)'],
          ['batch = Slice(s, start, end)'],
          ['target = Concat(batch, minus)', { axis: 0 }],
          ['y = Reshape(x, target)'],
        ],
      },
      { x: Array.from({ length: 24 }, (_, i) => i) },
    )
    expect(out.y.shape).toEqual([2, 12])
  })

  test('an If whose condition is known is the branch that it takes', async () => {
    const inner = (nodes: readonly (readonly [string])[]) => ({
      type: 'graph' as const,
      value: () => graphOf({ outputs: ['v'], constants: { k: floats([], 2) }, nodes }),
    })
    const then_branch = inner([['v = Mul(x, k)']])
    const else_branch = inner([['v = Add(x, k)']])
    const text = {
      inputs: { x: [2] },
      outputs: ['y'],
      constants: { c: { type: 'bool' as const, shape: [], data: Uint8Array.of(0) } },
      nodes: [['y = If(c)', { then_branch, else_branch }]] as const,
    }
    expect((await outputsOf(text, { x: [1, 2] })).y.values).toEqual([3, 4])
  })

  describe('an If whose condition is computed', () => {
    const inner = (node: string, settings = {}) => ({
      type: 'graph' as const,
      value: () =>
        graphOf({ outputs: ['v'], constants: { k: floats([], 2) }, nodes: [['t = Mul(x, k)'], [node, settings]] }),
    })
    const text = (then_branch: Attribute, else_branch: Attribute): GraphText => ({
      inputs: { x: [2] },
      outputs: ['y'],
      constants: { limit: floats([], 3) },
      nodes: [
        ['s = ReduceSum(x)', { keepdims: 0 }],
        ['c = Greater(s, limit)'],
        ['y = If(c)', { then_branch, else_branch }],
      ],
    })

    test('is one of the values of both branches, which have a gradient each', async () => {
      const graph = text(inner('v = Neg(t)'), inner('v = Relu(t)'))
      expect((await outputsOf(graph, { x: [1, 2] })).y.values).toEqual([2, 4])
      expect((await outputsOf(graph, { x: [1, 3] })).y.values).toEqual([-2, -6])
      const { net: param } = importGraph(graphOf(graph))
      const net = await Net.create({ ...param, force_backward: true }, { engine: 'js' })
      await net.forward({ x: [1, 3] })
      net.blobs.y.diffArray.fill(1)
      await net.backward()
      expect([...net.blobs.x.diffArray]).toEqual([-2, -2])
    })

    test('in a branch that reads what the branch around it has', async () => {
      const deep = inner('v = Neg(t)')
      const middle = {
        type: 'graph' as const,
        value: () =>
          graphOf({
            outputs: ['v'],
            constants: { k: floats([], 5) },
            // within, t is this branch's, and so is what it reads of k
            nodes: [['u = Mul(x, k)'], ['v = If(c)', { then_branch: inner('v = Add(t, u)'), else_branch: deep }]],
          }),
      }
      const graph = text(middle, deep)
      expect((await outputsOf(graph, { x: [1, 3] })).y.values).toEqual([7, 21])
      expect((await outputsOf(graph, { x: [1, 1] })).y.values).toEqual([-2, -2])
    })

    test('has layers in its branches that were written as many nodes, with constants of the model and of the branch', async () => {
      const normal = {
        type: 'graph' as const,
        value: () =>
          graphOf({
            outputs: ['v'],
            constants: { two: floats([], 2), eps: floats([], 1e-5), g: floats([2], 1, 3) },
            nodes: [
              ['m = ReduceMean(x)', { axes: [-1] }],
              ['d = Sub(x, m)'],
              ['q = Pow(d, two)'],
              ['a = ReduceMean(q)', { axes: [-1] }],
              ['e = Add(a, eps)'],
              ['r = Sqrt(e)'],
              ['n = Div(d, r)'],
              ['s = Mul(n, g)'],
              ['v = Add(s, outer)'],
            ],
          }),
      }
      const plain = text(normal, inner('v = Neg(t)'))
      const graph = { ...plain, inputs: { x: [1, 2] }, constants: { ...plain.constants, outer: floats([2], 0, 1) } }
      expect(layersOf(graph).filter(layer => /LayerNorm|Bias|Broadcast/.test(layer))).toEqual([
        'c: Broadcast',
        'y/then/v: LayerNorm',
      ])
      const { y } = await outputsOf(graph, { x: [1, 5] })
      for (const [i, right] of [-1, 4].entries()) expect(y.values[i]).toBeCloseTo(right, 5)
      expect((await outputsOf(graph, { x: [1, 1] })).y.values).toEqual([-2, -2])
    })

    test('is refused where its branches differ in shape', () => {
      const graph = graphOf(text(inner('v = Neg(t)'), inner('v = ReduceSum(t)')))
      expect(() => importGraph(graph)).toThrow(/its condition is computed, and its branches give \[2\] and \[1\]/)
    })
  })

  test('bounds of a Clip that are computed; where they cross the upper one counts', async () => {
    const clip = async (bounds: string) =>
      (
        await outputsOf(
          {
            inputs: { x: [4] },
            outputs: ['y'],
            constants: { one: floats([], 1), low: floats([], -1), two: floats([], 2) },
            nodes: [
              ['top = ReduceMax(x)', { keepdims: 0 }],
              ['near = Sub(top, two)'],
              ['half = Div(top, two)'],
              [`y = Clip(x, ${bounds})`],
            ],
          },
          { x: [-3, 0, 2, 4] },
        )
      ).y.values
    expect(await clip('near')).toEqual([2, 2, 2, 4])
    expect(await clip('low, half')).toEqual([-1, 0, 2, 2])
    expect(await clip('near, one')).toEqual([1, 1, 1, 1])
    expect(await clip('_, half')).toEqual([-3, 0, 2, 2])
    expect(await clip('near, half')).toEqual([2, 2, 2, 2])
  })

  test('a constant that nobody could hold is refused', () => {
    const constants = { shape: wholes(1e6, 1e6) }
    expect(() => layersOf({ outputs: ['y'], constants, nodes: [['y = ConstantOfShape(shape)']] })).toThrow(
      /node 'y' \(ConstantOfShape\) would be a constant of 1000000000000 values/,
    )
  })
})

describe('errors', () => {
  test('name every node that cannot come, and none that only reads what is missing', () => {
    const nodes = [
      ['first: a = Einsum(x)'],
      ['b = Relu(a)'],
      ['last: c = NonZero(b)'],
      ['y = Softmax(x)', { axis: 7 }],
    ] as const
    let message = ''
    try {
      layersOf({ inputs: { x: [2, 2] }, outputs: ['c', 'y'], nodes })
    } catch (error) {
      message = (error as Error).message
    }
    expect(message).toMatch(/node 'first' \(Einsum\): no layer does what Einsum does/)
    expect(message).toMatch(/node 'last' \(NonZero\)/)
    expect(message).toMatch(/node 'y' \(Softmax\): axis 7 is none of 2/)
    expect(message).not.toMatch(/Relu/)
  })

  test.each([
    ['y = Conv(x, w)', { x: [1, 2, 5, 5], w: [3, 2, 3, 3] }, /the weights, 'w', must be a constant/],
    ['y = MaxPool(x)', { x: [1, 2, 5, 5] }, /it has no kernel_shape/],
    ['y = Add(x, w)', { x: [2, 3], w: [2] }, /the shapes \[2, 3\] and \[2\] do not go together/],
  ])('%s', (node, inputs, message) => {
    expect(() => layersOf({ inputs, outputs: ['y'], nodes: [[node]] })).toThrow(message)
  })

  test('a Loop, an If that is not known, and what another domain has', () => {
    const graph = graphOf({ inputs: { x: [1] }, outputs: ['y'], nodes: [['y = Loop(x)']] })
    expect(() => importGraph(graph)).toThrow(/no layer does what Loop does/)
    const [node] = graph.nodes
    const foreign = { ...graph, nodes: [{ ...node, domain: 'com.microsoft', op: 'FusedConv' }] }
    expect(() => importGraph(foreign)).toThrow(/com.microsoft.FusedConv.*operators of com.microsoft are not read/)
    const branching = { ...graph, nodes: [{ ...node, op: 'If' }] }
    expect(() => importGraph(branching)).toThrow(/it has no then_branch/)
  })
})

test('a dilated MaxPool is the largest of slices, axis by axis; a last window may reach into the padding', async () => {
  const text = {
    inputs: { x: [1, 1, 2, 6] },
    outputs: ['y'],
    nodes: [
      [
        'y = MaxPool(x)',
        { kernel_shape: [1, 2], dilations: [1, 3], strides: [1, 3], pads: [0, 1, 0, 1], ceil_mode: 1 },
      ],
    ],
  } as const
  const { y } = await outputsOf(text, { x: [1, -2, 3, -4, 5, -6, -6, 5, -4, 3, -2, 1] })
  // places −1 and 2, 2 and 5, 5 and 8: those beyond the row are padding
  expect(y).toEqual({ shape: [1, 1, 2, 3], values: [3, 3, -6, -4, 1, 1] })
  const mean = { ...text, nodes: [['y = AveragePool(x)', { kernel_shape: [1, 2], dilations: [1, 3] }]] as const }
  expect(() => layersOf(mean)).toThrow('dilations [1, 3] of a pooling are not there')
})

describe('what several layers together are', () => {
  const x = { inputs: { x: [1, 4, 2, 2] }, outputs: ['y'] }
  const constants = {
    three: floats([], 3),
    six: floats([], 6),
    zero: floats([], 0),
    half: floats([], 0.5),
    one: floats([], 1),
    root: floats([], Math.SQRT2),
  }
  const types = (text: object) => layersOf({ ...x, constants, ...text } as never).slice(1)

  test('HardSwish, by a product and a division in either order', () => {
    const clip = [['a = Add(x, three)'], ['c = Clip(a, zero, six)']] as const
    expect(types({ nodes: [...clip, ['m = Mul(x, c)'], ['y = Div(m, six)']] })).toEqual(['y: HardSwish'])
    expect(types({ nodes: [...clip, ['d = Div(c, six)'], ['y = Mul(d, x)']] })).toEqual(['y: HardSwish'])
  })

  test('HardSwish of a scaled value, whose scale went into both of its parts', () => {
    const scaled = [
      ['m = Mul(x, half)'],
      ['u = Add(m, one)'],
      ['a = Add(u, three)'],
      ['c = Clip(a, zero, six)'],
    ] as const
    const clipped = [...scaled, ['p = Mul(u, c)'], ['d = Div(p, six)'], ['y = Mul(d, three)']]
    expect(types({ nodes: clipped })).toEqual(['u: Power', 'd: HardSwish', 'y: Power'])
    const divided = [...scaled, ['d = Div(c, six)'], ['y = Mul(d, u)']]
    expect(types({ nodes: divided })).toEqual(['u: Power', 'y: HardSwish'])
    const other = [
      ...scaled.slice(0, 2),
      ['a = Add(u, one)'],
      ...scaled.slice(3),
      ['d = Div(c, six)'],
      ['y = Mul(d, u)'],
    ]
    expect(types({ nodes: other })).toEqual(['u: Power', 'd: HardSigmoid', 'y: Eltwise'])
  })

  test('the larger or smaller of a value and a number is a Clip', () => {
    expect(types({ nodes: [['a = Max(x, half)'], ['y = Min(six, a)']] })).toEqual(['a: Clip', 'y: Clip'])
  })

  test('Swish, HardSigmoid, Gelu', () => {
    expect(types({ nodes: [['s = Sigmoid(x)'], ['y = Mul(x, s)']] })).toEqual(['y: Swish'])
    const hard = [['a = Add(x, three)'], ['c = Clip(a, zero, six)'], ['y = Div(c, six)']]
    expect(types({ nodes: hard })).toEqual(['y: HardSigmoid'])
    const erf = [['d = Div(x, root)'], ['e = Erf(d)'], ['n = Add(e, one)']] as const
    expect(types({ nodes: [...erf, ['m = Mul(x, n)'], ['y = Mul(m, half)']] })).toEqual(['y: Gelu'])
    expect(types({ nodes: [...erf, ['h = Mul(x, half)'], ['y = Mul(h, n)']] })).toEqual(['y: Gelu'])
  })

  test('LayerNorm, of nine nodes', async () => {
    const text = {
      inputs: { x: [2, 3] },
      outputs: ['y'],
      constants: { two: floats([], 2), eps: floats([], 1e-5), g: floats([3], 1, 2, 3), b: floats([3], 0, 1, 0) },
      nodes: [
        ['m = ReduceMean(x)', { axes: [-1] }],
        ['d = Sub(x, m)'],
        ['q = Pow(d, two)'],
        ['v = ReduceMean(q)', { axes: [-1] }],
        ['e = Add(v, eps)'],
        ['r = Sqrt(e)'],
        ['n = Div(d, r)'],
        ['s = Mul(n, g)'],
        ['y = Add(s, b)'],
      ] as const,
    }
    expect(layersOf(text as never)).toEqual(['x: Input', 'y: LayerNorm'])
    // torch's other names of a constant that it wrote once
    const nodes = [
      ['h = Identity(g)'],
      ...text.nodes.map(([node, ...rest]) => [node.replace('(n, g)', '(n, h)'), ...rest]),
    ]
    expect(layersOf({ ...text, nodes } as never)).toEqual(['x: Input', 'y: LayerNorm'])
    const out = await outputsOf(text as never, { x: [1, 2, 3, 4, 4, 4] })
    expect(out.y.values).toEqual([-1.22474, 1, 3.67421, 0, 1, 0])
  })

  test('ShuffleChannel, transposes that cancel, biases and pads that belong to a layer', () => {
    const shuffle = [
      ['a = Reshape(x, parts)'],
      ['t = Transpose(a)', { perm: [0, 2, 1, 3, 4] }],
      ['y = Reshape(t, whole)'],
    ]
    const shapes = { parts: wholes(1, 2, 2, 2, 2), whole: wholes(1, 4, 2, 2) }
    expect(types({ constants: shapes, nodes: shuffle })).toEqual(['y: ShuffleChannel'])
    const turned = [
      ['t = Transpose(x)', { perm: [0, 2, 3, 1] }],
      ['u = Transpose(t)', { perm: [0, 3, 1, 2] }],
      ['y = Relu(u)'],
    ]
    expect(types({ nodes: turned })).toEqual(['y: ReLU'])
    const w = floats([2, 4, 1, 1], 1, 2, 3, 4, 5, 6, 7, 8)
    const conv = { w, b: floats([2, 1, 1], 1, 2), pads: wholes(0, 0, 1, 1, 0, 0, 1, 1) }
    const nodes = [['p = Pad(x, pads)'], ['c = Conv(p, w)'], ['y = Add(c, b)']]
    const [layer] = importGraph(graphOf({ ...x, constants: conv, nodes } as never)).net.layer!.slice(1)
    expect([layer.type, layer.convolution_param, layer.blobs?.length]).toEqual([
      'Convolution',
      { num_output: 2, kernel_size: [1], pad: [1] },
      2,
    ])
  })
})

describe('arithmetic takes the layer that is fastest', () => {
  test.each([
    [[2, 3], [2, 3], 'Add', 'Eltwise'],
    [[2, 3, 4], [3, 1], 'Mul', 'Scale'],
    [[2, 3, 4], [3, 1], 'Add', 'Bias'],
    [[2, 3, 4], [2, 1, 4], 'Add', 'Broadcast'],
    [[2, 3, 4], [2, 3, 1], 'Sub', 'Bias'],
    [[2, 1], [1, 3], 'Mul', 'Broadcast'],
    [[2, 3], [2, 3], 'Div', 'Broadcast'],
  ])('%j and %j, %s: %s', async (a, b, op, type) => {
    const inputs = { a, b }
    const text = { inputs, outputs: ['y'], nodes: [[`y = ${op}(a, b)`]] as const }
    expect(layersOf(text).at(-1)).toBe(`y: ${type}`)
    const values = (n: readonly number[]) => Array.from({ length: n.reduce((p, q) => p * q, 1) }, (_, i) => i + 1)
    const out = await outputsOf(text, { a: values(a), b: values(b) })
    // against the folder, which has loops of its own
    const constants = { a: floats(a, ...values(a)), b: floats(b, ...values(b)) }
    const folded = await outputsOf({ ...text, inputs: {}, constants })
    expect(out).toEqual(folded)
  })

  test('with constants: numbers, runs of axes, and what needs a Parameter layer that is not learned', () => {
    const text = (op: string, shape: number[]) => ({
      inputs: { x: [2, 3, 4] },
      outputs: ['y'],
      constants: { c: floats(shape, ...Array<number>(shape.reduce((p, q) => p * q, 1)).fill(2)) },
      nodes: [[op]] as const,
    })
    expect(layersOf(text('y = Div(c, x)', [1]))).toEqual(['x: Input', 'y: Power'])
    expect(layersOf(text('y = Sub(c, x)', [3, 1]))).toEqual(['x: Input', 'y_neg: Power', 'y: Bias'])
    const { net } = importGraph(graphOf(text('y = Mul(x, c)', [2, 1, 4])))
    expect(net.layer?.map(({ type }) => type)).toEqual(['Input', 'Parameter', 'Broadcast'])
    expect(net.layer?.[1].param).toEqual([{ lr_mult: 0, decay_mult: 0 }])
  })
})

test('layers that have a constant in common share it', () => {
  const w = floats([2, 2], 1, 2, 3, 4)
  const nodes = [['a = MatMul(x, w)'], ['y = MatMul(a, w)']] as const
  const { net } = importGraph(graphOf({ inputs: { x: [1, 2] }, outputs: ['y'], constants: { w }, nodes }))
  expect(net.layer?.slice(1).map(({ param }) => param)).toEqual([[{ name: 'w' }], [{ name: 'w' }]])
})

test('equal values that an exporter wrote once are shared only where that can be meant', async () => {
  const text = (constants: GraphText['constants'], settings = {}) => ({
    inputs: { x: [2, 2] },
    outputs: ['y'],
    constants,
    nodes: [
      ['n = BatchNormalization(x, ones, zeros, zeros, ones)', settings],
      ['y = BatchNormalization(n, zeros, zeros, zeros, ones)', settings],
    ] as const,
  })
  const { net, report } = importGraph(graphOf(text({ ones: floats([2], 1, 1), zeros: floats([2], 0, 0) })))
  // shift and scale of the second are one constant, and params of their own: the first's shift is shared with its scale
  expect(net.layer?.slice(1).map(({ type, param }) => [type, param])).toEqual([
    ['BatchNorm', undefined],
    ['Scale', [{}, { name: 'zeros' }]],
    ['BatchNorm', undefined],
    ['Scale', [{ name: 'zeros' }, {}]],
  ])
  expect(Object.keys(report.shared)).toEqual(['zeros'])
  expect(report.shared.zeros).toEqual(net.layer?.filter(({ type }) => type === 'Scale').map(({ name }) => name))
  const built = await Net.create(net, { engine: 'js' })
  await built.forward({ x: new Float32Array(4) })
  expect([...built.blobs.y.dataArray]).toEqual([0, 0, 0, 0])
})

test('a batch of another size runs: shapes are written relative to their bottoms', async () => {
  const text = {
    inputs: { x: ['N', 2, 2] },
    outputs: ['y'],
    constants: { flat: wholes(0, -1), w: floats([4, 3], ...Array<number>(12).fill(1)), b: floats([3], 1, 2, 3) },
    nodes: [['f = Reshape(x, flat)'], ['m = MatMul(f, w)'], ['y = Add(m, b)']] as const,
  }
  const net = await Net.create(importGraph(graphOf(text)).net, { engine: 'js' })
  net.blobs.x.reshape([3, 2, 2])
  await net.forward({ x: new Float32Array(12).fill(1) })
  expect(net.blobs.y.shape).toEqual([3, 3])
  expect([...net.blobs.y.dataArray.slice(6)]).toEqual([5, 6, 7])
  expect(net.layers.map(({ type }) => type)).toEqual(['Input', 'InnerProduct'])
})

test('the report says what became of what, and what no other Caffe has', () => {
  const nodes = [['c = Constant()', { value_float: real(2) }], ['a = Mul(x, c)'], ['y = Gelu(a)']] as const
  const { report } = importGraph(graphOf({ inputs: { x: [2] }, outputs: ['y'], nodes }))
  expect(report).toEqual({
    folded: { Constant: 1 },
    mapped: { Mul: { Power: 1 }, Gelu: { Gelu: 1 } },
    ownLayers: ['Gelu (Ristretto itself)'],
    shared: {},
  })
})
