import { describe, expect, test } from 'vitest'
import { FormatError } from '../../lib/errors.js'
import { floatTensor, intTensor } from '../../lib/onnx/graph.js'
import { readGraph } from '../../lib/onnx/read.js'
import { writeGraph } from '../../lib/onnx/write.js'
import { decode, floats, graphOf, node } from './helpers.js'

const graph = graphOf({
  nodes: [
    node('Conv', ['input:0', 'w'], ['a/b'], {
      pads: { type: 'ints', value: [0, -1, 2 ** 40, 1] },
      auto_pad: { type: 'string', value: 'NOTSET' },
      group: { type: 'int', value: 1 },
    }),
    node('LRN', ['a/b'], ['__proto__'], { alpha: { type: 'float', value: 0.1 } }),
    node('Reshape', ['__proto__', 'shape'], ['y'], {
      value: { type: 'tensor', value: floatTensor([], [2]) },
      scales: { type: 'floats', value: [1, 0.5] },
      names: { type: 'strings', value: ['é', ''] },
    }),
  ],
  inputs: [floats('input:0', ['N', 3, undefined])],
  outputs: [floats('y', [1, 2]), floats('a/b', undefined)],
  initializers: { w: floatTensor([2, 1], [1, 2]), shape: intTensor([0, -1]) },
  metadata: { mean: '1,2,3' },
})

describe('a graph is written', () => {
  test('and read again as it was', async () => {
    const read = await readGraph(writeGraph(graph))
    expect(read).toEqual({ ...graph, producer: 'ristretto' })
  })

  test('as protobufjs reads it', async () => {
    const model = await decode('ModelProto', writeGraph(graph))
    expect(model).toMatchObject({
      ir_version: 7,
      producer_name: 'ristretto',
      opset_import: [{ domain: '', version: 13 }],
      metadata_props: [{ key: 'mean', value: '1,2,3' }],
    })
    const { node, initializer, input } = model.graph as Record<string, Record<string, unknown>[]>
    expect(node[0]).toMatchObject({ op_type: 'Conv', input: ['input:0', 'w'], output: ['a/b'], name: 'a/b' })
    expect(node[0].attribute).toMatchObject([
      { name: 'pads', ints: [0, -1, 2 ** 40, 1], type: 7 },
      { name: 'auto_pad', s: new TextEncoder().encode('NOTSET'), type: 3 },
      { name: 'group', i: 1, type: 2 },
    ])
    expect(node[1].attribute).toMatchObject([{ name: 'alpha', f: Math.fround(0.1), type: 1 }])
    expect(initializer[0]).toMatchObject({ name: 'w', dims: [2, 1], data_type: 1 })
    expect([...(initializer[1].raw_data as Uint8Array)]).toEqual([...Array(8).fill(0), ...Array(8).fill(255)])
    expect(input[0]).toEqual({
      name: 'input:0',
      type: { tensor_type: { elem_type: 1, shape: { dim: [{ dim_param: 'N' }, { dim_value: 3 }, {}] } } },
    })
  })

  test('as the same bytes each time', () => {
    expect(writeGraph(graph)).toEqual(writeGraph(graph))
  })

  test('byte for byte as it was written and read', async () => {
    const bytes = writeGraph(graph)
    expect(writeGraph(await readGraph(bytes))).toEqual(bytes)
  })

  test('graphs within nodes are not', () => {
    const loop = node('Loop', [], ['y'], { body: { type: 'graph', value: () => graph } })
    expect(() => writeGraph(graphOf({ nodes: [loop], outputs: [] }))).toThrow(
      new FormatError("node 'y' (Loop): attribute body is of type graph, which is not written"),
    )
  })
})
