import { float, int, ints, string, type Tensor } from '../graph.js'
import { type Operand, one, reshape, type Step } from '../pieces.js'
import { input, maybeConstant, type Ops, refused } from './handler.js'

/** The largest number of boxes that a field holds. */
const MOST = 2 ** 31 - 1

/** What is kept of boxes that overlap. */
function nonMaxSuppression(step: Step): Operand {
  const [boxes, scores] = [input(step, 0), input(step, 1)]
  const number = (i: number, what: string): number | undefined => {
    const tensor: Tensor | undefined = maybeConstant(step, i, what)
    if (tensor && tensor.data.length !== 1) throw refused(step, `${what} is ${tensor.data.length} values, not one`)
    return tensor?.data[0]
  }
  const isFitting = boxes.shape.length === 3 && scores.shape.length === 3 && boxes.shape[2] === 4
  if (!isFitting || boxes.shape[0] !== scores.shape[0] || boxes.shape[1] !== scores.shape[2])
    throw refused(
      step,
      `its inputs are [${boxes.shape.join(', ')}] and [${scores.shape.join(', ')}], not images × boxes × 4 and images × classes × boxes`,
    )
  const most = number(2, 'how many boxes are kept') ?? 0
  const [overlap, least] = [number(3, 'the overlap') ?? 0, number(4, 'the least score')]
  const non_max_suppression_param = {
    max_output_boxes_per_class: Math.max(0, Math.min(MOST, most)),
    ...(overlap !== 0 && { iou_threshold: overlap }),
    ...(least !== undefined && { score_threshold: least }),
    ...(int(step.node, 'center_point_box', 0) !== 0 && { center_point_box: true }),
  }
  const found = one(step, 'NonMaxSuppression', [boxes, scores], [step.found, 3], { non_max_suppression_param })
  found.type = 'int64'
  return found
}

/** Largest values of regions, picture and corners each. */
function maxRoiPool(step: Step): Operand {
  const [x, regions] = [input(step, 0), input(step, 1)]
  const [pooled_h, pooled_w] = ints(step.node, 'pooled_shape') ?? []
  checkRegions(step, x, regions, 5)
  if (!(pooled_h > 0 && pooled_w > 0)) throw refused(step, 'pooled_shape must be two numbers above 0')
  const shape = [regions.shape[0], x.shape[1], pooled_h, pooled_w]
  const roi_pooling_param = { pooled_h, pooled_w, ...scaleOf(step) }
  return one(step, 'ROIPooling', [x, regions], shape, { roi_pooling_param })
}

/** Means of samples of regions, whose pictures are an input of their own. */
function roiAlign(step: Step): Operand {
  const { node } = step
  const [x, corners, pictures] = [0, 1, 2].map(i => input(step, i))
  const mode = string(node, 'mode', 'avg')
  const way = string(node, 'coordinate_transformation_mode', step.opset < 16 ? 'output_half_pixel' : 'half_pixel')
  if (mode !== 'avg') throw refused(step, `mode ${mode} is not there`)
  if (way !== 'output_half_pixel') throw refused(step, `coordinate_transformation_mode ${way} is not there`)
  checkRegions(step, x, corners, 4)
  const count = corners.shape[0]
  if (pictures.shape.join() !== `${count}`)
    throw refused(step, `its pictures are [${pictures.shape.join(', ')}] for ${count} regions`)
  const [pooled_h, pooled_w] = [int(node, 'output_height', 1), int(node, 'output_width', 1)]
  const column = reshape(step, pictures, [count, 1], '_pictures')
  const regions = one(step, 'Concat', [column, corners], [count, 5], {}, [], '_regions')
  const sampling_ratio = Math.max(0, int(node, 'sampling_ratio', 0))
  const roi_align_param = { pooled_h, pooled_w, ...scaleOf(step), sampling_ratio }
  return one(step, 'ROIAlign', [x, regions], [count, x.shape[1], pooled_h, pooled_w], { roi_align_param })
}

function scaleOf({ node }: Step): { spatial_scale?: number } {
  const scale = float(node, 'spatial_scale', 1)
  return scale === 1 ? {} : { spatial_scale: scale }
}

function checkRegions(step: Step, x: Operand, regions: Operand, width: number): void {
  if (x.shape.length !== 4 || regions.shape.length !== 2 || regions.shape[1] !== width)
    throw refused(step, `[${x.shape.join(', ')}] and [${regions.shape.join(', ')}] are no maps and regions of ${width}`)
}

export const boxes: Ops = {
  MaxRoiPool: { layers: 'ROIPooling', build: maxRoiPool },
  RoiAlign: {
    layers: 'Concat, ROIAlign',
    note: 'mode avg, coordinates without a shift (output_half_pixel)',
    build: roiAlign,
  },
  NonMaxSuppression: {
    layers: 'NonMaxSuppression',
    note: 'numbers and thresholds must be constant; no layer behind it may depend on how many boxes are found',
    build: nonMaxSuppression,
  },
}
