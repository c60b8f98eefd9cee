import { expect, test } from 'vitest'
import { Net } from '../../../lib/net.js'
import { parseNet } from '../../../lib/proto/text.js'
import { shapesOf } from '../../shapes.js'

const python = (module: string, layer: string, tops: string[], settings = '') =>
  `layer { name: "l" type: "Python" ${tops.map(top => `top: "${top}"`).join(' ')} python_param { module: "${module}" layer: "${layer}" param_str: "${settings}" } }`
const netOf = (text: string, lines: string[] = []) =>
  Net.create(parseNet(text), { engine: 'js', phase: 'TRAIN', seed: 1, log: line => lines.push(line) })
const shapes = (net: Net) => Object.values(net.blobs).map(blob => blob.shape)

test('roi_data_layer.layer gives inputs: pictures with objects, or with regions and targets', async () => {
  const net = await netOf(
    python('roi_data_layer.layer', 'RoIDataLayer', ['data', 'im_info', 'gt_boxes'], "'num_classes': 4"),
  )
  expect(net.inputs).toEqual(['data', 'im_info', 'gt_boxes'])
  expect(shapes(net)).toEqual(shapesOf('1×3×600×1000 1×3 1×5'))
  net.blobs.gt_boxes.reshape([2, 5])
  net.blobs.data.reshape([1, 3, 2, 2])
  await net.forward({ data: new Float32Array(12), im_info: [2, 2, 1], gt_boxes: [0, 0, 1, 1, 1, 0, 0, 1, 1, 2] })
  expect(net.blobs.gt_boxes.dataArray[9]).toBe(2)
  const tops = ['data', 'rois', 'labels', 'bbox_targets', 'bbox_inside_weights', 'bbox_outside_weights']
  const fast = await netOf(python('roi_data_layer.layer', 'RoIDataLayer', tops, "'num_classes': 4"))
  expect(shapes(fast)).toEqual([[1, 3, 600, 1000], [1, 5], [1], [1, 16], [1, 16], [1, 16]])
})

test.each([
  ['voc_layers', 'VOCSegDataLayer', ['data', 'label'], [3, 1]],
  ['voc_layers', 'SBDDSegDataLayer', ['data', 'label'], [3, 1]],
  ['nyud_layers', 'NYUDSegDataLayer', ['color', 'depth', 'hha', 'label'], [3, 1, 3, 1]],
  ['siftflow_layers', 'SIFTFlowSegDataLayer', ['data', 'sem', 'geo'], [3, 1, 1]],
  ['pascalcontext_layers', 'PASCALContextSegDataLayer', ['data', 'label'], [3, 1]],
])('%s.%s is fed', async (module, layer, tops, channels) => {
  const lines: string[] = []
  const settings = "{'voc_dir': '../data', 'split': 'train', 'seed': 1337, 'mean': (1, 2, 3)}"
  const net = await netOf(python(module, layer, tops, settings), lines)
  expect(shapes(net)).toEqual(channels.map(C => [1, C, 500, 500]))
  expect(lines).toEqual([])
})

test('a setting that a layer does not read is said, one class of a module that is not there refused with those that are', async () => {
  const lines: string[] = []
  await netOf(python('roi_data_layer.layer', 'RoIDataLayer', ['a', 'b', 'c'], "'colour': 3"), lines)
  expect(lines.join()).toMatch(
    /layer 'l': param_str has colour, which this layer does not read; it reads .*num_classes/,
  )
  await expect(netOf(python('voc_layers', 'toString', ['a']))).rejects.toThrow(/voc_layers\.VOCSegDataLayer/)
})
