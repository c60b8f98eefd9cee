import type { LayerParameter, NetParameter, ParamSpec } from '../generated/caffe.js'
import type { Tensor } from './graph.js'
import { Names, type Operand, type Piece, type Weight, type Workshop } from './pieces.js'

// From layers that know their neighbours to a NetParameter.

/** Layers that may write where they read. */
const IN_PLACE = new Set(['ReLU', 'Clip', 'Dropout', 'BatchNorm', 'Scale', 'Bias', 'PReLU', 'HardSwish', 'Swish'])

/** How often each value is read by layers. */
function readers(pieces: readonly Piece[]): Map<Operand, Piece[]> {
  const all = new Map<Operand, Piece[]>()
  for (const piece of pieces)
    for (const bottom of piece.bottoms) {
      const list = all.get(bottom)
      if (list) list.push(piece)
      else all.set(bottom, [piece])
    }
  return all
}

/** The layers that an output needs, in order. */
export function needed(pieces: readonly Piece[], outputs: readonly Operand[]): Piece[] {
  const wanted = new Set<Operand>(outputs)
  const kept: Piece[] = []
  // a rule may have given a layer bottoms of layers behind it: never, as every rule reaches back
  for (let i = pieces.length - 1; i >= 0; i--) {
    const piece = pieces[i]
    if (!piece.tops.some(top => wanted.has(top))) continue
    for (const bottom of piece.bottoms) wanted.add(bottom)
    kept.push(piece)
  }
  return kept.reverse()
}

/** Reshapes that change no shape, where nobody needs the name. */
export function dropIdle(pieces: readonly Piece[]): void {
  const same = new Map<Operand, Operand>()
  for (const piece of pieces) {
    piece.bottoms = piece.bottoms.map(bottom => same.get(bottom) ?? bottom)
    const [top] = piece.tops
    if (piece.type === 'Reshape' && !top.fixed && top.shape.join() === piece.bottoms[0].shape.join())
      same.set(top, piece.bottoms[0])
  }
}

/** An output that layers read as well would be none: they read what it is a copy of. */
export function splitOutputs(pieces: Piece[], outputs: readonly Operand[], { layers, blobs }: Workshop): void {
  const read = readers(pieces)
  for (const output of outputs) {
    const list = read.get(output)
    const { maker } = output
    if (!list || !maker) continue
    const inner: Operand = { ...output, name: blobs.unique(`${output.name}_inner`), fixed: false }
    maker.tops = maker.tops.map(top => (top === output ? inner : top))
    for (const piece of list) piece.bottoms = piece.bottoms.map(bottom => (bottom === output ? inner : bottom))
    const copy: Piece = {
      name: layers.unique(output.name),
      type: 'Split',
      bottoms: [inner],
      tops: [output],
      fields: {},
      weights: [],
    }
    output.maker = copy
    pieces.splice(pieces.indexOf(maker) + 1, 0, copy)
  }
}

/** Layers that can write into their bottom do, where nobody else reads it: it takes the name of the top. */
export function inPlace(pieces: readonly Piece[]): void {
  const read = readers(pieces)
  for (let i = pieces.length - 1; i >= 0; i--) {
    const piece = pieces[i]
    const [bottom, second] = piece.bottoms
    const [top] = piece.tops
    if (!IN_PLACE.has(piece.type) || second || bottom.fixed || !bottom.maker || read.get(bottom)?.length !== 1) continue
    // a constant is not written to, nor what shares its memory
    if (['Parameter', 'Split', 'Reshape', 'Slice'].includes(bottom.maker.type)) continue
    bottom.name = top.name
  }
}

/** Layers get the names that they asked for, where those that had them are gone; blobs that are called after them, too. */
export function freeNames(inputs: readonly Operand[], pieces: readonly Piece[]): void {
  const layers = new Set(pieces.map(({ name }) => name))
  const blobs = new Set([...inputs, ...pieces.flatMap(({ tops }) => tops)].map(({ name }) => name))
  for (const piece of pieces) {
    const { name, asked, tops } = piece
    if (asked === undefined || name === asked || layers.has(asked)) continue
    layers.delete(name)
    layers.add(asked)
    piece.name = asked
    for (const top of tops)
      if (!top.fixed && top.name === name && !blobs.has(asked)) {
        blobs.add(asked)
        top.name = asked
      }
  }
}

/** Tops that nobody reads are no outputs: Silence takes them. */
function silences(
  inputs: readonly Operand[],
  pieces: readonly Piece[],
  outputs: readonly Operand[],
  { layers }: Workshop,
): Piece[] {
  const read = readers(pieces)
  const idle = [...inputs, ...pieces.flatMap(piece => piece.tops)].filter(
    top => !read.has(top) && !outputs.includes(top),
  )
  if (!idle.length) return []
  return [{ name: layers.unique('unused'), type: 'Silence', bottoms: idle, tops: [], fields: {}, weights: [] }]
}

/**
 * Names of constants that several layers have in common, by weight. Exporters write equal values once, so what cannot be
 * meant is not shared: statistics with a scale of ones that learns, a scale of zeros with the shift of the same layer.
 */
function sharedNames(pieces: readonly Piece[], names: ReadonlyMap<Tensor, string>): Map<Weight, string> {
  const groups = new Map<string, Map<Tensor, Weight[]>>()
  for (const { type, weights } of pieces) {
    if (type === 'BatchNorm') continue
    const own = new Set<Tensor>()
    for (const weight of weights) {
      const { of, shape } = weight
      if (!of || own.has(of)) continue
      own.add(of)
      // the same values in two shapes are no params that Caffe could share
      const group = groups.get(shape.join()) ?? new Map<Tensor, Weight[]>()
      const all = group.get(of) ?? []
      all.push(weight)
      groups.set(shape.join(), group.set(of, all))
    }
  }
  const shared = new Map<Weight, string>()
  const taken = new Names()
  for (const group of groups.values())
    for (const [tensor, all] of group) {
      if (all.length < 2) continue
      const name = taken.unique(names.get(tensor) ?? `shared${shared.size}`)
      for (const weight of all) shared.set(weight, name)
    }
  return shared
}

function paramsOf({ weights, fields }: Piece, shared: ReadonlyMap<Weight, string>): ParamSpec[] | undefined {
  const specs = weights.map((weight, i): ParamSpec => {
    const name = shared.get(weight)
    return { ...(name !== undefined && { name }), ...fields.param?.[i] }
  })
  return specs.some(spec => Object.keys(spec).length) ? specs : fields.param
}

export interface Finished {
  readonly name: string
  readonly inputs: readonly Operand[]
  readonly outputs: readonly Operand[]
  readonly pieces: readonly Piece[]
  readonly workshop: Workshop
  /** Names of the model's constants. */
  readonly constants: ReadonlyMap<Tensor, string>
}

/** The net: an Input layer for each input, then the layers with their weights. */
export function toNet({ name, inputs, outputs, pieces, workshop, constants }: Finished): NetParameter {
  const all = [...pieces, ...silences(inputs, pieces, outputs, workshop)]
  const shared = sharedNames(all, constants)
  const given = inputs.map((input): LayerParameter => {
    const shape = [{ dim: [...input.shape] }]
    return { name: workshop.layers.unique(input.name), type: 'Input', top: [input.name], input_param: { shape } }
  })
  const layers = all.map((piece): LayerParameter => {
    const param = paramsOf(piece, shared)
    const { propagate_down, ...fields } = piece.fields
    return {
      name: piece.name,
      type: piece.type,
      ...(piece.bottoms.length && { bottom: piece.bottoms.map(bottom => bottom.name) }),
      ...(piece.tops.length && { top: piece.tops.map(top => top.name) }),
      ...(piece.weights.length && {
        blobs: piece.weights.map(({ shape, data }) => ({ shape: { dim: [...shape] }, data: data() })),
      }),
      // a layer whose bottoms a rule has changed says nothing of others
      ...(propagate_down?.length === piece.bottoms.length && { propagate_down }),
      ...fields,
      ...(param && { param }),
    }
  })
  return { ...(name && { name }), layer: [...given, ...layers] }
}
