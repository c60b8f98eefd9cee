import { commonShape, filled, numbersOf } from '../fold/arrays.js'
import * as shapes from '../fold/shapes.js'
import { countOf, float, int, string, type Tensor } from '../graph.js'
import { type Operand, one, permute, reshape, type Step } from '../pieces.js'
import { constant, input, maybeConstant, type Ops, refused } from './handler.js'

const reshaping = (shape: (step: Step, x: Operand) => readonly number[]) => ({
  layers: 'Reshape',
  build: (step: Step): Operand => {
    const x = input(step, 0)
    return reshape(step, x, shape(step, x), '')
  },
})

function concat(step: Step): Operand {
  const all = step.inputs.map((_, i) => input(step, i)).filter(x => countOf(x.shape) > 0 || step.inputs.length === 1)
  if (!all.length) throw refused(step, 'it has nothing to join')
  if (all.length === 1) return all[0]
  const [{ shape: first }] = all
  const written = int(step.node, 'axis', 1)
  const axis = written < 0 ? written + first.length : written
  const wrong = all.find(x => x.shape.length !== first.length || x.shape.some((n, i) => i !== axis && n !== first[i]))
  if (wrong || !(axis >= 0 && axis < first.length))
    throw refused(step, `along axis ${written} ${all.map(x => `[${x.shape.join(', ')}]`).join(', ')} do not join`)
  const shape = first.map((size, i) => (i === axis ? all.reduce((sum, x) => sum + x.shape[axis], 0) : size))
  return one(step, 'Concat', all, shape, axis === 1 ? {} : { concat_param: { axis } })
}

function split(step: Step): readonly Operand[] {
  const x = input(step, 0)
  const written = int(step.node, 'axis', 0)
  const axis = written < 0 ? written + x.shape.length : written
  if (!(axis >= 0 && axis < x.shape.length)) throw refused(step, `axis ${written} is none of ${x.shape.length}`)
  const parts = shapes.partsOf(step.node, x.shape[axis], maybeConstant(step, 1, 'the parts'))
  const topOf = (size: number) => x.shape.map((own, i) => (i === axis ? size : own))
  const start = (i: number) => parts.slice(0, i).reduce((a, b) => a + b, 0)
  if (parts.length === 1) return [x]
  if (parts.includes(0))
    return parts.map((size, i) => {
      const strided_slice_param = { axis: [axis], start: [start(i)], end: [start(i) + size] }
      return one(step, 'StridedSlice', x, topOf(size), { strided_slice_param }, [], `_${i}`)
    })
  const slice_point = parts.every(size => size === parts[0]) ? [] : parts.slice(1).map((_, i) => start(i + 1))
  const slice_param = { ...(axis !== 1 && { axis }), ...(slice_point.length && { slice_point }) }
  return step.workshop.add(
    step.name,
    'Slice',
    [x],
    parts.map(topOf),
    Object.keys(slice_param).length ? { slice_param } : {},
  )
}

/** The largest place that a field holds: an end beyond it is the end. */
const FAR = 2 ** 31 - 1

function slice(step: Step): Operand {
  const x = input(step, 0)
  const given = step.inputs.map((operand, i) => (i === 0 || !operand ? undefined : constant(step, i, 'where it cuts')))
  const broken = given.find(tensor => tensor && !tensor.data.every(Number.isInteger))
  if (broken) throw refused(step, `it cuts at [${numbersOf(broken).join(', ')}], which are no whole numbers`)
  const cuts = shapes
    .cutsOf(step.node, given, x.shape)
    .filter(({ axis, size, step: by }) => size !== x.shape[axis] || by !== 1)
  if (!cuts.length) return x
  const clamp = (place: number) => Math.max(-FAR, Math.min(FAR, place))
  const shape = [...x.shape]
  for (const { axis, size } of cuts) shape[axis] = size
  const strided_slice_param = {
    axis: cuts.map(({ axis }) => axis),
    start: cuts.map(({ start }) => clamp(start)),
    end: cuts.map(({ end }) => clamp(end)),
    ...(cuts.some(cut => cut.step !== 1) && { step: cuts.map(cut => clamp(cut.step)) }),
  }
  return one(step, 'StridedSlice', x, shape, { strided_slice_param })
}

/** Copies along every axis that `repeats` asks for. */
function tiled(step: Step, x: Operand, repeats: readonly number[]): Operand {
  const axes = repeats.map((_, axis) => axis).filter(axis => repeats[axis] !== 1)
  return axes.reduce((y, axis, i) => {
    const shape = y.shape.map((size, k) => (k === axis ? size * repeats[axis] : size))
    if (!(Number.isInteger(repeats[axis]) && repeats[axis] >= 1 && countOf(shape) <= FAR))
      throw refused(step, `${repeats[axis]} copies along axis ${axis} are none, or too many`)
    const tile_param = { ...(axis !== 1 && { axis }), tiles: repeats[axis] }
    return one(step, 'Tile', y, shape, { tile_param }, [], i === axes.length - 1 ? '' : `_${axis}`)
  }, x)
}

function expand(step: Step): Operand {
  const x = input(step, 0)
  const target = numbersOf(constant(step, 1, 'the shape'))
  const shape = commonShape([x.shape, target])
  if (!shape) throw refused(step, `[${x.shape.join(', ')}] does not become [${target.join(', ')}]`)
  const lifted = reshape(step, x, [...Array<number>(shape.length - x.shape.length).fill(1), ...x.shape], '_axes')
  return tiled(
    step,
    lifted,
    shape.map((size, axis) => (lifted.shape[axis] === size ? 1 : size)),
  )
}

function pad(step: Step): Operand {
  const x = input(step, 0)
  const mode = string(step.node, 'mode', 'constant')
  const modes = { constant: 'CONSTANT', reflect: 'REFLECT', edge: 'EDGE' } as const
  if (!Object.hasOwn(modes, mode)) throw refused(step, `mode ${mode} is not there`)
  const pads = shapes.listOf(step.node, 'pads', maybeConstant(step, 1, 'the pads'))
  const value = maybeConstant(step, 2, 'the value')?.data[0] ?? float(step.node, 'value', 0)
  const chosen: Tensor | undefined = maybeConstant(step, 3, 'the axes')
  const axes = chosen ? numbersOf(chosen).map(a => (a < 0 ? a + x.shape.length : a)) : x.shape.map((_, axis) => axis)
  if (pads?.length !== 2 * axes.length) throw refused(step, `pads [${pads?.join(', ')}] are not two for each axis`)
  if (!pads.every(pad => Number.isInteger(pad) && Math.abs(pad) <= FAR))
    throw refused(step, `pads [${pads.join(', ')}] are no numbers of places`)
  const before = x.shape.map((_, axis) => (axes.includes(axis) ? pads[axes.indexOf(axis)] : 0))
  const after = x.shape.map((_, axis) => (axes.includes(axis) ? pads[axes.indexOf(axis) + axes.length] : 0))
  const first = before.findIndex((p, axis) => p !== 0 || after[axis] !== 0)
  if (first < 0) return x
  const padding_param = {
    before: before.slice(first),
    after: after.slice(first),
    ...(first !== 2 && { axis: first }),
    ...(mode !== 'constant' && { mode: modes[mode as keyof typeof modes] }),
    ...(value !== 0 && mode === 'constant' && { value }),
  }
  const shape = x.shape.map((size, axis) => size + before[axis] + after[axis])
  return one(step, 'Padding', x, shape, { padding_param })
}

/** Blocks of places from channels, or channels from blocks of places. */
function blocks(step: Step, toSpace: boolean): Operand {
  const x = input(step, 0)
  const b = int(step.node, 'blocksize', 0)
  if (x.shape.length !== 4 || b < 1) throw refused(step, 'it needs N × C × H × W and a blocksize')
  const [n, c, h, w] = x.shape
  if (!toSpace) {
    if (h % b || w % b) throw refused(step, `${h}×${w} is not made of blocks of ${b}`)
    const six = reshape(step, x, [n, c, h / b, b, w / b, b], '_blocks')
    return reshape(step, permute(step, six, [0, 3, 5, 1, 2, 4]), [n, c * b * b, h / b, w / b], '')
  }
  if (c % (b * b)) throw refused(step, `${c} channels do not make blocks of ${b}×${b}`)
  const rest = c / (b * b)
  const isColumnFirst = string(step.node, 'mode', 'DCR') === 'CRD'
  const six = reshape(step, x, isColumnFirst ? [n, rest, b, b, h, w] : [n, b, b, rest, h, w], '_blocks')
  const turned = permute(step, six, isColumnFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2])
  return reshape(step, turned, [n, rest, h * b, w * b], '')
}

export const shaping: Ops = {
  Reshape: reshaping((step, x) => shapes.reshaped(step.node, x.shape, numbersOf(constant(step, 1, 'the shape')))),
  Flatten: reshaping((step, x) => shapes.flattened(step.node, x.shape)),
  Squeeze: reshaping((step, x) =>
    shapes.squeezed(step.node, x.shape, shapes.listOf(step.node, 'axes', maybeConstant(step, 1, 'the axes'))),
  ),
  Unsqueeze: reshaping((step, x) =>
    shapes.unsqueezed(step.node, x.shape, shapes.listOf(step.node, 'axes', maybeConstant(step, 1, 'the axes'))),
  ),
  Transpose: {
    layers: 'Permute or Reshape',
    build: step => {
      const x = input(step, 0)
      return permute(step, x, shapes.orderOf(step.node, x.shape.length), '')
    },
  },
  Concat: { layers: 'Concat', build: concat },
  Split: { layers: 'Slice', build: split },
  Slice: { layers: 'StridedSlice', note: 'where it cuts must be constant', build: slice },
  Expand: { layers: 'Tile', build: expand },
  Tile: {
    layers: 'Tile',
    build: step => {
      const [x, repeats] = [input(step, 0), numbersOf(constant(step, 1, 'how often'))]
      if (repeats.length !== x.shape.length)
        throw refused(step, `repeats [${repeats.join(', ')}] are not one for each axis of [${x.shape.join(', ')}]`)
      return tiled(step, x, repeats)
    },
  },
  Pad: { layers: 'Padding', note: 'constant, reflect and edge; pads below 0 cut', build: pad },
  DepthToSpace: { layers: 'Reshape, Permute, Reshape', build: step => blocks(step, true) },
  SpaceToDepth: { layers: 'Reshape, Permute, Reshape', build: step => blocks(step, false) },
  Identity: { layers: 'none', build: step => input(step, 0) },
  Dropout: {
    layers: 'Dropout',
    note: 'its ratio drops in TRAIN; the mask is that of a net in use; no training_mode',
    build: step => {
      const x = input(step, 0)
      const ratio = maybeConstant(step, 1, 'the ratio')?.data[0] ?? float(step.node, 'ratio', 0.5)
      const trains = maybeConstant(step, 2, 'training_mode')?.data[0] ?? 0
      if (trains && ratio !== 0) throw refused(step, 'training_mode true drops values at random')
      // nothing is dropped where the net is used
      const mask: Operand = { name: '', shape: x.shape, type: 'bool', constant: filled('bool', x.shape, () => 1) }
      if (ratio === 0) return [x, mask]
      if (!(ratio >= 0 && ratio < 1)) throw refused(step, `its ratio is ${ratio}, not from 0 on and below 1`)
      const fields = ratio === 0.5 ? {} : { dropout_param: { dropout_ratio: ratio } }
      return [one(step, 'Dropout', x, x.shape, fields), mask]
    },
  },
}
