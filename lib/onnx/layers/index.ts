import { axes } from './axes.js'
import { convolutions } from './convolution.js'
import { detection } from './detection.js'
import { elementwise } from './elementwise.js'
import type { Exporters } from './entry.js'
import { normalizations } from './normalization.js'
import { own } from './own.js'
import { poolings } from './pooling.js'
import { recurrent } from './recurrent.js'
import { sampling } from './sampling.js'
import { sources } from './sources.js'

/** How layers are written as ONNX, by type; of the others `whyNot` says why they are not. */
export const exporters: Exporters = {
  ...axes,
  ...convolutions,
  ...detection,
  ...elementwise,
  ...normalizations,
  ...own,
  ...poolings,
  ...recurrent,
  ...sampling,
  ...sources,
}

const reasons: Readonly<Record<string, string>> = {
  CenterLoss: 'it is of the training',
  Correlation: 'ONNX has no operator for correlations of patches',
  Correlation1D: 'ONNX has no operator for correlations of patches',
  Downsample: 'it is of the training: truth is scaled with it',
  FlowWarp: 'ONNX has sampling at given places from opset 16 on, with other borders',
  HDF5Output: 'it writes a file, and computes nothing',
  Mean: 'what is subtracted from pictures belongs before the net: leave the layer out, and name the mean with --meta',
  Proposal: 'ONNX has no operator that makes regions from anchors',
  PSROIPooling: 'ONNX has no operator that pools by position',
  Python: 'its class is a program: give it a static toOnnx(graph, layer)',
  RegionLoss: 'it is of the training',
  YoloDetectionOutput:
    'ONNX has no operator for YOLO: write the net up to the maps, outputs: […], and decode them in the program',
  Yolov3: 'it is of the training',
  Yolov3DetectionOutput:
    'ONNX has no operator for YOLO: write the net up to the maps, outputs: […], and decode them in the program',
  CTCDecoder: 'ONNX has no operator that reads sequences of labels: write the net up to the scores, outputs: […]',
  CTCGreedyDecoder: 'ONNX has no operator that reads sequences of labels: write the net up to the scores, outputs: […]',
  Lstm: 'only LSTM has one: rename the layer, give it a cont input, and exchange blobs 1 and 2',
  YoloSeg: 'it is of the training',
}

/** Why layers of a type have no ONNX form, and what helps. */
export function whyNot(type: string): string {
  const why = Object.hasOwn(reasons, type) ? reasons[type] : undefined
  return `it has no ONNX form: ${why ?? 'leave it out, name outputs before it, or give its class a static toOnnx(graph, layer)'}`
}
