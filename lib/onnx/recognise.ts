import type { Layer } from '../layer.js'
import type { Operand, Piece } from './pieces.js'
import { reshapeDims } from './pieces.js'

// Layers that together are another: each pass over memory that is saved counts. Every rule changes the last layer of what
// it finds; the others go when nobody reads them.

type PowerFields = NonNullable<Layer['param']['power_param']>
type Rule = (piece: Piece) => boolean

/** Nearly the same number: constants are float32. */
const near = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-4 * Math.abs(b)

/** The layer of this type that makes the operand; nobody needs its top by name. */
const makerOf = (operand: Operand | undefined, type: string): Piece | undefined =>
  operand?.maker?.type === type && !operand.fixed ? operand.maker : undefined

/** scale·x + shift, of a layer that is no more than that. */
function line(piece: Piece | undefined): { x: Operand; scale: number; shift: number } | undefined {
  if (piece?.type !== 'Power') return undefined
  const { power = 1, scale = 1, shift = 0 }: PowerFields = piece.fields.power_param ?? {}
  return power === 1 ? { x: piece.bottoms[0], scale, shift } : undefined
}

const linear = (operand: Operand | undefined) => line(makerOf(operand, 'Power'))

/** Whether what is found is scale·x + shift, x perhaps a line of the same thing itself, which was then joined with it. */
function isLineOf(found: ReturnType<typeof line>, x: Operand, scale: number, shift: number): boolean {
  if (!found) return false
  const own = found.x === x ? { x, scale: 1, shift: 0 } : linear(x)
  const [wanted, sum] = own ? [scale * own.scale, scale * own.shift + shift] : [0, 0]
  return own?.x === found.x && near(found.scale, wanted) && Math.abs(found.shift - sum) <= 1e-4 * Math.abs(shift)
}

const become = (piece: Piece, type: string, bottoms: readonly Operand[], fields: Piece['fields'] = {}): true => {
  piece.type = type
  piece.bottoms = [...bottoms]
  piece.fields = fields
  return true
}

/** The factors of a product of two. */
function factors(piece: Piece): readonly (readonly [Operand, Operand])[] {
  if (piece.type !== 'Eltwise' || piece.fields.eltwise_param?.operation !== 'PROD' || piece.bottoms.length !== 2)
    return []
  const [a, b] = piece.bottoms
  return [
    [a, b],
    [b, a],
  ]
}

/** a·(scale·x + shift), between 0 and 1. */
function hardSigmoid(piece: Piece): boolean {
  const above = line(piece)
  const scale = above && above.shift === 0 ? above.scale : 1
  const clip = above ? makerOf(above.x, 'Clip') : piece.type === 'Clip' ? piece : undefined
  const { min, max = 0 } = clip?.fields.clip_param ?? {}
  if (!clip || min !== 0 || !near(max * scale, 1)) return false
  const inner = linear(clip.bottoms[0])
  if (!inner) return false
  const hard_sigmoid_param = { alpha: inner.scale * scale, beta: inner.shift * scale }
  return become(piece, 'HardSigmoid', [inner.x], { hard_sigmoid_param })
}

/** Whether a HardSigmoid of x is that of a hard swish of x. */
function isSixth(piece: Piece, x: Operand): boolean {
  const { alpha: scale = 0.2, beta: shift = 0.5 } = piece.fields.hard_sigmoid_param ?? {}
  return isLineOf({ x: piece.bottoms[0], scale, shift }, x, 1 / 6, 0.5)
}

function hardSwish(piece: Piece): boolean {
  for (const [x, h] of factors(piece)) {
    const sigmoid = makerOf(h, 'HardSigmoid')
    if (sigmoid && isSixth(sigmoid, x)) return become(piece, 'HardSwish', [x])
  }
  // x·clip(x + 3, 0, 6) / 6
  const above = line(piece)
  if (above?.shift !== 0 || !near(above.scale, 1 / 6)) return false
  const product = makerOf(above.x, 'Eltwise')
  for (const [x, c] of product ? factors(product) : []) {
    const clip = makerOf(c, 'Clip')
    const { min, max } = clip?.fields.clip_param ?? {}
    if (min === 0 && max === 6 && isLineOf(linear(clip?.bottoms[0]), x, 1, 3)) return become(piece, 'HardSwish', [x])
  }
  return false
}

function swish(piece: Piece): boolean {
  for (const [x, s] of factors(piece)) {
    const sigmoid = makerOf(s, 'Sigmoid')
    if (!sigmoid) continue
    if (sigmoid.bottoms[0] === x) return become(piece, 'Swish', [x])
    const inner = linear(sigmoid.bottoms[0])
    if (inner?.x === x && inner.shift === 0) return become(piece, 'Swish', [x], { swish_param: { beta: inner.scale } })
  }
  return false
}

/** 1 + erf(x / √2) is made of x. */
function normalOf(operand: Operand): Operand | undefined {
  const added = linear(operand)
  const erf = added && added.scale === 1 && added.shift === 1 ? makerOf(added.x, 'Unary') : undefined
  if (erf?.fields.unary_param?.operation !== 'ERF') return undefined
  const inner = linear(erf.bottoms[0])
  return inner && inner.shift === 0 && near(inner.scale, Math.SQRT1_2) ? inner.x : undefined
}

function gelu(piece: Piece): boolean {
  for (const [half, normal] of factors(piece)) {
    const x = normalOf(normal)
    const halved = linear(half)
    if (x && halved?.x === x && halved.scale === 0.5 && halved.shift === 0) return become(piece, 'Gelu', [x])
  }
  const above = line(piece)
  if (above?.shift !== 0 || above.scale !== 0.5) return false
  const product = makerOf(above.x, 'Eltwise')
  for (const [x, normal] of product ? factors(product) : [])
    if (normalOf(normal) === x) return become(piece, 'Gelu', [x])
  return false
}

function shuffleChannel(piece: Piece): boolean {
  if (piece.type !== 'Reshape') return false
  const turned = makerOf(piece.bottoms[0], 'Permute')
  const parts = makerOf(turned?.bottoms[0], 'Reshape')
  const x = parts?.bottoms[0]
  if (!turned || !parts || !x) return false
  const [n, c, ...space] = x.shape
  const [, group, rest, ...same] = parts.tops[0].shape
  if (parts.tops[0].shape.length !== x.shape.length + 1 || x.shape.length !== 4 || same.join() !== space.join())
    return false
  if (turned.fields.permute_param?.order?.slice(0, 3).join() !== '0,2,1' || group * rest !== c) return false
  if (piece.tops[0].shape.join() !== [n, c, ...space].join() || parts.tops[0].shape[0] !== n) return false
  return become(piece, 'ShuffleChannel', [x], { shuffle_channel_param: { group } })
}

/** A constant that is added behind a layer that has room for it. */
function biasInto(piece: Piece): boolean {
  if (piece.type !== 'Bias' || piece.bottoms.length !== 1 || piece.weights.length !== 1) return false
  const before = piece.bottoms[0].fixed ? undefined : piece.bottoms[0].maker
  const [bias] = piece.weights
  const axis = piece.fields.bias_param?.axis ?? 1
  if (before?.weights.length !== 1) return false
  const { fields } = before
  const take = (more: Piece['fields']): true => {
    const weights = [...before.weights, bias]
    piece.weights = weights
    return become(piece, before.type, before.bottoms, more)
  }
  if (before.type === 'InnerProduct') {
    const p = fields.inner_product_param ?? {}
    if (bias.shape.length !== 1 || bias.shape[0] !== p.num_output || axis !== before.tops[0].shape.length - 1)
      return false
    const { bias_term: _, ...rest } = p
    return take({ ...fields, inner_product_param: rest })
  }
  if (before.type === 'Convolution' || before.type === 'Deconvolution') {
    const p = fields.convolution_param ?? {}
    if (bias.shape.length !== 1 || bias.shape[0] !== p.num_output || axis !== 1) return false
    const { bias_term: _, ...rest } = p
    return take({ ...fields, convolution_param: rest })
  }
  if (before.type !== 'Scale' || before.bottoms.length !== 1 || before.weights[0].shape.join() !== bias.shape.join())
    return false
  if ((fields.scale_param?.axis ?? 1) !== axis) return false
  return take({ ...fields, scale_param: { ...fields.scale_param, bias_term: true } })
}

/** Zeros around a convolution, the same in front and behind. */
function padInto(piece: Piece): boolean {
  if (piece.type !== 'Convolution') return false
  const around = makerOf(piece.bottoms[0], 'Padding')
  const { before = [], after = before, axis = 2, mode = 'CONSTANT', value = 0 } = around?.fields.padding_param ?? {}
  const axes = (around?.bottoms[0].shape.length ?? 0) - 2
  if (!around || axis !== 2 || mode !== 'CONSTANT' || value !== 0 || before.length !== axes) return false
  if (before.some((pad, i) => pad !== after[i] || pad < 0)) return false
  const p = piece.fields.convolution_param ?? {}
  const pad = before.map((more, i) => more + (p.pad?.[p.pad.length === 1 ? 0 : i] ?? 0))
  const compact = pad.every(value => value === pad[0]) ? pad.slice(0, 1) : pad
  piece.fields = { ...piece.fields, convolution_param: { ...p, pad: compact } }
  piece.bottoms = [around.bottoms[0]]
  return true
}

/** Two orders of axes are one. */
function permuteTwice(piece: Piece): boolean {
  const first = piece.type === 'Permute' ? makerOf(piece.bottoms[0], 'Permute') : undefined
  if (!first) return false
  const [before, after] = [first.fields.permute_param?.order ?? [], piece.fields.permute_param?.order ?? []]
  const order = after.map(axis => before[axis])
  const [x] = first.bottoms
  if (order.some((axis, i) => axis !== i)) return become(piece, 'Permute', [x], { permute_param: { order } })
  return become(piece, 'Reshape', [x], { reshape_param: { shape: { dim: x.shape.map(() => 0) } } })
}

function reshapeTwice(piece: Piece): boolean {
  const first = piece.type === 'Reshape' ? makerOf(piece.bottoms[0], 'Reshape') : undefined
  if (!first) return false
  const [x] = first.bottoms
  return become(piece, 'Reshape', [x], { reshape_param: { shape: { dim: reshapeDims(x.shape, piece.tops[0].shape) } } })
}

function lineTwice(piece: Piece): boolean {
  const [last, first] = [line(piece), linear(piece.bottoms[0])]
  if (!last || !first) return false
  const [scale, shift] = [first.scale * last.scale, first.shift * last.scale + last.shift]
  return become(piece, 'Power', [first.x], {
    power_param: { ...(scale !== 1 && { scale }), ...(shift !== 0 && { shift }) },
  })
}

const rules: readonly Rule[] = [
  hardSwish,
  hardSigmoid,
  swish,
  gelu,
  shuffleChannel,
  biasInto,
  padInto,
  permuteTwice,
  reshapeTwice,
  lineTwice,
]

/** Applies the rules, in the order of the layers, until none finds anything. */
export function recognise(pieces: readonly Piece[]): void {
  for (let found = true; found; ) {
    found = false
    for (const piece of pieces) while (rules.some(rule => rule(piece))) found = true
  }
}
