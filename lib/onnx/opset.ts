import { NetError } from '../errors.js'
import { type Graph, intTensor, type Node, type Tensor } from './graph.js'

/** Versions of ONNX's operators that are written: before 13 axes were attributes, and Softmax another. */
export const OLDEST = 13
export const NEWEST = 21

/** Whose axes are an input from operator set 18 on; ReduceSum's were before. */
const REDUCTIONS = new Set(
  ['Mean', 'Max', 'Min', 'Prod', 'L1', 'L2', 'SumSquare', 'LogSumExp'].map(name => `Reduce${name}`),
)

/** The graph, which is of operator set 13, as one of a newer set. */
export function atOpset(graph: Graph, opset: number): Graph {
  if (!(Number.isInteger(opset) && opset >= OLDEST && opset <= NEWEST))
    throw new NetError(`opset: ${opset} is none of those that can be written, ${OLDEST} to ${NEWEST}`)
  if (opset === OLDEST) return graph
  const initializers = new Map(graph.initializers)
  const taken = new Set([...initializers.keys(), ...graph.nodes.flatMap(({ outputs }) => outputs)])
  const named = (name: string, tensor: Tensor): string => {
    let free = name
    for (let i = 1; taken.has(free); i++) free = `${name}_${i}`
    taken.add(free)
    initializers.set(free, tensor)
    return free
  }
  const newer = (node: Node): Node => {
    const attributes = new Map(node.attributes)
    if (opset >= 16 && node.op === 'RoiAlign') {
      // what was the only way until then
      attributes.set('coordinate_transformation_mode', { type: 'string', value: 'output_half_pixel' })
      return { ...node, attributes }
    }
    const axes = attributes.get('axes')
    if (opset < 18 || !REDUCTIONS.has(node.op) || axes?.type !== 'ints') return node
    attributes.delete('axes')
    return { ...node, attributes, inputs: [...node.inputs, named(`${node.outputs[0]}:axes`, intTensor(axes.value))] }
  }
  const nodes = graph.nodes.map(newer)
  return { ...graph, opset, nodes, initializers }
}
