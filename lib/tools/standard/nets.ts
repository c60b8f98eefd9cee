import type { Layers } from './layers.js'

/** What a net is made for. */
export interface NetSize {
  readonly classes: number
  /** The smaller side of the pictures. */
  readonly side: number
}

/** How a standard net is built, what it needs, and how it learns. */
export interface StandardNet {
  readonly title: string
  /** Smallest side of pictures. */
  readonly least: number
  /** Items of a training batch. */
  readonly batch: number
  /** Rate with which it learns from scratch, of SGD with momentum 0.9. */
  readonly rate: number
  readonly decay: number
  /** Adds the layers between `data` and the scores of the classes; resolves to the name of the scores. */
  build(layers: Layers, size: NetSize): string
}

/** From this side on a net keeps the strides of the paper; smaller pictures keep more of their places. */
const LARGE = 128
/** Below it the first layers keep every place. */
const SMALL = 48

function lenet(n: Layers, { classes }: NetSize): string {
  const filler = { type: 'xavier' } as const
  const pool1 = n.pool('pool1', n.convolution('conv1', 'data', 20, { kernel: 5, filler }), 'MAX', 2, 2)
  const pool2 = n.pool('pool2', n.convolution('conv2', pool1, 50, { kernel: 5, filler }), 'MAX', 2, 2)
  return n.innerProduct('ip2', n.relu(n.innerProduct('ip1', pool2, 500)), classes)
}

function cifar10Quick(n: Layers, { classes }: NetSize): string {
  const size = { kernel: 5, pad: 2 }
  const pool1 = n.relu(n.pool('pool1', n.convolution('conv1', 'data', 32, size), 'MAX', 3, 2))
  const pool2 = n.pool('pool2', n.convolutionRelu('conv2', pool1, 32, size), 'AVE', 3, 2)
  const pool3 = n.pool('pool3', n.convolutionRelu('conv3', pool2, 64, size), 'AVE', 3, 2)
  return n.innerProduct('ip2', n.innerProduct('ip1', pool3, 64), classes)
}

function alexnet(n: Layers, { classes, side }: NetSize): string {
  const large = side >= LARGE
  const first = large ? { kernel: 11, stride: 4 } : { kernel: 5, pad: 2, stride: side < SMALL ? 1 : 2 }
  const conv1 = n.convolutionRelu('conv1', 'data', 96, first)
  const pool1 = n.pool('pool1', n.norm('norm1', conv1), 'MAX', 3, 2)
  const conv2 = n.convolutionRelu('conv2', pool1, 256, { kernel: 5, pad: 2, group: 2 })
  const pool2 = n.pool('pool2', n.norm('norm2', conv2), 'MAX', 3, 2)
  const conv3 = n.convolutionRelu('conv3', pool2, 384, { kernel: 3, pad: 1 })
  const conv4 = n.convolutionRelu('conv4', conv3, 384, { kernel: 3, pad: 1, group: 2 })
  const conv5 = n.convolutionRelu('conv5', conv4, 256, { kernel: 3, pad: 1, group: 2 })
  const pool5 = n.pool('pool5', conv5, 'MAX', 3, 2)
  const wide = large ? 4096 : 1024
  const fc6 = n.dropout('drop6', n.relu(n.innerProduct('fc6', pool5, wide)), 0.5)
  const fc7 = n.dropout('drop7', n.relu(n.innerProduct('fc7', fc6, wide)), 0.5)
  return n.innerProduct('fc8', fc7, classes)
}

function squeezenet(n: Layers, { classes, side }: NetSize): string {
  const fire = (name: string, bottom: string, squeeze: number, expand: number): string => {
    const squeezed = n.convolutionNormRelu(`${name}/squeeze1x1`, bottom, squeeze, { kernel: 1 })
    return n.concat(`${name}/concat`, [
      n.convolutionNormRelu(`${name}/expand1x1`, squeezed, expand, { kernel: 1 }),
      n.convolutionNormRelu(`${name}/expand3x3`, squeezed, expand, { kernel: 3, pad: 1 }),
    ])
  }
  const conv1 = n.convolutionNormRelu('conv1', 'data', 64, { kernel: 3, pad: 1, stride: side < SMALL ? 1 : 2 })
  const fire3 = fire('fire3', fire('fire2', n.pool('pool1', conv1, 'MAX', 3, 2), 16, 64), 16, 64)
  const fire5 = fire('fire5', fire('fire4', n.pool('pool3', fire3, 'MAX', 3, 2), 32, 128), 32, 128)
  const fire7 = fire('fire7', fire('fire6', n.pool('pool5', fire5, 'MAX', 3, 2), 48, 192), 48, 192)
  const fire9 = fire('fire9', fire('fire8', fire7, 64, 256), 64, 256)
  return n.globalPool('pool10', n.convolution('conv10', n.dropout('drop9', fire9, 0.5), classes, { kernel: 1 }))
}

function googlenet(n: Layers, { classes, side }: NetSize): string {
  const inception = (name: string, bottom: string, [one, r3, three, r5, five, pooled]: readonly number[]): string => {
    const conv = (part: string, from: string, outputs: number, kernel: number): string =>
      n.convolutionNormRelu(`inception_${name}/${part}`, from, outputs, { kernel, pad: kernel >> 1 })
    const pool = n.pool(`inception_${name}/pool`, bottom, 'MAX', 3, 1, 1)
    return n.concat(`inception_${name}/output`, [
      conv('1x1', bottom, one, 1),
      conv('3x3', conv('3x3_reduce', bottom, r3, 1), three, 3),
      conv('5x5', conv('5x5_reduce', bottom, r5, 1), five, 5),
      conv('pool_proj', pool, pooled, 1),
    ])
  }
  const first = side >= LARGE ? { kernel: 7, pad: 3, stride: 2 } : { kernel: 3, pad: 1, stride: side < SMALL ? 1 : 2 }
  const conv1 = n.convolutionNormRelu('conv1/7x7_s2', 'data', 64, first)
  const pool1 = n.pool('pool1/3x3_s2', conv1, 'MAX', 3, 2)
  const reduced = n.convolutionNormRelu('conv2/3x3_reduce', pool1, 64, { kernel: 1 })
  const conv2 = n.convolutionNormRelu('conv2/3x3', reduced, 192, { kernel: 3, pad: 1 })
  const in3a = inception('3a', n.pool('pool2/3x3_s2', conv2, 'MAX', 3, 2), [64, 96, 128, 16, 32, 32])
  const in3b = inception('3b', in3a, [128, 128, 192, 32, 96, 64])
  const in4a = inception('4a', n.pool('pool3/3x3_s2', in3b, 'MAX', 3, 2), [192, 96, 208, 16, 48, 64])
  const in4b = inception('4b', in4a, [160, 112, 224, 24, 64, 64])
  const in4c = inception('4c', in4b, [128, 128, 256, 24, 64, 64])
  const in4d = inception('4d', in4c, [112, 144, 288, 32, 64, 64])
  const in4e = inception('4e', in4d, [256, 160, 320, 32, 128, 128])
  const in5a = inception('5a', n.pool('pool4/3x3_s2', in4e, 'MAX', 3, 2), [256, 160, 320, 32, 128, 128])
  const in5b = inception('5b', in5a, [384, 192, 384, 48, 128, 128])
  return n.innerProduct('loss3/classifier', n.dropout('pool5/drop', n.globalPool('pool5', in5b), 0.4), classes)
}

function resnet18(n: Layers, { classes, side }: NetSize): string {
  const block = (name: string, bottom: string, outputs: number, stride: number, project: boolean): string => {
    const straight = project ? n.convolutionNorm(`res${name}_branch1`, bottom, outputs, { kernel: 1, stride }) : bottom
    const a = n.convolutionNormRelu(`res${name}_branch2a`, bottom, outputs, { kernel: 3, pad: 1, stride })
    const b = n.convolutionNorm(`res${name}_branch2b`, a, outputs, { kernel: 3, pad: 1 })
    return n.relu(n.sum(`res${name}`, [straight, b]))
  }
  const first = side >= LARGE ? { kernel: 7, pad: 3, stride: 2 } : { kernel: 3, pad: 1, stride: side < SMALL ? 1 : 2 }
  const conv1 = n.convolutionNormRelu('conv1', 'data', 64, first)
  let top = side >= LARGE ? n.pool('pool1', conv1, 'MAX', 3, 2) : conv1
  for (const [i, outputs] of [64, 128, 256, 512].entries()) {
    top = block(`${i + 2}a`, top, outputs, i ? 2 : 1, i > 0)
    top = block(`${i + 2}b`, top, outputs, 1, false)
  }
  return n.innerProduct('fc', n.globalPool('pool5', top), classes)
}

function mobilenet(n: Layers, { classes, side }: NetSize): string {
  const separable = (name: string, bottom: string, inputs: number, outputs: number, stride: number): string => {
    const each = { kernel: 3, pad: 1, stride, group: inputs }
    const depthwise = n.convolutionNormRelu(`${name}/dw`, bottom, inputs, each)
    return n.convolutionNormRelu(`${name}/sep`, depthwise, outputs, { kernel: 1 })
  }
  // strides of small pictures begin later
  const strides = side >= LARGE ? 0 : side >= SMALL ? 1 : 2
  let top = n.convolutionNormRelu('conv1', 'data', 32, { kernel: 3, pad: 1, stride: strides < 1 ? 2 : 1 })
  let inputs = 32
  for (const [name, outputs, stride] of [
    ['conv2_1', 64, 1],
    ['conv2_2', 128, strides < 2 ? 2 : 1],
    ['conv3_1', 128, 1],
    ['conv3_2', 256, 2],
    ['conv4_1', 256, 1],
    ['conv4_2', 512, 2],
    ['conv5_1', 512, 1],
    ['conv5_2', 512, 1],
    ['conv5_3', 512, 1],
    ['conv5_4', 512, 1],
    ['conv5_5', 512, 1],
    ['conv5_6', 1024, 2],
    ['conv6', 1024, 1],
  ] as const) {
    top = separable(name, top, inputs, outputs, stride)
    inputs = outputs
  }
  return n.innerProduct('fc7', n.globalPool('pool6', top), classes)
}

/** The standard nets, by the name that `standardNet` takes. */
export const standardNets = {
  lenet: { title: 'LeNet', least: 16, batch: 64, rate: 0.01, decay: 0.0005, build: lenet },
  cifar10_quick: { title: 'CIFAR10_quick', least: 8, batch: 64, rate: 0.01, decay: 0.0005, build: cifar10Quick },
  alexnet: { title: 'AlexNet', least: 16, batch: 64, rate: 0.01, decay: 0.0005, build: alexnet },
  squeezenet: { title: 'SqueezeNet', least: 16, batch: 32, rate: 0.05, decay: 0.0002, build: squeezenet },
  googlenet: { title: 'GoogLeNet', least: 16, batch: 32, rate: 0.05, decay: 0.0002, build: googlenet },
  resnet18: { title: 'ResNet-18', least: 16, batch: 32, rate: 0.05, decay: 0.0001, build: resnet18 },
  mobilenet: { title: 'MobileNet', least: 16, batch: 32, rate: 0.05, decay: 0.0001, build: mobilenet },
} as const satisfies Record<string, StandardNet>

/** The name of a standard net. */
export type StandardNetName = keyof typeof standardNets
