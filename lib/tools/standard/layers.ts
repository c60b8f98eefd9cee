import type { FillerParameter, LayerParameter } from '../../generated/caffe.js'

/** What a convolution of a standard net is. */
export interface ConvolutionSize {
  readonly kernel: number
  readonly stride?: number
  readonly pad?: number
  readonly group?: number
  readonly filler?: FillerParameter
}

/** Weights learn at the solver's rate, biases at twice that and without decay, as in Caffe's own nets. */
const rates = (bias: boolean): LayerParameter['param'] => [
  { lr_mult: 1, decay_mult: 1 },
  ...(bias ? [{ lr_mult: 2, decay_mult: 0 }] : []),
]

const msra: FillerParameter = { type: 'msra' }
const xavier: FillerParameter = { type: 'xavier' }
const zero: FillerParameter = { type: 'constant', value: 0 }

/** Layers one after the other; every function takes the blob that it reads and gives the one that it makes. */
export class Layers {
  readonly all: LayerParameter[] = []

  add(layer: LayerParameter): string {
    this.all.push(layer)
    return layer.top![0]
  }

  convolution(name: string, bottom: string, outputs: number, size: ConvolutionSize, bias = true): string {
    const { kernel, stride = 1, pad = 0, group = 1, filler = msra } = size
    return this.add({
      name,
      type: 'Convolution',
      bottom: [bottom],
      top: [name],
      param: rates(bias),
      convolution_param: {
        num_output: outputs,
        ...(bias ? {} : { bias_term: false }),
        ...(pad ? { pad: [pad] } : {}),
        kernel_size: [kernel],
        ...(group > 1 ? { group } : {}),
        ...(stride > 1 ? { stride: [stride] } : {}),
        weight_filler: filler,
        ...(bias ? { bias_filler: zero } : {}),
      },
    })
  }

  /** In place. */
  relu(bottom: string): string {
    return this.add({ name: `relu_${bottom}`, type: 'ReLU', bottom: [bottom], top: [bottom] })
  }

  convolutionRelu(name: string, bottom: string, outputs: number, size: ConvolutionSize): string {
    return this.relu(this.convolution(name, bottom, outputs, size))
  }

  /** Convolution without bias → BatchNorm → Scale with bias, the last two in place. */
  convolutionNorm(name: string, bottom: string, outputs: number, size: ConvolutionSize): string {
    const top = this.convolution(name, bottom, outputs, size, false)
    const still = { lr_mult: 0, decay_mult: 0 }
    this.add({
      name: `bn_${name}`,
      type: 'BatchNorm',
      bottom: [top],
      top: [top],
      param: [still, still, still],
      // means of some twenty batches: those of a thousand are of weights long gone where an epoch has fifty
      batch_norm_param: { moving_average_fraction: 0.95 },
    })
    const free = { lr_mult: 1, decay_mult: 0 }
    return this.add({
      name: `scale_${name}`,
      type: 'Scale',
      bottom: [top],
      top: [top],
      param: [free, free],
      scale_param: { bias_term: true },
    })
  }

  convolutionNormRelu(name: string, bottom: string, outputs: number, size: ConvolutionSize): string {
    return this.relu(this.convolutionNorm(name, bottom, outputs, size))
  }

  pool(name: string, bottom: string, pool: 'MAX' | 'AVE', kernel: number, stride: number, pad = 0): string {
    const pooling_param = { pool, kernel_size: kernel, stride, ...(pad ? { pad } : {}) }
    return this.add({ name, type: 'Pooling', bottom: [bottom], top: [name], pooling_param })
  }

  /** The mean of every plane. */
  globalPool(name: string, bottom: string): string {
    return this.add({
      name,
      type: 'Pooling',
      bottom: [bottom],
      top: [name],
      pooling_param: { pool: 'AVE', global_pooling: true },
    })
  }

  norm(name: string, bottom: string): string {
    const lrn_param = { local_size: 5, alpha: 0.0001, beta: 0.75 }
    return this.add({ name, type: 'LRN', bottom: [bottom], top: [name], lrn_param })
  }

  innerProduct(name: string, bottom: string, outputs: number): string {
    return this.add({
      name,
      type: 'InnerProduct',
      bottom: [bottom],
      top: [name],
      param: rates(true),
      inner_product_param: { num_output: outputs, weight_filler: xavier, bias_filler: zero },
    })
  }

  /** In place. */
  dropout(name: string, bottom: string, ratio: number): string {
    return this.add({ name, type: 'Dropout', bottom: [bottom], top: [bottom], dropout_param: { dropout_ratio: ratio } })
  }

  concat(name: string, bottom: string[]): string {
    return this.add({ name, type: 'Concat', bottom, top: [name] })
  }

  sum(name: string, bottom: string[]): string {
    return this.add({ name, type: 'Eltwise', bottom, top: [name] })
  }
}
