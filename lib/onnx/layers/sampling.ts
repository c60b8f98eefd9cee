import type { Layer } from '../../layer.js'
import { withDefaults } from '../../proto/message.js'
import { float, type OnnxGraph } from '../builder.js'
import type { Exporters } from './entry.js'

/** A picture of another size, whatever the batch. */
function resize(
  graph: OnnxGraph,
  x: string,
  attributes: { mode: string; coordinate_transformation_mode: string; nearest_mode?: string },
): void {
  const [, , height, width] = graph.top[0].shape
  const planes = graph.slice(graph.node('Shape', [x]), 0, 0, 2)
  const sizes = graph.node('Concat', [planes, graph.ints(height, width)], { axis: 0 })
  graph.last('Resize', [x, '', '', sizes], attributes)
}

function interp(graph: OnnxGraph, layer: Layer): readonly string[] | undefined {
  const { pad_beg, pad_end } = withDefaults('InterpParameter', layer.param.interp_param)
  const [, , H, W] = graph.bottom[0].shape
  const size = [H + pad_beg + pad_end, W + pad_beg + pad_end]
  const stays = size.join() === graph.top[0].shape.slice(2).join()
  const isCut = pad_beg !== 0 || pad_end !== 0
  if (!isCut && stays) return [graph.inputs[0]]
  const [x] = graph.inputs
  const ends = [graph.ints(-pad_beg, -pad_beg), graph.ints(H + pad_end, W + pad_end), graph.ints(2, 3)]
  if (stays) graph.last('Slice', [x, ...ends])
  else
    resize(graph, isCut ? graph.node('Slice', [x, ...ends]) : x, {
      mode: 'linear',
      coordinate_transformation_mode: 'align_corners',
    })
}

function resample(graph: OnnxGraph, layer: Layer): void {
  const { type, antialias } = withDefaults('ResampleParameter', layer.param.resample_param)
  const [, , h, w] = graph.bottom[0].shape
  const [, , height, width] = graph.top[0].shape
  const [down, across] = [h / height, w / width]
  if (type !== 'NEAREST' && type !== 'LINEAR')
    throw graph.error(`type: ${type} has no ONNX form with the layer's weights`)
  if (down !== across)
    throw graph.error(
      `it scales height by ${1 / down} and width by ${1 / across}: the layer moves one axis by the other's half step, which has no ONNX form`,
    )
  if (type === 'LINEAR' && antialias && down > 1)
    throw graph.error('antialias: true has no ONNX form for a smaller picture: write antialias: false')
  resize(graph, graph.inputs[0], {
    mode: type === 'LINEAR' ? 'linear' : 'nearest',
    coordinate_transformation_mode: 'half_pixel',
    ...(type === 'NEAREST' && { nearest_mode: 'round_prefer_ceil' }),
  })
}

/** The regions as R × 5: picture, then corners. */
const regions = (graph: OnnxGraph): string => {
  const { shape } = graph.bottom[1]
  return shape.length === 2 ? graph.inputs[1] : graph.reshape(graph.inputs[1], shape, [shape[0], 5])
}

function roiPooling(graph: OnnxGraph, layer: Layer): void {
  const { spatial_scale } = withDefaults('ROIPoolingParameter', layer.param.roi_pooling_param)
  graph.last('MaxRoiPool', [graph.inputs[0], regions(graph)], {
    pooled_shape: graph.top[0].shape.slice(2),
    spatial_scale: float(spatial_scale),
  })
}

function roiAlign(graph: OnnxGraph, layer: Layer): void {
  const { spatial_scale, sampling_ratio } = layer.param.roi_align_param ?? {}
  if (sampling_ratio === undefined)
    throw graph.error('without sampling_ratio it takes the largest of four samples a bin, which has no ONNX form')
  const rows = regions(graph)
  const [height, width] = graph.top[0].shape.slice(2)
  const pictures = graph.node(
    'Cast',
    [graph.reshape(graph.slice(rows, 1, 0, 1), [graph.bottom[1].dim(0), 1], [graph.bottom[1].dim(0)])],
    { to: 7 },
  )
  graph.last('RoiAlign', [graph.inputs[0], graph.slice(rows, 1, 1, 5), pictures], {
    mode: 'avg',
    output_height: height,
    output_width: width,
    sampling_ratio: Math.max(0, sampling_ratio),
    spatial_scale: float(spatial_scale ?? 1),
  })
}

export const sampling: Exporters = {
  Interp: { write: interp, ops: ['Slice', 'Shape', 'Concat', 'Resize'] },
  Resample: {
    write: resample,
    ops: ['Shape', 'Slice', 'Concat', 'Resize'],
    note: 'NEAREST and LINEAR, the same factor along both axes',
  },
  ROIAlign: { write: roiAlign, ops: ['Reshape', 'Slice', 'Cast', 'RoiAlign'], note: 'with sampling_ratio' },
  ROIPooling: { write: roiPooling, ops: ['Reshape', 'MaxRoiPool'] },
}
