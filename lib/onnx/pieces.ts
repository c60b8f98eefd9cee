import type { LayerParameter, ParamSpec } from '../generated/caffe.js'
import { countOf, type Node, type Tensor, type TensorType } from './graph.js'

// What an imported model is made of before it is a net: layers that know their neighbours, so that several can become one.

/** A value of the model: a blob, or a constant that becomes one when a layer asks for it. */
export interface Operand {
  /** Of the blob. Names that the model does not give are made up. */
  name: string
  shape: readonly number[]
  type: TensorType
  constant?: Tensor
  /** The layer that it is a top of; none for inputs of the net. */
  maker?: Piece
  /** Whether its name is the model's to the letter: of its inputs and outputs. */
  fixed?: boolean
}

/** Learned values of a layer: their shape, and themselves when the net is made. */
export interface Weight {
  readonly shape: readonly number[]
  readonly data: () => Float32Array
  /** The constant of the model that these are, unchanged: layers that have one in common share it. */
  readonly of?: Tensor
}

/** The part of a LayerParameter that says what is computed. */
export type Fields = Omit<LayerParameter, 'name' | 'type' | 'bottom' | 'top' | 'blobs'>

/** A layer. */
export interface Piece {
  name: string
  /** What it would be called if no other were. */
  asked?: string
  type: string
  bottoms: Operand[]
  tops: Operand[]
  fields: Fields
  weights: Weight[]
}

/** What has no gradient to learn by, and no business with a solver. */
export const FIXED: ParamSpec = { lr_mult: 0, decay_mult: 0 }

/** The values of a tensor as weights; float32 already or made so. */
export const weightOf = (tensor: Tensor, shape: readonly number[] = tensor.shape): Weight => ({
  shape,
  data: () => floatsOf(tensor),
  of: tensor,
})

/** Weights that are a function of a tensor's. */
export const weightFrom = (
  tensor: Tensor,
  value: (x: number) => number,
  shape: readonly number[] = tensor.shape,
): Weight => ({ shape, data: () => floatsOf(tensor).map(value) })

export const floatsOf = ({ data }: Tensor): Float32Array =>
  data instanceof Float32Array ? data : Float32Array.from(data)

/** Gives out names: of layers, each once, and of blobs. */
export class Names {
  private readonly taken = new Set<string>()

  constructor(taken: Iterable<string> = []) {
    for (const name of taken) this.taken.add(name)
  }

  /** The name, or with _1, _2 … behind it if it is taken. */
  unique(name: string): string {
    let free = name
    for (let i = 1; this.taken.has(free); i++) free = `${name}_${i}`
    this.taken.add(free)
    return free
  }
}

/** Makes the layers of one model. */
export class Workshop {
  readonly pieces: Piece[] = []
  /** Names of layers. */
  readonly layers = new Names()

  constructor(
    /** Names of blobs: the model's are taken from the start. */
    readonly blobs: Names,
    /** How often each value of the model is read. */
    readonly reads: ReadonlyMap<string, number>,
  ) {}

  /** A layer with these bottoms, and one top a shape. Its name is made unique; tops are called after it. */
  add(
    name: string,
    type: string,
    bottoms: readonly Operand[],
    shapes: readonly (readonly number[])[],
    fields: Fields = {},
    weights: readonly Weight[] = [],
  ): Operand[] {
    const piece: Piece = {
      name: this.layers.unique(name),
      asked: name,
      type,
      bottoms: bottoms.map(bottom => this.blob(bottom)),
      tops: [],
      fields,
      weights: [...weights],
    }
    piece.tops = shapes.map(shape => ({ name: '', shape, type: 'float', maker: piece }))
    this.pieces.push(piece)
    return piece.tops
  }

  /** The operand as a blob: a constant gets a Parameter layer, which is not learned. */
  blob(operand: Operand): Operand {
    if (!operand.constant || operand.maker) return operand
    const { constant, shape, name } = operand
    const fields = { parameter_param: { shape: { dim: [...shape] } }, param: [FIXED] }
    // this library calls params NAME_0
    const asked = (name.endsWith('_0') ? name.slice(0, -2) : name) || 'constant'
    const piece: Piece = {
      name: this.layers.unique(asked),
      asked,
      type: 'Parameter',
      bottoms: [],
      tops: [operand],
      fields,
      weights: [weightOf(constant)],
    }
    operand.maker = piece
    if (asked !== name && !operand.fixed) operand.name = this.blobs.unique(asked)
    this.pieces.push(piece)
    return operand
  }
}

/** A node while it is turned into layers. */
export interface Step {
  readonly node: Node
  readonly opset: number
  /** Whether this library wrote the model: its nodes are layers, and called as these. */
  readonly isOwn: boolean
  /** How many of what is counted only in a pass there are, for the time being. */
  readonly found: number
  /** undefined: left out. */
  readonly inputs: readonly (Operand | undefined)[]
  /** What the model says that each holds: blobs are float32 whatever it is. */
  readonly types: readonly (TensorType | undefined)[]
  /** What the layers that it becomes are called, perhaps with something behind it. */
  readonly name: string
  readonly workshop: Workshop
  /** How often the model reads a value. */
  readonly reads: (name: string) => number
}

/** Adds a layer of one top: its name is the node's, with `suffix` behind it. */
export function one(
  step: Step,
  type: string,
  bottoms: Operand | readonly Operand[],
  shape: readonly number[],
  fields: Fields = {},
  weights: readonly Weight[] = [],
  suffix = '',
): Operand {
  const list = Array.isArray(bottoms) ? (bottoms as readonly Operand[]) : [bottoms as Operand]
  return step.workshop.add(step.name + suffix, type, list, [shape], fields, weights)[0]
}

/** Dims of a Reshape that hold for other batches too, where that is possible: 0 is as below, −1 is what is left. */
export function reshapeDims(from: readonly number[], to: readonly number[]): number[] {
  let same = 0
  while (same < from.length && same < to.length && from[same] === to[same]) same++
  const dims = to.map((size, axis) => (axis < same ? 0 : size))
  // a first axis that is a product with the batch: what is left
  if (same === 0 && to.length > 0 && from.length > 0 && from[0] !== to[0] && countOf(to) > 0) dims[0] = -1
  return dims
}

/** The operand with another shape; itself if it has that already. */
export function reshape(step: Step, x: Operand, shape: readonly number[], suffix = '_reshape'): Operand {
  if (x.shape.join() === shape.join() && x.shape.length === shape.length) return x
  const dim = reshapeDims(x.shape, shape)
  return one(step, 'Reshape', x, shape, { reshape_param: { shape: { dim } } }, [], suffix)
}

/** The operand with its axes in another order; a Reshape where only axes of one place move. */
export function permute(step: Step, x: Operand, order: readonly number[], suffix = '_permute'): Operand {
  const moved = order.filter(axis => x.shape[axis] !== 1)
  const isReshape = moved.every((axis, i) => i === 0 || axis > moved[i - 1])
  const shape = order.map(axis => x.shape[axis])
  return isReshape ? reshape(step, x, shape, suffix) : turn(step, x, order, suffix)
}

/** The same by a Permute, which writes down no size: for axes that only a pass tells. */
export function turn(step: Step, x: Operand, order: readonly number[], suffix: string): Operand {
  if (order.every((axis, i) => axis === i)) return x
  const shape = order.map(axis => x.shape[axis])
  return one(step, 'Permute', x, shape, { permute_param: { order: [...order] } }, [], suffix)
}

/** (shift + scale·x)^power. */
export function power(
  step: Step,
  x: Operand,
  { scale = 1, shift = 0, exponent = 1 }: { scale?: number; shift?: number; exponent?: number },
  suffix = '_power',
): Operand {
  if (scale === 1 && shift === 0 && exponent === 1) return x
  const fields = {
    power_param: {
      ...(exponent !== 1 && { power: exponent }),
      ...(scale !== 1 && { scale }),
      ...(shift !== 0 && { shift }),
    },
  }
  return one(step, 'Power', x, x.shape, fields, [], suffix)
}
