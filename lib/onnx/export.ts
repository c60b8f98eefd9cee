import { NetError, throwAll } from '../errors.js'
import { classOf } from '../layer.js'
import type { BuiltNet, NetNode } from '../net/node.js'
import { isBuiltIn } from '../registry.js'
import { type ExportOptions, GraphBuilder, OnnxGraph, type ToOnnx } from './builder.js'
import { type Graph, PRODUCER } from './graph.js'
import { exporters, whyNot } from './layers/index.js'
import { blobNumbers, nameValues } from './names.js'
import { atOpset, OLDEST } from './opset.js'
import { withoutUnused } from './prune.js'

/** Version of ONNX's operators that is written unless another is asked for: few programs need newer ones. */
const OPSET = 13

/**
 * The graph of a built net as it stands, with its weights; all shapes are fixed. One NetError lists every layer that has
 * no ONNX form.
 */
export function exportNet(net: BuiltNet, options: ExportOptions = {}): Graph {
  const builder = new GraphBuilder(net.blobs.map(({ name }) => name))
  const errors: NetError[] = []
  const outputs = blobNumbers(net, options.outputs ?? net.outputs)
  for (const [i, node] of net.nodes.entries())
    try {
      exportLayer(builder, node, options, onlyReader(net, i, outputs))
    } catch (error) {
      if (!(error instanceof NetError)) throw error
      errors.push(error)
    }
  throwAll(errors)
  nameValues(builder, net, options.outputs ? outputs : statesLast(builder, outputs))
  const graph: Graph = {
    // ONNX wants one
    name: net.name || 'net',
    opset: OLDEST,
    nodes: builder.nodes,
    initializers: builder.initializers,
    inputs: builder.inputs,
    outputs: [...builder.outputs, ...builder.extraOutputs],
    values: new Map(),
    metadata: new Map(Object.entries(options.metadata ?? {})),
    producer: PRODUCER,
  }
  return atOpset(withoutUnused(graph), options.opset ?? OPSET)
}

/** The outputs, states of recurrent layers behind the others and in the order of their layers. */
function statesLast({ current, states }: GraphBuilder, outputs: readonly number[]): number[] {
  const place = (blob: number) => states.indexOf(current.get(blob)!)
  return [...outputs].sort((a, b) => place(a) - place(b))
}

/** The one layer that reads the first top of the i-th, as it stands behind it; undefined where several do, or the world. */
function onlyReader({ nodes }: BuiltNet, i: number, outputs: readonly number[]): NetNode | undefined {
  const [top] = nodes[i].tops
  let found: NetNode | undefined
  for (const node of nodes.slice(i + 1)) {
    if (!node.bottoms.includes(top)) continue
    if (found) return undefined
    found = node
    // behind it the blob has other values
    if (node.tops.includes(top)) return found
  }
  return outputs.includes(top) ? undefined : found
}

function exportLayer(builder: GraphBuilder, node: NetNode, options: ExportOptions, reader: NetNode | undefined): void {
  const { layer } = node
  const { isInput, toOnnx } = classOf(layer) as { toOnnx?: ToOnnx; isInput?: boolean }
  const inputs = node.bottoms.map(blob => builder.current.get(blob) ?? '')
  if (builder.absorbed.has(node)) {
    builder.current.set(node.tops[0], inputs[0])
    return
  }
  const outputs = node.tops.map((_, k) => builder.open(node, k))
  node.tops.forEach((blob, k) => {
    builder.current.set(blob, outputs[k])
  })
  if (isInput) {
    node.top.forEach((blob, k) => {
      builder.input(outputs[k], blob.name, blob.shape)
    })
    return
  }
  const graph = new OnnxGraph(builder, node, inputs, outputs, reader)
  const known = isBuiltIn(layer.type) ? exporters[layer.type]?.write : toOnnx
  if (!known) throw layer.error(whyNot(layer.type))
  const aliases = known(graph, layer, options)
  // tops that are the bottom under another name
  aliases?.forEach((value, k) => {
    builder.current.set(node.tops[k], value)
  })
}
