import type { LayerClass } from '../layer.js'
import { AccuracyLayer } from './accuracy.js'
import { ConcatLayer } from './concat.js'
import { ConvolutionLayer } from './convolution.js'
import { DeconvolutionLayer } from './deconvolution.js'
import { DropoutLayer } from './dropout.js'
import { DummyDataLayer } from './dummy_data.js'
import { EltwiseLayer } from './eltwise.js'
import { EuclideanLossLayer } from './euclidean_loss.js'
import { FlattenLayer } from './flatten.js'
import { Im2colLayer } from './im2col.js'
import { InnerProductLayer } from './inner_product.js'
import { InputLayer } from './input.js'
import { PoolingLayer } from './pooling.js'
import { ReLULayer } from './relu.js'
import { SigmoidLayer } from './sigmoid.js'
import { SilenceLayer } from './silence.js'
import { SoftmaxLayer } from './softmax.js'
import { SoftmaxWithLossLayer } from './softmax_with_loss.js'
import { SplitLayer } from './split.js'
import { TanHLayer } from './tanh.js'

/** Prototxt type → class. The explicit list: one import and one entry a type, alphabetical. */
export const builtInLayers: Record<string, LayerClass> = {
  Accuracy: AccuracyLayer,
  Concat: ConcatLayer,
  Convolution: ConvolutionLayer,
  Deconvolution: DeconvolutionLayer,
  Dropout: DropoutLayer,
  DummyData: DummyDataLayer,
  Eltwise: EltwiseLayer,
  EuclideanLoss: EuclideanLossLayer,
  Flatten: FlattenLayer,
  Im2col: Im2colLayer,
  InnerProduct: InnerProductLayer,
  Input: InputLayer,
  Pooling: PoolingLayer,
  ReLU: ReLULayer,
  Sigmoid: SigmoidLayer,
  Silence: SilenceLayer,
  Softmax: SoftmaxLayer,
  SoftmaxWithLoss: SoftmaxWithLossLayer,
  Split: SplitLayer,
  TanH: TanHLayer,
}
