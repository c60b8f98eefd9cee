import { int, type TensorType } from '../graph.js'
import type { Step } from '../pieces.js'
import { typeOf } from '../tensor.js'

/** Operators whose result holds what their first input does. */
const KEEPING = new Set(
  `Abs Add Clip Compress Concat CumSum DepthToSpace Div Expand Flatten Gather GatherElements GatherND Identity Max Min Mod
  Mul Neg Pad Pow ReduceMax ReduceMin ReduceProd ReduceSum Relu Reshape Sign Slice SpaceToDepth Split Squeeze Sub Sum Tile
  TopK Transpose Unsqueeze`.split(/\s+/),
)

/** What an output of a node holds by the model's account, where its layer does not say so. */
export function resultType({ node, types }: Step, output: number): TensorType {
  if (node.op === 'Cast') return typeOf(int(node, 'to', 1))
  if (node.op === 'Where') return types[1] ?? 'float'
  return KEEPING.has(node.op) && (output === 0 || node.op === 'Split') ? (types[0] ?? 'float') : 'float'
}
