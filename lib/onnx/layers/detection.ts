import type { Layer } from '../../layer.js'
import { withDefaults } from '../../proto/message.js'
import type { OnnxGraph } from '../builder.js'
import type { Exporters } from './entry.js'

/** Boxes are a function of shapes alone. */
function priorBox(graph: OnnxGraph, layer: Layer): readonly string[] {
  const [top] = graph.top
  top.memory.data.claim()
  layer.forward([...graph.bottom], [...graph.top])
  return [graph.constant(top.shape, top.dataArray.slice())]
}

/** Below every score. */
const NOWHERE = -1e30

/** Columns `from` to `to` of rows of four. */
const columns = (graph: OnnxGraph, value: string, from: number, to: number): string => graph.slice(value, -1, from, to)

/** The corners of the boxes that the codes (P, 4) or (P, L, 4) are, relative to priors of as many axes. */
function decoded(graph: OnnxGraph, code: string, codes: string, priors: string): string {
  if (code === 'CORNER') return graph.node('Add', [priors, codes])
  const [low, high] = [columns(graph, priors, 0, 2), columns(graph, priors, 2, 4)]
  const size = graph.node('Sub', [high, low])
  if (code === 'CORNER_SIZE') {
    const sizes = graph.node('Concat', [size, size], { axis: -1 })
    return graph.node('Add', [priors, graph.node('Mul', [codes, sizes])])
  }
  const center = graph.node('Mul', [graph.node('Add', [low, high]), graph.scalar(0.5)])
  const middle = graph.node('Add', [graph.node('Mul', [columns(graph, codes, 0, 2), size]), center])
  const grown = graph.node('Mul', [graph.node('Exp', [columns(graph, codes, 2, 4)]), size])
  const half = graph.node('Mul', [grown, graph.scalar(0.5)])
  return graph.node('Concat', [graph.node('Sub', [middle, half]), graph.node('Add', [middle, half])], { axis: -1 })
}

/**
 * SSD's: decode, per class the best top_k and suppression among them, the best keep_top_k of all. Rows as the layer's, class
 * by class, but none where nothing is found.
 */
function detectionOutput(graph: OnnxGraph, layer: Layer): void {
  const p = withDefaults('DetectionOutputParameter', layer.param.detection_output_param)
  const { nms_threshold, top_k = -1, eta } = withDefaults('NonMaximumSuppressionParameter', p.nms_param)
  const background = p.background_label_id
  const classes = p.num_classes ?? 1
  const [loc, conf] = graph.bottom
  const P = conf.size(1) / classes
  const shared = p.share_location
  if (loc.dim(0) !== 1) throw graph.error(`its batch is ${loc.dim(0)}: it has an ONNX form for one picture at a time`)
  if (background > 0) throw graph.error(`background_label_id: ${background} has no ONNX form: 0 or none has`)
  if (eta !== 1) throw graph.error(`nms_param.eta: ${eta}, a threshold that falls, has no ONNX form: 1 has`)
  if (p.save_output_param?.output_directory)
    throw graph.error('save_output_param writes files, which has no ONNX form: leave it out')
  if (graph.bottom.length > 3) throw graph.error('a fourth bottom has no ONNX form')

  const first = background === 0 ? 1 : 0
  const found = classes - first
  const rows = shared ? [P, 4] : [P, 1, 4]
  const half = (k: number): string => graph.reshape(graph.slice(graph.inputs[2], 1, k, k + 1), [1, 1, 4 * P], rows)
  const raw = graph.reshape(graph.inputs[0], loc.shape, shared ? [P, 4] : [P, classes, 4])
  const codes = p.variance_encoded_in_target ? raw : graph.node('Mul', [raw, half(1)])
  const corners = decoded(graph, p.code_type, codes, half(0))

  const table = graph.node('Transpose', [graph.reshape(graph.inputs[1], conf.shape, [P, classes])], { perm: [1, 0] })
  const all = first ? graph.slice(table, 0, 1, classes) : table
  const isCut = top_k > -1 && top_k < P
  const scores = isCut ? best(graph, all, top_k, [found, P]) : all
  const threshold = Math.max(Math.fround(p.confidence_threshold ?? -Infinity), NOWHERE / 10)
  const [boxes, grid] = shared
    ? [graph.reshape(corners, [P, 4], [1, P, 4]), graph.reshape(scores, [found, P], [1, found, P])]
    : [classFirst(graph, corners, first, classes), graph.reshape(scores, [found, P], [found, 1, P])]
  const kept = graph.node('NonMaxSuppression', [
    boxes,
    grid,
    graph.ints(P),
    graph.constant([1], [Math.fround(nms_threshold)]),
    graph.constant([1], [threshold]),
  ])
  // rows of batch, class and box: where every class has boxes of its own, classes are the batch
  const pairs = shared ? graph.slice(kept, 1, 1, 3) : graph.node('Gather', [kept, graph.ints(0, 2)], { axis: 1 })
  const places = shared ? graph.node('Gather', [kept, graph.int(2)], { axis: 1 }) : pairs
  const score = graph.node('GatherND', [scores, pairs])
  const box = shared ? graph.node('Gather', [corners, places], { axis: 0 }) : graph.node('GatherND', [boxes, places])
  const label = graph.node('Cast', [graph.slice(pairs, 1, 0, 1)], { to: 1 })
  const columnsOf = [
    graph.node('Mul', [label, graph.scalar(0)]),
    first ? graph.node('Add', [label, graph.scalar(1)]) : label,
    graph.node('Unsqueeze', [score, graph.ints(1)]),
    box,
  ]
  const list = graph.node('Concat', columnsOf, { axis: 1 })
  const rest = p.keep_top_k > -1 ? strongest(graph, list, score, p.keep_top_k) : list
  graph.last('Unsqueeze', [rest, graph.ints(0, 1)])
  graph.varies([1, 1, undefined, 7])
}

/** Scores (C, P) with all but the k best of their class out of reach; of equal ones the first are the best. */
function best(graph: OnnxGraph, scores: string, k: number, shape: readonly number[]): string {
  if (k === 0) throw graph.error('nms_param.top_k: 0 finds nothing')
  const largest = graph.values('largest', 2)
  graph.node('TopK', [scores, graph.ints(k)], { axis: 1 }, largest)
  const value = { type: 'float', shape: [1], data: new Float32Array([NOWHERE]) } as const
  const nowhere = graph.node('ConstantOfShape', [graph.ints(...shape)], { value: { type: 'tensor', value } })
  return graph.node('ScatterElements', [nowhere, largest[1], largest[0]], { axis: 1 })
}

/** (P, L, 4) → (classes, P, 4) without the background. */
function classFirst(graph: OnnxGraph, corners: string, first: number, classes: number): string {
  const turned = graph.node('Transpose', [corners], { perm: [1, 0, 2] })
  return first ? graph.slice(turned, 0, 1, classes) : turned
}

/** The rows with the k largest scores, in the order that they have. */
function strongest(graph: OnnxGraph, rows: string, scores: string, k: number): string {
  const count = graph.node('Min', [graph.node('Shape', [scores]), graph.ints(k)])
  const largest = graph.values('strongest', 2)
  graph.node('TopK', [scores, count], { axis: 0 }, largest)
  const ordered = graph.values('rows', 2)
  graph.node('TopK', [largest[1], count], { axis: 0, largest: 0 }, ordered)
  return graph.node('Gather', [rows, ordered[0]], { axis: 0 })
}

export const detection: Exporters = {
  DetectionOutput: {
    write: detectionOutput,
    ops: [
      ...[
        'Reshape',
        'Slice',
        'Mul',
        'Sub',
        'Add',
        'Exp',
        'Concat',
        'Transpose',
        'TopK',
        'ConstantOfShape',
        'ScatterElements',
      ],
      ...['NonMaxSuppression', 'Gather', 'GatherND', 'Cast', 'Unsqueeze', 'Shape', 'Min'],
    ],
    note: 'one picture, background 0 or none, eta 1; where nothing is found no row is given, Caffe gives one of −1',
  },
  PriorBox: { write: priorBox, ops: [], note: 'a constant: height and width are fixed' },
}
