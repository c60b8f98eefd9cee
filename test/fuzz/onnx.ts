/** Models that are damaged, and what reads and writes them. */
import { readFileSync } from 'node:fs'
import { Net } from '../../lib/net.js'
import { exportNet } from '../../lib/onnx/export.js'
import type { Graph } from '../../lib/onnx/graph.js'
import { importGraph } from '../../lib/onnx/import.js'
import { readGraph } from '../../lib/onnx/read.js'
import { writeGraph } from '../../lib/onnx/write.js'
import { parseNet } from '../../lib/proto/text.js'
import { goldenPath, recordedLayers } from '../golden.js'
import { encode } from '../onnx/helpers.js'
import type { Seed } from './corpus.js'

/** A branch within a branch, whose nodes read names of the graphs around it. */
async function branches(): Promise<Seed> {
  const output = [{ name: 'z' }]
  const inner = await encode('GraphProto', { node: [{ op_type: 'Relu', input: ['x'], output: ['z'] }], output })
  const attribute = [{ name: 'then_branch', type: 5, g: inner }]
  const outer = await encode('GraphProto', {
    node: [{ op_type: 'If', input: ['c'], output: ['z'], attribute }],
    output,
  })
  const graph = {
    node: [{ op_type: 'If', input: ['c'], output: ['y'], attribute: [{ name: 'then_branch', type: 5, g: outer }] }],
    input: [{ name: 'x', type: { tensor_type: { elem_type: 1, shape: { dim: [{ dim_param: 'N' }] } } } }],
    initializer: [{ name: 'c', data_type: 9, raw_data: new Uint8Array([1]) }],
    output: [{ name: 'y' }],
  }
  return { name: 'branches.onnx', bytes: await encode('ModelProto', { opset_import: [{ version: 13 }], graph }) }
}

/** The first recorded case of every type of layer that has an ONNX form. */
async function layers(): Promise<Seed[]> {
  const seeds: Seed[] = []
  for (const file of recordedLayers()) {
    const { cases } = JSON.parse(readFileSync(goldenPath(`${file}.json`), 'utf8'))
    try {
      using net = await Net.create(parseNet(cases[0].prototxt), {
        engine: 'js',
        seed: 1,
        phase: 'TEST',
        files: () => undefined,
      })
      seeds.push({ name: `${file}.onnx`, bytes: writeGraph(exportNet(net.built)) })
    } catch {
      // a loss, or a layer that needs files
    }
  }
  return seeds
}

const made = [await branches(), ...(await layers())]
export const models = (): readonly Seed[] => made

/** Read all of it, the graphs within as well, write it and read that, and make it a net's description. */
export async function readModel(bytes: Uint8Array): Promise<void> {
  const graph = await readGraph(bytes, { external: async () => new Uint8Array(64) })
  visit(graph, new Set())
  const written = writeGraph(graph)
  const again = writeGraph(await readGraph(written))
  if (Buffer.compare(written, again)) throw new Error('a model that was written reads differently')
  // what cannot come is refused with words; what can is a description that nets are made of
  const { net } = importGraph(graph)
  for (const { name, type } of net.layer ?? []) if (!name || !type) throw new Error('a layer without a name or type')
}

function visit(graph: Graph, outer: ReadonlySet<string>): void {
  const known = new Set([
    ...outer,
    ...graph.inputs.map(({ name }) => name),
    ...graph.initializers.keys(),
    ...graph.nodes.flatMap(({ outputs }) => outputs),
  ])
  for (const { attributes } of graph.nodes)
    for (const attribute of attributes.values()) if (attribute.type === 'graph') visit(attribute.value(known), known)
}

/** The ONNX file of a net, if it can be made and has one. */
export async function exportDescribed(text: string, maxMemory: number): Promise<void> {
  const net = await Net.create(parseNet(text), {
    engine: 'js',
    seed: 1,
    phase: 'TEST',
    maxMemory,
    files: () => undefined,
  })
  try {
    await readGraph(await net.toBytes({ format: 'onnx' }))
  } finally {
    net.dispose()
  }
}
