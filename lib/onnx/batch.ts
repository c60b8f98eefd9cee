import { type Dim, type Graph, type Node, nodeText, type Tensor, type Value } from './graph.js'

/** What the size of the batch is called in files. */
const BATCH = 'N'

/**
 * One graph for every batch, from those of two batch sizes: they must be the same but for sizes of inputs and outputs. A
 * text says what differs where they are not.
 */
export function anyBatch(one: Graph, other: Graph): Graph | string {
  const different = firstDifference(one, other)
  if (different !== undefined) return different
  const named = (values: readonly Value[], others: readonly Value[]): Value[] =>
    values.map((value, i) => ({
      ...value,
      shape: value.shape?.map((size, axis): Dim => (size === others[i].shape?.[axis] ? size : BATCH)),
    }))
  return { ...one, inputs: named(one.inputs, other.inputs), outputs: named(one.outputs, other.outputs) }
}

function firstDifference(one: Graph, other: Graph): string | undefined {
  const nodes = Math.max(one.nodes.length, other.nodes.length)
  for (let i = 0; i < nodes; i++) {
    const [a, b] = [one.nodes[i], other.nodes[i]]
    if (!a || !b || !sameNode(a, b)) return `${nodeText(a ?? b)} depends on the batch`
    for (const name of a.inputs) {
      const [own, others] = [one.initializers.get(name), other.initializers.get(name)]
      if (own !== others && !(own && others && sameTensor(own, others)))
        return `'${name}', which ${nodeText(a)} reads, depends on the batch`
    }
  }
  const outputs = one.outputs.find(({ name }, i) => name !== other.outputs[i]?.name)
  return outputs && `output '${outputs.name}' depends on the batch`
}

function sameNode(a: Node, b: Node): boolean {
  const parts = ({ name, op, inputs, outputs, attributes }: Node) => [name, op, inputs, outputs, ...attributes]
  return JSON.stringify(parts(a)) === JSON.stringify(parts(b))
}

function sameTensor(a: Tensor, b: Tensor): boolean {
  if (a.type !== b.type || a.shape.join() !== b.shape.join()) return false
  // params lie in the same memory
  if (a.data.buffer === b.data.buffer && a.data.byteOffset === b.data.byteOffset) return true
  return a.data.every((value, i) => Object.is(value, b.data[i]))
}
