import { numbersOf } from '../fold/arrays.js'
import { int } from '../graph.js'
import { type Operand, one, permute, type Step } from '../pieces.js'
import { constant, input, type Ops, refused } from './handler.js'

/** A product with the triangle of ones that adds up what lies before, and the place itself. */
function cumulated(step: Step): Operand {
  const x = input(step, 0)
  const written = numbersOf(constant(step, 1, 'the axis'))[0]
  const axis = written < 0 ? written + x.shape.length : written
  if (!(axis >= 0 && axis < x.shape.length)) throw refused(step, `axis ${written} is none of ${x.shape.length}`)
  const size = x.shape[axis]
  if (size > 4096) throw refused(step, `${size} places along its axis are too many: 4096 at most`)
  const others = x.shape.map((_, i) => i).filter(i => i !== axis)
  const order = [...others, axis]
  const turned = permute(step, x, order, '_last')
  const [exclusive, back] = [int(step.node, 'exclusive', 0), int(step.node, 'reverse', 0)]
  const data = () =>
    Float32Array.from({ length: size * size }, (_, i) => {
      const [to, from] = [Math.floor(i / size), i % size]
      const before = back ? from - to : to - from
      return before > 0 || (before === 0 && !exclusive) ? 1 : 0
    })
  const inner_product_param = { num_output: size, bias_term: false, axis: order.length - 1 }
  const fields = { inner_product_param, param: [{ lr_mult: 0, decay_mult: 0 }] }
  const sums = one(step, 'InnerProduct', turned, turned.shape, fields, [{ shape: [size, size], data }], '_sums')
  const home = x.shape.map((_, i) => order.indexOf(i))
  return permute(step, sums, home, '')
}

/** The k best along an axis, and where they are. */
function topK(step: Step): readonly Operand[] {
  const { node, opset } = step
  const x = input(step, 0)
  const k = opset < 10 ? int(node, 'k', 0) : numbersOf(constant(step, 1, 'k'))[0]
  const written = int(node, 'axis', -1)
  const axis = written < 0 ? written + x.shape.length : written
  if (!(axis >= 0 && axis < x.shape.length)) throw refused(step, `axis ${written} is none of ${x.shape.length}`)
  const size = x.shape[axis]
  if (!(k >= 1 && k <= size)) throw refused(step, `the ${k} best of ${size} are not there`)
  const shape = x.shape.map((own, i) => (i === axis ? k : own))
  const top_k_param = { k, axis, ...(int(node, 'largest', 1) === 0 && { largest: false }) }
  const [best, places] = step.workshop.add(step.name, 'TopK', [x], [shape, shape], { top_k_param })
  places.type = 'int64'
  return [best, places]
}

export const sequences: Ops = {
  CumSum: { layers: 'InnerProduct', note: 'up to 4096 places', build: cumulated },
  TopK: { layers: 'TopK', note: 'k must be constant', build: topK },
}
