/**
 * MobileNet-SSD for 300×300 pictures as a deploy net, from its published architecture: 13 pairs of a depthwise and a 1×1
 * convolution, eight more convolutions, and boxes from six maps (1,917 of them, 21 classes).
 */
export function mobileNetSsd(): string {
  const layers: string[] = []
  let last = 'data'

  const convolution = (name: string, outputs: number, fields: string, after = true): void => {
    layers.push(`layer { name: "${name}" type: "Convolution" bottom: "${last}" top: "${name}"
      convolution_param { num_output: ${outputs} ${fields} weight_filler { type: "msra" } } }`)
    if (after) layers.push(`layer { name: "${name}/relu" type: "ReLU" bottom: "${name}" top: "${name}" }`)
    last = name
  }
  convolution('conv0', 32, 'kernel_size: 3 stride: 2 pad: 1')
  let channels = 32
  pairs.forEach(([outputs, stride], i) => {
    const depthwise = `kernel_size: 3 pad: 1 stride: ${stride} group: ${channels}`
    convolution(`conv${i + 1}/dw`, channels, depthwise)
    convolution(`conv${i + 1}`, outputs, 'kernel_size: 1')
    channels = outputs
  })
  extras.forEach(([middle, outputs], i) => {
    convolution(`conv${14 + i}_1`, middle, 'kernel_size: 1')
    convolution(`conv${14 + i}_2`, outputs, 'kernel_size: 3 stride: 2 pad: 1')
  })

  const heads: Record<'loc' | 'conf' | 'priorbox', string[]> = { loc: [], conf: [], priorbox: [] }
  for (const { from, boxes, sizes } of maps) {
    const ends = [
      ['loc', 4 * boxes, 0.02],
      ['conf', CLASSES * boxes, 0.2],
    ] as const
    for (const [what, outputs, std] of ends) {
      const name = `${from}_mbox_${what}`
      layers.push(`layer { name: "${name}" type: "Convolution" bottom: "${from}" top: "${name}"
          convolution_param { num_output: ${outputs} kernel_size: 1 weight_filler { type: "gaussian" std: ${std} } } }
        layer { name: "${name}_perm" type: "Permute" bottom: "${name}" top: "${name}_perm"
          permute_param { order: [0, 2, 3, 1] } }
        layer { name: "${name}_flat" type: "Flatten" bottom: "${name}_perm" top: "${name}_flat" }`)
      heads[what].push(`${name}_flat`)
    }
    layers.push(`layer { name: "${from}_mbox_priorbox" type: "PriorBox" bottom: "${from}" bottom: "data"
      top: "${from}_mbox_priorbox" prior_box_param { ${sizes} flip: true clip: false
      variance: [0.1, 0.1, 0.2, 0.2] offset: 0.5 } }`)
    heads.priorbox.push(`${from}_mbox_priorbox`)
  }
  for (const [what, bottoms] of Object.entries(heads))
    layers.push(`layer { name: "mbox_${what}" type: "Concat" ${bottoms.map(name => `bottom: "${name}"`).join(' ')}
      top: "mbox_${what}" concat_param { axis: ${what === 'priorbox' ? 2 : 1} } }`)
  return `name: "MobileNet-SSD"
    layer { name: "data" type: "Input" top: "data" input_param { shape { dim: [1, 3, 300, 300] } } }
    ${layers.join('\n')}
    layer { name: "reshape" type: "Reshape" bottom: "mbox_conf" top: "reshape"
      reshape_param { shape { dim: [0, -1, ${CLASSES}] } } }
    layer { name: "softmax" type: "Softmax" bottom: "reshape" top: "softmax" softmax_param { axis: 2 } }
    layer { name: "scores" type: "Flatten" bottom: "softmax" top: "scores" flatten_param { axis: 1 } }
    layer { name: "detection_out" type: "DetectionOutput" bottom: "mbox_loc" bottom: "scores" bottom: "mbox_priorbox"
      top: "detection_out" detection_output_param { num_classes: ${CLASSES} share_location: true background_label_id: 0
      nms_param { nms_threshold: 0.45 top_k: 100 } code_type: CENTER_SIZE keep_top_k: 100
      confidence_threshold: 0.25 } }`
}

const CLASSES = 21

/** Outputs of each pair and the stride of its depthwise convolution. */
const pairs: readonly (readonly [outputs: number, stride: number])[] = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  ...Array.from({ length: 5 }, () => [512, 1] as const),
  [1024, 2],
  [1024, 1],
]

const extras: readonly (readonly [middle: number, outputs: number])[] = [
  [256, 512],
  [128, 256],
  [128, 256],
  [64, 128],
]

/** Maps that boxes are told from, with how many at each place. */
const maps = [
  { from: 'conv11', boxes: 3, sizes: 'min_size: 60 aspect_ratio: 2' },
  ...(
    [
      ['conv13', 105, 150],
      ['conv14_2', 150, 195],
      ['conv15_2', 195, 240],
      ['conv16_2', 240, 285],
      ['conv17_2', 285, 300],
    ] as const
  ).map(([from, min, max]) => ({
    from,
    boxes: 6,
    sizes: `min_size: ${min} max_size: ${max} aspect_ratio: 2 aspect_ratio: 3`,
  })),
]
