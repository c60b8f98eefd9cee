import { expect, test } from 'vitest'
import { Net, NetError, parseNet } from '../../lib/index.js'
import { inputLayer } from '../shapes.js'

/** Nets whose last layer compares boxes, and how many pairs of them there can be. */
const nets: [type: string, text: string, pairs: number][] = [
  [
    'Proposal',
    `${inputLayer('s', '1×2×30×40')} ${inputLayer('m', '1×4×30×40')} ${inputLayer('i', '1×3')}
     layer { name: "l" type: "Proposal" bottom: "s" bottom: "m" bottom: "i" top: "y"
       proposal_param { ratio: 1 scale: 1 pre_nms_topn: 1000 post_nms_topn: 300 } }`,
    1000 * 300,
  ],
  [
    'MultiBoxLoss',
    `${inputLayer('loc', '2×400')} ${inputLayer('conf', '2×200')} ${inputLayer('prior', '1×2×400')} ${inputLayer('truth', '1×1×50×8')}
     layer { name: "l" type: "MultiBoxLoss" bottom: "loc" bottom: "conf" bottom: "prior" bottom: "truth" top: "y"
       multibox_loss_param { num_classes: 2 } }`,
    100 * 50 * 51,
  ],
  [
    'RegionLoss',
    `${inputLayer('x', '2×14×9×9')} ${inputLayer('t', '2×150')} layer { name: "l" type: "RegionLoss" bottom: "x" bottom: "t" top: "y"
       region_loss_param { num: 2 num_class: 2 coords: 4 biases: 1 biases: 1 biases: 2 biases: 2 } }`,
    2 * 2 * 81 * 30,
  ],
  [
    'YoloDetectionOutput',
    `${inputLayer('x', '1×14×20×20')} layer { name: "l" type: "YoloDetectionOutput" bottom: "x" top: "y"
       yolo_detection_output_param { num_box: 2 num_classes: 2 biases: 1 biases: 1 biases: 2 biases: 2 } }`,
    800 ** 2,
  ],
]

test.each(nets)('maxWork counts the pairs of boxes that %s compares', async (_, text, pairs) => {
  const make = (maxWork: number) => Net.create(parseNet(text), { engine: 'js', maxWork })
  await expect(make(pairs)).rejects.toBeInstanceOf(NetError)
  await expect(make(pairs)).rejects.toThrow(/^layer 'l' .* maxWork allows/)
  ;(await make(pairs + 100_000)).dispose()
})
