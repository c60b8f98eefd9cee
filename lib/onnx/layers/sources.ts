import type { Layer } from '../../layer.js'
import { withDefaults } from '../../proto/message.js'
import type { OnnxGraph } from '../builder.js'
import type { Exporters } from './entry.js'

/** What is drawn anew in every pass has to be given, and is an input. */
function dummyData(graph: OnnxGraph, layer: Layer): readonly string[] {
  const { data_filler: fillers } = withDefaults('DummyDataParameter', layer.param.dummy_data_param)
  return graph.top.map(({ name, shape, memory }, k) => {
    const { type } = withDefaults('FillerParameter', fillers[fillers.length === 1 ? 0 : k])
    return type === 'constant' ? graph.constant(shape, memory.data.values.slice()) : graph.input(name, shape)
  })
}

/** ½ of the mean of squared distances. */
function euclideanLoss(graph: OnnxGraph): void {
  const [x, y] = graph.bottom
  const same = x.shape.join() === y.shape.join()
  const other = same ? graph.inputs[1] : graph.reshape(graph.inputs[1], y.shape, x.shape)
  const off = graph.node('Sub', [graph.inputs[0], other])
  const axes = x.shape.map((_, i) => i).slice(1)
  const items = axes.length
    ? graph.node('ReduceSumSquare', [off], { axes, keepdims: 0 })
    : graph.node('Mul', [off, off])
  const mean = graph.node('ReduceMean', [items], { axes: [0], keepdims: 0 })
  graph.last('Mul', [mean, graph.scalar(0.5)])
}

export const sources: Exporters = {
  DummyData: { write: dummyData, ops: [], note: 'a constant; an input where the filler is random' },
  EuclideanLoss: {
    write: euclideanLoss,
    ops: ['Reshape', 'Sub', 'ReduceSumSquare', 'Mul', 'ReduceMean'],
    note: 'only with losses: true; labels and all other losses are left out',
  },
  Parameter: { write: graph => [graph.weight(0)], ops: [], note: 'a constant' },
  Silence: { write: () => [], ops: [], note: 'nothing is left of it' },
  Split: {
    write: ({ inputs, outputs }) => outputs.map(() => inputs[0]),
    ops: [],
    note: 'nothing is left of it: values are read as often as anybody wants',
  },
}
