const layers = `
  layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1" param { lr_mult: 1 } param { lr_mult: 2 }
    convolution_param { num_output: 20 kernel_size: 5 weight_filler { type: "xavier" } } }
  layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1" pooling_param { kernel_size: 2 stride: 2 } }
  layer { name: "conv2" type: "Convolution" bottom: "pool1" top: "conv2" param { lr_mult: 1 } param { lr_mult: 2 }
    convolution_param { num_output: 50 kernel_size: 5 weight_filler { type: "xavier" } } }
  layer { name: "pool2" type: "Pooling" bottom: "conv2" top: "pool2" pooling_param { kernel_size: 2 stride: 2 } }
  layer { name: "ip1" type: "InnerProduct" bottom: "pool2" top: "ip1" param { lr_mult: 1 } param { lr_mult: 2 }
    inner_product_param { num_output: 500 weight_filler { type: "xavier" } } }
  layer { name: "relu1" type: "ReLU" bottom: "ip1" top: "ip1" }
  layer { name: "ip2" type: "InnerProduct" bottom: "ip1" top: "ip2" param { lr_mult: 1 } param { lr_mult: 2 }
    inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }`

const input = (batch: number, labels: boolean) => `
  layer { name: "data" type: "Input" top: "data" ${labels ? 'top: "label"' : ''}
    input_param { shape { dim: ${batch} dim: 1 dim: 28 dim: 28 } ${labels ? `shape { dim: ${batch} }` : ''} } }`

/** LeNet and its solver, as in Caffe's MNIST example. */
export const solverText = (batch: number): string => `
  base_lr: 0.01 momentum: 0.9 weight_decay: 0.0005 lr_policy: "inv" gamma: 0.0001 power: 0.75 max_iter: 10000
  net_param { name: "LeNet" ${input(batch, true)} ${layers}
    layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" top: "loss" } }`

/** LeNet for use: digits in, probabilities out. */
export const deployText = (batch: number): string =>
  `name: "LeNet" ${input(batch, false)} ${layers} layer { name: "prob" type: "Softmax" bottom: "ip2" top: "prob" }`
