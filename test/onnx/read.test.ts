import { describe, expect, test } from 'vitest'
import { FormatError } from '../../lib/errors.js'
import { attribute, type Graph, int, string } from '../../lib/onnx/graph.js'
import { readGraph } from '../../lib/onnx/read.js'
import { encode } from './helpers.js'

const opset_import = [{ domain: '', version: 13 }]
const model = (graph: object, more: object = {}): Promise<Uint8Array> =>
  encode('ModelProto', { irVersion: 7, opset_import, graph, ...more })

const read = async (graph: object, more?: object): Promise<Graph> =>
  readGraph(await model(graph, more), { file: 'm.onnx' })

const value = (name: string, ...dims: (number | string)[]) => ({
  name,
  type: {
    tensor_type: {
      elem_type: 1,
      shape: { dim: dims.map(d => (typeof d === 'number' ? { dim_value: d } : { dim_param: d })) },
    },
  },
})

/** x through one node to y. */
const relu = {
  node: [{ op_type: 'Relu', input: ['x'], output: ['y'] }],
  input: [value('x', 'N', 3)],
  output: [value('y', 'N', 3)],
}

const bytes = (array: ArrayBufferView): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

describe('a model is read', () => {
  test('names, shapes, metadata, producer and operators', async () => {
    const graph = await read(relu, {
      producer_name: 'torch',
      producer_version: '2.1',
      opset_import: [
        { domain: 'com.microsoft', version: 1 },
        { domain: 'ai.onnx', version: 17 },
      ],
      metadata_props: [{ key: '__proto__', value: 'a' }],
    })
    expect(graph.inputs).toEqual([{ name: 'x', type: 'float', shape: ['N', 3] }])
    expect(graph.outputs.map(({ name }) => name)).toEqual(['y'])
    expect(graph.opset).toBe(17)
    expect(graph.producer).toBe('torch 2.1')
    expect(graph.metadata.get('__proto__')).toBe('a')
    expect(graph.nodes).toEqual([
      { name: '', op: 'Relu', domain: '', inputs: ['x'], outputs: ['y'], attributes: new Map() },
    ])
  })

  test('sizes that are not told, values of any shape, and of other types than arrays', async () => {
    const graph = await read({
      ...relu,
      input: [
        value('x', '', -1, 3),
        { name: 'any', type: { tensor_type: { elem_type: 7 } } },
        { name: 'list', type: {} },
      ],
    })
    expect(graph.inputs.map(({ type, shape }) => [type, shape])).toEqual([
      ['float', [undefined, undefined, 3]],
      ['int64', undefined],
      [undefined, undefined],
    ])
  })

  test('an input with a constant of its name is none', async () => {
    const initializer = [{ name: 'w', dims: [1], data_type: 1, float_data: [2] }]
    const graph = await read({ ...relu, initializer, input: [value('w', 1), value('x', 'N', 3)] })
    expect(graph.inputs.map(({ name }) => name)).toEqual(['x'])
    expect(graph.initializers.get('w')).toEqual({ type: 'float', shape: [1], data: new Float32Array([2]) })
  })

  test('constants of every type, as bytes and as lists', async () => {
    const cases: [data_type: number, array: ArrayBufferView, list: object, values: number[]][] = [
      [1, new Float32Array([1.5, -2]), { float_data: [1.5, -2] }, [1.5, -2]],
      [2, new Uint8Array([0, 255]), { int32_data: [0, 255] }, [0, 255]],
      [3, new Int8Array([-128, 127]), { int32_data: [-128, 127] }, [-128, 127]],
      [4, new Uint16Array([1, 65535]), { int32_data: [1, 65535] }, [1, 65535]],
      [5, new Int16Array([-3, 4]), { int32_data: [-3, 4] }, [-3, 4]],
      [6, new Int32Array([-(2 ** 31), 5]), { int32_data: [-(2 ** 31), 5] }, [-(2 ** 31), 5]],
      [7, new BigInt64Array([-2n, 2n ** 40n]), { int64_data: [-2, 2 ** 40] }, [-2, 2 ** 40]],
      [9, new Uint8Array([1, 0]), { int32_data: [1, 0] }, [1, 0]],
      [10, new Uint16Array([0x3e00, 0xc000]), { int32_data: [0x3e00, 0xc000] }, [1.5, -2]],
      [11, new Float64Array([0.1, 2]), { double_data: [0.1, 2] }, [0.1, 2]],
      [12, new Uint32Array([0, 2 ** 32 - 1]), { uint64_data: [0, 2 ** 32 - 1] }, [0, 2 ** 32 - 1]],
      [13, new BigUint64Array([3n, 2n ** 50n]), { uint64_data: [3, 2 ** 50] }, [3, 2 ** 50]],
      [16, new Uint16Array([0x3fc0, 0xc000]), { int32_data: [0x3fc0, 0xc000] }, [1.5, -2]],
    ]
    const initializer = cases.flatMap(([data_type, array, list], i) => [
      { name: `raw${i}`, dims: [2], data_type, raw_data: bytes(array) },
      { name: `list${i}`, dims: [2], data_type, ...list },
    ])
    const { initializers } = await read({ ...relu, initializer })
    for (const [i, [, , , values]] of cases.entries()) {
      expect([...initializers.get(`raw${i}`)!.data]).toEqual(values)
      expect([...initializers.get(`list${i}`)!.data]).toEqual(values)
    }
  })

  test('whole numbers beyond what a number can hold are the nearest', async () => {
    const { initializers, nodes } = await read({
      ...relu,
      node: [{ ...relu.node[0], attribute: [{ name: 'ends', type: 7, ints: ['9223372036854775807', -1] }] }],
      initializer: [
        { name: 'a', dims: [2], data_type: 7, raw_data: bytes(new BigInt64Array([2n ** 63n - 1n, -(2n ** 63n)])) },
        { name: 'b', dims: [2], data_type: 7, int64_data: ['9223372036854775807', '-9223372036854775808'] },
      ],
    })
    const ends = [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]
    expect([...initializers.get('a')!.data]).toEqual(ends)
    expect([...initializers.get('b')!.data]).toEqual(ends)
    expect(attribute(nodes[0], 'ends', 'ints')).toEqual([Number.MAX_SAFE_INTEGER, -1])
  })

  test('bytes that lie at odd places, and a Buffer of a larger memory', async () => {
    const initializer = [{ name: 'w', dims: [1], data_type: 7, raw_data: bytes(new BigInt64Array([7n])) }]
    const file = await model({ ...relu, initializer })
    for (let shift = 0; shift < 8; shift++) {
      const pool = Buffer.alloc(file.length + 16)
      pool.set(file, shift)
      const { initializers } = await readGraph(pool.subarray(shift, shift + file.length))
      expect([...initializers.get('w')!.data]).toEqual([7])
    }
  })

  test('attributes with their type, and of old files without', async () => {
    const attribute = [
      { name: 'mode', s: Buffer.from('SAME') },
      { name: 'axis', i: 2 },
      { name: 'none', type: 2 },
    ]
    const { nodes } = await read({ ...relu, node: [{ ...relu.node[0], attribute }] })
    expect(string(nodes[0], 'mode', 'x')).toBe('SAME')
    expect(int(nodes[0], 'axis', 1)).toBe(2)
    expect(int(nodes[0], 'none', 1)).toBe(0)
    expect(int(nodes[0], 'other', 1)).toBe(1)
    expect(() => int(nodes[0], 'mode', 1)).toThrow(
      "node 'y' (Relu): attribute mode is of type string; it has to be int",
    )
  })

  test('nodes that stand in the wrong order are put right', async () => {
    const node = [
      { op_type: 'B', input: ['a'], output: ['b'] },
      { op_type: 'A', input: ['x'], output: ['a'] },
      { op_type: 'C', input: ['x'], output: ['c'] },
    ]
    const { nodes } = await read({ ...relu, node, output: [value('b', 1)] })
    expect(nodes.map(({ op }) => op)).toEqual(['A', 'B', 'C'])
  })

  test('graphs within nodes, when they are called for', async () => {
    const inner = await encode('GraphProto', {
      node: [{ op_type: 'Add', input: ['x', 'w'], output: ['z'] }],
      initializer: [{ name: 'w', dims: [], data_type: 1, float_data: [1] }],
      output: [value('z')],
    })
    const attribute_ = [{ name: 'then_branch', type: 5, g: inner }]
    const { nodes } = await read({ ...relu, node: [{ ...relu.node[0], attribute: attribute_ }] })
    const graph = attribute(nodes[0], 'then_branch', 'graph')!
    expect(graph(new Set(['x'])).nodes[0].inputs).toEqual(['x', 'w'])
    expect(() => graph(new Set())).toThrow("reads 'x', which no input, constant or node is called")
  })
})

describe('external weights', () => {
  const tensor = (data: Record<string, string>) => ({
    name: 'w',
    dims: [2],
    data_type: 1,
    data_location: 1,
    external_data: Object.entries(data).map(([key, value]) => ({ key, value })),
  })
  const file = new Uint8Array([9, 9, 9, 9, ...bytes(new Float32Array([1, 2]))])
  const from = async (data: Record<string, string>, given: Uint8Array | undefined = file) =>
    readGraph(await model({ ...relu, initializer: [tensor(data)] }), {
      file: 'm.onnx',
      external: given && (async () => given),
    })

  test('are read from their place', async () => {
    const { initializers } = await from({ location: 'a/w.bin', offset: '4', length: '8' })
    expect([...initializers.get('w')!.data]).toEqual([1, 2])
    const whole = await from({ location: 'w.bin', offset: '4' })
    expect([...whole.initializers.get('w')!.data]).toEqual([1, 2])
  })

  test.each(['../w', 'a/../../w', '/etc/passwd', 'C:\\w', '\\\\host\\w', 'http://h/w', 'file:w', ''])(
    'are refused outside of the folder: %j',
    async location => {
      await expect(from({ location })).rejects.toThrow('only files in the folder of the model')
    },
  )

  test.each([
    [{ location: 'w', offset: '8' }, "bytes 8 to 16 of 'w', which has 12"],
    [{ location: 'w', offset: '-4' }, "the offset of its values in 'w' is '-4'"],
    [{ location: 'w', length: '1e12' }, "the length of its values in 'w' is '1e12'"],
    [{ location: 'w', offset: '4', length: '4' }, 'of 2 values, but 1 are there'],
  ])('with places that are none are refused: %j', async (data, message) => {
    await expect(from(data)).rejects.toThrow(message)
  })

  test('need somebody to read them', async () => {
    const bytes = await model({ ...relu, initializer: [tensor({ location: 'w' })] })
    await expect(readGraph(bytes)).rejects.toThrow("its values are in the file 'w'; give the model by its path")
  })
})

describe('hostile models', () => {
  const chain = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ op_type: 'Relu', input: [`v${i}`], output: [`v${i + 1}`] }))

  const cases: [name: string, graph: object, message: string, more?: object][] = [
    ['a circle', { ...relu, node: [{ op_type: 'A', input: ['y'], output: ['y'] }] }, 'needs its own output'],
    [
      'a long circle',
      { ...relu, node: [...chain(1000), { op_type: 'Relu', input: ['v1000'], output: ['v0'] }], output: [] },
      'needs its own output',
    ],
    ['a name twice', { ...relu, node: [relu.node[0], relu.node[0]] }, "'y' is defined twice, by node 'y' (Relu)"],
    ['an input that a node makes', { ...relu, input: [value('x', 1), value('y', 1)] }, "'y' is defined twice"],
    ['a missing name', { ...relu, input: [] }, "reads 'x', which no input, constant or node is called"],
    ['a missing output', { ...relu, output: [value('z', 1)] }, "nothing computes the output 'z'"],
    ['an output twice', { ...relu, output: [...relu.output, ...relu.output] }, "two outputs are called 'y'"],
    ['a size below 0', tensorOf([-1]), 'impossible shape [-1]'],
    ['sizes beyond memory', tensorOf([2 ** 20, 2 ** 20]), 'impossible shape'],
    ['an input beyond memory', { ...relu, input: [value('x', 2 ** 20, 2 ** 20)] }, 'impossible shape'],
    ['many axes', tensorOf(Array(100_000).fill(1)), 'impossible shape'],
    ['fewer values than announced', tensorOf([4]), 'of 4 values, but 1 are there'],
    [
      'half a value',
      { ...relu, initializer: [{ name: 'w', data_type: 1, raw_data: bytes(new Uint8Array(3)) }] },
      '3 bytes do not make whole values',
    ],
    ['texts', { ...relu, initializer: [{ name: 'w', data_type: 8 }] }, 'holds values of string, which are not read'],
    ['an unknown type', { ...relu, initializer: [{ name: 'w', data_type: 99 }] }, 'values of type 99'],
    ['constants of one name', { ...relu, initializer: [tensor(), tensor()] }, "two constants are called 'w'"],
    ['sparse constants', { ...relu, sparse_initializer: [new Uint8Array(1)] }, 'it has sparse constants'],
    ['no operator', { ...relu, node: [{ input: ['x'], output: ['y'] }] }, 'does not say which operator it is'],
    ['an attribute twice', withAttributes({ name: 'a', i: 1 }, { name: 'a', i: 2 }), 'attribute a is there twice'],
    ['an attribute of no type', withAttributes({ name: 'a' }), 'no value of a type that is known'],
    ['a new opset', relu, 'version 99 of', { opset_import: [{ version: 99 }] }],
    ['no opset', relu, 'version 0 of', { opset_import: [] }],
  ]
  function tensor(dims: number[] = [1]) {
    return { name: 'w', dims, data_type: 1, float_data: [1] }
  }
  function tensorOf(dims: number[]) {
    return { ...relu, initializer: [tensor(dims)] }
  }
  function withAttributes(...attribute: object[]) {
    return { ...relu, node: [{ ...relu.node[0], attribute }] }
  }

  test.each(cases)('%s', async (_name, graph, message, more) => {
    const error = await read(graph, more).catch(error => error)
    expect(error).toBeInstanceOf(FormatError)
    expect(error.message).toContain('m.onnx')
    expect(error.message).toContain(message)
  })

  test('no graph, and nothing at all', async () => {
    await expect(readGraph(await encode('ModelProto', { ir_version: 7 }))).rejects.toThrow('is it an ONNX model?')
    await expect(readGraph(new Uint8Array(0))).rejects.toThrow(FormatError)
  })

  test('a chain as long as the file is no recursion', { tags: 'long' }, async () => {
    const count = 30_000
    const graph = { node: chain(count).reverse(), input: [value('v0', 1)], output: [value(`v${count}`, 1)] }
    const { nodes } = await read(graph)
    expect(nodes[0].inputs).toEqual(['v0'])
    expect(nodes.length).toBe(count)
  })

  test('graphs in graphs in graphs', { tags: 'long' }, async () => {
    const nest = async (depth: number): Promise<Uint8Array> => {
      let inner = await encode('GraphProto', {})
      for (let i = 1; i < depth; i++)
        inner = await encode('GraphProto', { node: [{ op_type: 'If', attribute: [{ name: 'g', type: 5, g: inner }] }] })
      return inner
    }
    const { nodes } = await read({
      ...relu,
      node: [{ ...relu.node[0], attribute: [{ name: 'g', type: 5, g: await nest(40) }] }],
    })
    let node = nodes[0]
    let depth = 0
    const descend = () => {
      for (;;) {
        node = attribute(node, 'g', 'graph')!(new Set()).nodes[0]
        depth++
      }
    }
    expect(descend).toThrow('more than 16 graphs in graphs')
    expect(depth).toBe(16)
  })

  test('every truncation is a FormatError or a model that was whole before', async () => {
    const whole = await model({ ...relu, initializer: [tensor()] }, { metadata_props: [{ key: 'k', value: 'v' }] })
    for (let size = 0; size < whole.length; size++) {
      const result = await readGraph(whole.slice(0, size)).catch(error => error)
      if (result instanceof Error) expect(result).toBeInstanceOf(FormatError)
    }
  })
})
