const weights = 'weight_filler { type: "xavier" }'
const params = 'param { lr_mult: 1 } param { lr_mult: 2 }'

export const innerProduct = (name: string, bottom: string, n: number): string =>
  `layer { name: "${name}" type: "InnerProduct" bottom: "${bottom}" top: "${name}" ${params} inner_product_param { num_output: ${n} ${weights} } }`

const convolution = (name: string, bottom: string, n: number) =>
  `layer { name: "${name}" type: "Convolution" bottom: "${bottom}" top: "${name}" ${params} convolution_param { num_output: ${n} kernel_size: 5 ${weights} } }`

const pooling = (name: string, bottom: string) =>
  `layer { name: "${name}" type: "Pooling" bottom: "${bottom}" top: "${name}" pooling_param { kernel_size: 2 stride: 2 } }`

/** A solver for LeNet as in Caffe's MNIST example, with inputs for data and label. */
export const lenet = (batch: number, options = ''): string => `
  base_lr: 0.01 momentum: 0.9 weight_decay: 0.0005 lr_policy: "inv" gamma: 0.0001 power: 0.75 max_iter: 100 ${options}
  net_param { name: "LeNet"
    layer { name: "data" type: "Input" top: "data" top: "label" input_param { shape { dim: ${batch} dim: 1 dim: 28 dim: 28 } shape { dim: ${batch} } } }
    ${convolution('conv1', 'data', 20)} ${pooling('pool1', 'conv1')}
    ${convolution('conv2', 'pool1', 50)} ${pooling('pool2', 'conv2')}
    ${innerProduct('ip1', 'pool2', 500)} layer { name: "relu1" type: "ReLU" bottom: "ip1" top: "ip1" } ${innerProduct('ip2', 'ip1', 10)}
    layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" top: "loss" }
  }`
