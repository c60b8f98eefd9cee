/**
 * What pycaffe has beyond nets and solvers: pictures, means and arrays (`io`), Classifier and Detector, boxes of detectors, nets written in
 * code (NetSpec), maps of coordinates, drawings, net surgery.
 *
 * @example
 * import { Classifier, loadImage } from 'ristretto/pycaffe'
 *
 * const classifier = await Classifier.create('deploy.prototxt', { weights: 'net.caffemodel', mean: [104, 117, 123] })
 * const [scores] = await classifier.predict([await loadImage('cat.png')])
 *
 * @module
 */
export { drawBoxes } from './boxes_picture.js'
export { Classifier, type ClassifierOptions, type Prediction } from './classifier.js'
export { type CoordMap, coordMap, coordMapFromTo, crop } from './coord_map.js'
export { type DetectedBox, type DetectOptions, detect, type LabelNames, loadLabelMap } from './detect.js'
export { type Detection, type DetectionWindow, Detector, type DetectorOptions } from './detector.js'
export type { GraphOptions, Rankdir } from './draw/drawing.js'
export { type DrawFormat, type DrawOptions, drawNet, drawNetToFile } from './draw.js'
export * from './io/index.js'
export * as io from './io/index.js'
export {
  type BuiltInLayers,
  type CommonParams,
  customLayer,
  type KnownLayerType,
  L,
  type LayerFunction,
  type LayerParams,
  type LayerSpec,
  NetSpec,
  type NetSpecMethods,
  P,
  type ParameterConstants,
  type Top,
  toProto,
  type Wiring,
} from './net_spec.js'
export type { Preprocessing, PreprocessingNotice, PreprocessOptions } from './preprocessing.js'
export { type CastOptions, castToConvolution } from './surgery.js'
