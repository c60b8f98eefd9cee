/**
 * Writes the prototxts beside this file, from the published architectures. Each is one file for training and for
 * deployment: stage "deploy" leaves out labels, losses and auxiliary branches and ends in `prob`.
 *
 *   npx tsx bench/nets/generate.ts
 */
import { writeFileSync } from 'node:fs'

const TRAINING = 'include { not_stage: "deploy" }'
const DEPLOY = 'include { stage: "deploy" }'

type Filler = string
const xavier: Filler = 'type: "xavier"'
const msra: Filler = 'type: "msra"'
const gaussian = (std: number): Filler => `type: "gaussian" std: ${std}`
const constant = (value: number): Filler => `type: "constant" value: ${value}`

interface Weights {
  weights?: Filler
  bias?: number
  /** Goes at the end of the layer: an include rule. */
  rule?: string
}
interface Window extends Weights {
  kernel: number
  stride?: number
  pad?: number
  group?: number
  biasTerm?: boolean
}

/** A prototxt under construction, one layer a line. */
class Prototxt {
  private readonly lines: string[] = []
  constructor(
    readonly file: string,
    name: string,
    about: string,
  ) {
    this.lines.push(`# ${about}`, `name: "${name}"`)
  }

  layer(type: string, name: string, bottoms: readonly string[], tops: readonly string[], rest = ''): string {
    const blobs = [...bottoms.map(bottom => `bottom: "${bottom}"`), ...tops.map(top => `top: "${top}"`)].join(' ')
    this.lines.push(`layer { name: "${name}" type: "${type}" ${blobs}${rest && ` ${rest}`} }`)
    return tops[0]
  }

  /** Named inputs with their shapes, for training and (those in `deploy`) for deployment. */
  inputs(training: Record<string, number[]>, deploy: Record<string, number[]>): void {
    for (const [shapes, rule] of [
      [training, TRAINING],
      [deploy, DEPLOY],
    ] as const) {
      const param = Object.values(shapes).map(shape => `shape { ${shape.map(dim => `dim: ${dim}`).join(' ')} }`)
      this.layer('Input', 'data', [], Object.keys(shapes), `input_param { ${param.join(' ')} } ${rule}`)
    }
  }

  conv(name: string, bottom: string, outputs: number, o: Window): string {
    const sizes = [`num_output: ${outputs}`, `kernel_size: ${o.kernel}`]
    if (o.stride) sizes.push(`stride: ${o.stride}`)
    if (o.pad) sizes.push(`pad: ${o.pad}`)
    if (o.group) sizes.push(`group: ${o.group}`)
    const bias = o.biasTerm === false ? 'bias_term: false' : `bias_filler { ${constant(o.bias ?? 0)} }`
    const rest = `${multipliers(o)} convolution_param { ${sizes.join(' ')} weight_filler { ${o.weights ?? xavier} } ${bias} }`
    return this.layer('Convolution', name, [bottom], [name], o.rule ? `${rest} ${o.rule}` : rest)
  }

  fc(name: string, bottom: string, outputs: number, o: Weights = {}): string {
    const fillers = `weight_filler { ${o.weights ?? xavier} } bias_filler { ${constant(o.bias ?? 0)} }`
    const rest = `${multipliers(o)} inner_product_param { num_output: ${outputs} ${fillers} }`
    return this.layer('InnerProduct', name, [bottom], [name], o.rule ? `${rest} ${o.rule}` : rest)
  }

  pool(name: string, bottom: string, method: 'MAX' | 'AVE', kernel: number, stride: number, rest = ''): string {
    const [pad, rule] = rest.startsWith('pad') ? [` ${rest}`, ''] : ['', rest]
    return this.layer(
      'Pooling',
      name,
      [bottom],
      [name],
      `pooling_param { pool: ${method} kernel_size: ${kernel} stride: ${stride}${pad} } ${rule}`,
    )
  }

  globalPool(name: string, bottom: string): string {
    return this.layer('Pooling', name, [bottom], [name], 'pooling_param { pool: AVE global_pooling: true }')
  }

  relu(name: string, blob: string, rule = ''): string {
    return this.layer('ReLU', name, [blob], [blob], rule)
  }

  dropout(name: string, blob: string, ratio: number, rule = ''): string {
    return this.layer('Dropout', name, [blob], [blob], `dropout_param { dropout_ratio: ${ratio} } ${rule}`)
  }

  norm(name: string, bottom: string): string {
    return this.layer('LRN', name, [bottom], [name], 'lrn_param { local_size: 5 alpha: 0.0001 beta: 0.75 }')
  }

  /** Loss for training, probabilities for deployment. */
  head(scores: string): void {
    this.layer('SoftmaxWithLoss', 'loss', [scores, 'label'], ['loss'], TRAINING)
    this.layer('Softmax', 'prob', [scores], ['prob'], DEPLOY)
  }

  write(): void {
    writeFileSync(
      new URL(`${this.file}.prototxt`, import.meta.url),
      `${this.lines.map(line => line.replaceAll(/ +/g, ' ')).join('\n')}\n`,
    )
  }
}

/** The weight decays and learns at 1, the bias does not decay and learns at 2, as in Caffe's own models. */
const multipliers = (o: Partial<Window>): string =>
  o.biasTerm === false
    ? 'param { lr_mult: 1 decay_mult: 1 }'
    : 'param { lr_mult: 1 decay_mult: 1 } param { lr_mult: 2 decay_mult: 0 }'

function lenet(): void {
  const net = new Prototxt(
    'lenet',
    'LeNet',
    'LeNet as in Caffe: two convolutions, two pools, two fully connected layers.',
  )
  net.inputs({ data: [64, 1, 28, 28], label: [64] }, { data: [1, 1, 28, 28] })
  let top = net.conv('conv1', 'data', 20, { kernel: 5 })
  top = net.pool('pool1', top, 'MAX', 2, 2)
  top = net.conv('conv2', top, 50, { kernel: 5 })
  top = net.pool('pool2', top, 'MAX', 2, 2)
  top = net.relu('relu1', net.fc('ip1', top, 500))
  net.head(net.fc('ip2', top, 10))
  net.write()
}

function cifar10Quick(): void {
  const net = new Prototxt(
    'cifar10_quick',
    'CIFAR10_quick',
    "Caffe's quick CIFAR-10 net: max pooling once, then averages.",
  )
  net.inputs({ data: [100, 3, 32, 32], label: [100] }, { data: [1, 3, 32, 32] })
  let top = net.conv('conv1', 'data', 32, { kernel: 5, pad: 2, weights: gaussian(0.0001) })
  top = net.relu('relu1', net.pool('pool1', top, 'MAX', 3, 2))
  top = net.relu('relu2', net.conv('conv2', top, 32, { kernel: 5, pad: 2, weights: gaussian(0.01) }))
  top = net.pool('pool2', top, 'AVE', 3, 2)
  top = net.relu('relu3', net.conv('conv3', top, 64, { kernel: 5, pad: 2, weights: gaussian(0.01) }))
  top = net.pool('pool3', top, 'AVE', 3, 2)
  top = net.fc('ip1', top, 64, { weights: gaussian(0.1) })
  net.head(net.fc('ip2', top, 10, { weights: gaussian(0.1) }))
  net.write()
}

function caffenet(): void {
  const net = new Prototxt(
    'caffenet',
    'CaffeNet',
    'AlexNet in one column with pooling before normalization: five convolutions, three of them in two groups.',
  )
  net.inputs({ data: [10, 3, 227, 227], label: [10] }, { data: [1, 3, 227, 227] })
  const weights = gaussian(0.01)
  let top = net.relu('relu1', net.conv('conv1', 'data', 96, { kernel: 11, stride: 4, weights }))
  top = net.norm('norm1', net.pool('pool1', top, 'MAX', 3, 2))
  top = net.relu('relu2', net.conv('conv2', top, 256, { kernel: 5, pad: 2, group: 2, weights, bias: 1 }))
  top = net.norm('norm2', net.pool('pool2', top, 'MAX', 3, 2))
  top = net.relu('relu3', net.conv('conv3', top, 384, { kernel: 3, pad: 1, weights }))
  top = net.relu('relu4', net.conv('conv4', top, 384, { kernel: 3, pad: 1, group: 2, weights, bias: 1 }))
  top = net.relu('relu5', net.conv('conv5', top, 256, { kernel: 3, pad: 1, group: 2, weights, bias: 1 }))
  top = net.pool('pool5', top, 'MAX', 3, 2)
  for (const i of [6, 7]) {
    top = net.relu(`relu${i}`, net.fc(`fc${i}`, top, 4096, { weights: gaussian(0.005), bias: 1 }))
    top = net.dropout(`drop${i}`, top, 0.5)
  }
  net.head(net.fc('fc8', top, 1000, { weights }))
  net.write()
}

/** Outputs of an inception module: 1×1, 3×3 reduced and full, 5×5 reduced and full, projection after the pool. */
type Inception = readonly [number, number, number, number, number, number]

function googlenet(): void {
  const net = new Prototxt(
    'googlenet',
    'GoogleNet',
    'GoogLeNet: nine inception modules, and two auxiliary classifiers while it trains.',
  )
  net.inputs({ data: [1, 3, 224, 224], label: [1] }, { data: [1, 3, 224, 224] })
  const bias = 0.2
  const conv = (name: string, bottom: string, outputs: number, o: Window) =>
    net.relu(`${name}/relu`, net.conv(name, bottom, outputs, { bias, ...o }), o.rule)
  const inception = (
    id: string,
    bottom: string,
    [one, reduce3, three, reduce5, five, projection]: Inception,
  ): string => {
    const name = `inception_${id}`
    const a = conv(`${name}/1x1`, bottom, one, { kernel: 1 })
    const b = conv(`${name}/3x3`, conv(`${name}/3x3_reduce`, bottom, reduce3, { kernel: 1 }), three, {
      kernel: 3,
      pad: 1,
    })
    const c = conv(`${name}/5x5`, conv(`${name}/5x5_reduce`, bottom, reduce5, { kernel: 1 }), five, {
      kernel: 5,
      pad: 2,
    })
    const d = conv(`${name}/pool_proj`, net.pool(`${name}/pool`, bottom, 'MAX', 3, 1, 'pad: 1'), projection, {
      kernel: 1,
    })
    return net.layer('Concat', `${name}/output`, [a, b, c, d], [`${name}/output`])
  }
  const auxiliary = (id: number, bottom: string) => {
    let top = net.pool(`loss${id}/ave_pool`, bottom, 'AVE', 5, 3, TRAINING)
    top = conv(`loss${id}/conv`, top, 128, { kernel: 1, rule: TRAINING })
    top = net.relu(`loss${id}/relu_fc`, net.fc(`loss${id}/fc`, top, 1024, { bias, rule: TRAINING }), TRAINING)
    top = net.dropout(`loss${id}/drop_fc`, top, 0.7, TRAINING)
    top = net.fc(`loss${id}/classifier`, top, 1000, { rule: TRAINING })
    net.layer('SoftmaxWithLoss', `loss${id}/loss`, [top, 'label'], [`loss${id}/loss`], `loss_weight: 0.3 ${TRAINING}`)
  }
  let top = conv('conv1/7x7_s2', 'data', 64, { kernel: 7, stride: 2, pad: 3 })
  top = net.norm('pool1/norm1', net.pool('pool1/3x3_s2', top, 'MAX', 3, 2))
  top = conv('conv2/3x3', conv('conv2/3x3_reduce', top, 64, { kernel: 1 }), 192, { kernel: 3, pad: 1 })
  top = net.pool('pool2/3x3_s2', net.norm('conv2/norm2', top), 'MAX', 3, 2)
  top = inception('3a', top, [64, 96, 128, 16, 32, 32])
  top = inception('3b', top, [128, 128, 192, 32, 96, 64])
  top = net.pool('pool3/3x3_s2', top, 'MAX', 3, 2)
  top = inception('4a', top, [192, 96, 208, 16, 48, 64])
  auxiliary(1, top)
  top = inception('4b', top, [160, 112, 224, 24, 64, 64])
  top = inception('4c', top, [128, 128, 256, 24, 64, 64])
  top = inception('4d', top, [112, 144, 288, 32, 64, 64])
  auxiliary(2, top)
  top = inception('4e', top, [256, 160, 320, 32, 128, 128])
  top = net.pool('pool4/3x3_s2', top, 'MAX', 3, 2)
  top = inception('5a', top, [256, 160, 320, 32, 128, 128])
  top = inception('5b', top, [384, 192, 384, 48, 128, 128])
  top = net.dropout('pool5/drop_7x7_s1', net.pool('pool5/7x7_s1', top, 'AVE', 7, 1), 0.4)
  net.head(net.fc('loss3/classifier', top, 1000))
  net.write()
}

function squeezenet(): void {
  const net = new Prototxt(
    'squeezenet',
    'SqueezeNet',
    'SqueezeNet 1.1: fire modules squeeze with 1×1 and expand with 1×1 and 3×3.',
  )
  net.inputs({ data: [1, 3, 227, 227], label: [1] }, { data: [1, 3, 227, 227] })
  const fire = (id: number, bottom: string, squeeze: number, expand: number): string => {
    const part = (name: string, from: string, outputs: number, o: Window) =>
      net.relu(`fire${id}/relu_${name}`, net.conv(`fire${id}/${name}`, from, outputs, o))
    const squeezed = part('squeeze1x1', bottom, squeeze, { kernel: 1 })
    const one = part('expand1x1', squeezed, expand, { kernel: 1 })
    const three = part('expand3x3', squeezed, expand, { kernel: 3, pad: 1 })
    return net.layer('Concat', `fire${id}/concat`, [one, three], [`fire${id}/concat`])
  }
  let top = net.relu('relu_conv1', net.conv('conv1', 'data', 64, { kernel: 3, stride: 2 }))
  top = fire(3, fire(2, net.pool('pool1', top, 'MAX', 3, 2), 16, 64), 16, 64)
  top = fire(5, fire(4, net.pool('pool3', top, 'MAX', 3, 2), 32, 128), 32, 128)
  top = fire(7, fire(6, net.pool('pool5', top, 'MAX', 3, 2), 48, 192), 48, 192)
  top = net.dropout('drop9', fire(9, fire(8, top, 64, 256), 64, 256), 0.5)
  top = net.relu('relu_conv10', net.conv('conv10', top, 1000, { kernel: 1, weights: gaussian(0.01) }))
  net.head(net.globalPool('pool10', top))
  net.write()
}

function resnet18(): void {
  const net = new Prototxt(
    'resnet18',
    'ResNet-18',
    'ResNet-18: basic blocks, BatchNorm followed by Scale after every convolution.',
  )
  net.inputs({ data: [4, 3, 224, 224], label: [4] }, { data: [1, 3, 224, 224] })
  const conv = (suffix: string, bottom: string, outputs: number, kernel: number, stride: number): string => {
    const top = net.conv(`res${suffix}`, bottom, outputs, {
      kernel,
      stride,
      pad: kernel >> 1,
      weights: msra,
      biasTerm: false,
    })
    net.layer('BatchNorm', `bn${suffix}`, [top], [top])
    return net.layer('Scale', `scale${suffix}`, [top], [top], 'scale_param { bias_term: true }')
  }
  let top = net.relu('conv1_relu', conv('1', 'data', 64, 7, 2))
  top = net.pool('pool1', top, 'MAX', 3, 2)
  for (const [stage, outputs] of [64, 128, 256, 512].entries())
    for (const block of ['a', 'b']) {
      const id = `${stage + 2}${block}`
      const stride = stage > 0 && block === 'a' ? 2 : 1
      const shortcut = stride === 2 ? conv(`${id}_branch1`, top, outputs, 1, 2) : top
      const first = net.relu(`res${id}_branch2a_relu`, conv(`${id}_branch2a`, top, outputs, 3, stride))
      const second = conv(`${id}_branch2b`, first, outputs, 3, 1)
      top = net.relu(`res${id}_relu`, net.layer('Eltwise', `res${id}`, [shortcut, second], [`res${id}`]))
    }
  net.head(net.fc('fc1000', net.globalPool('pool5', top), 1000))
  net.write()
}

function lstm(): void {
  const net = new Prototxt('lstm', 'LSTM', 'Two LSTM layers over 32 steps; the last step is classified.')
  const [steps, streams, values] = [32, 32, 64]
  const shapes = (n: number) => ({ data: [steps, n, values], cont: [steps, n] })
  net.inputs({ ...shapes(streams), label: [streams] }, shapes(1))
  const layer = (name: string, bottom: string) =>
    net.layer(
      'LSTM',
      name,
      [bottom, 'cont'],
      [name],
      `recurrent_param { num_output: 256 weight_filler { type: "uniform" min: -0.08 max: 0.08 } }`,
    )
  const hidden = layer('lstm2', layer('lstm1', 'data'))
  net.layer('Slice', 'steps', [hidden], ['before', 'last'], `slice_param { axis: 0 slice_point: ${steps - 1} }`)
  net.layer('Silence', 'silence', ['before'], [])
  net.layer('Reshape', 'flat', ['last'], ['flat'], 'reshape_param { shape { dim: -1 dim: 256 } }')
  net.head(net.fc('classifier', 'flat', 10))
  net.write()
}

function mlp(): void {
  const net = new Prototxt(
    'mlp',
    'MLP',
    'Two fully connected layers of sigmoid units with a squared error, which is what the smallest peers train.',
  )
  net.inputs({ data: [64, 784], target: [64, 10] }, { data: [1, 784] })
  const hidden = net.fc('ip1', 'data', 100)
  net.layer('Sigmoid', 'sigmoid1', [hidden], [hidden])
  const scores = net.fc('ip2', hidden, 10)
  net.layer('Sigmoid', 'prob', [scores], ['prob'])
  net.layer('EuclideanLoss', 'loss', ['prob', 'target'], ['loss'], TRAINING)
  net.write()
}

for (const generate of [lenet, cifar10Quick, caffenet, googlenet, squeezenet, resnet18, lstm, mlp]) generate()
