import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { accuracy } from './accuracy.js'
import { activations } from './activations.js'
import { adadelta } from './adadelta.js'
import { adagrad } from './adagrad.js'
import { adam } from './adam.js'
import { argmax } from './argmax.js'
import { axes } from './axes.js'
import { bias } from './bias.js'
import { broadcast } from './broadcast.js'
import { classLosses } from './class_losses.js'
import { convolution } from './convolution.js'
import { costVolumes } from './cost_volume.js'
import { dropout } from './dropout.js'
import { elementwise } from './elementwise.js'
import { eltwise } from './eltwise.js'
import { euclideanLoss } from './euclidean_loss.js'
import { gather } from './gather.js'
import { gemm } from './gemm.js'
import { im2col } from './im2col.js'
import { lrn } from './lrn.js'
import { lstm } from './lstm.js'
import { lstmUnit } from './lstm_unit.js'
import { nesterov } from './nesterov.js'
import { normalization } from './normalization.js'
import { pairLosses } from './pair_losses.js'
import { pooling } from './pooling.js'
import { prelu } from './prelu.js'
import { reduceAxis } from './reduce_axis.js'
import { reductions } from './reductions.js'
import { regions } from './regions.js'
import { relu } from './relu.js'
import { resize } from './resize.js'
import { rmsprop } from './rmsprop.js'
import { rnn } from './rnn.js'
import { roiAlign } from './roi_align.js'
import { scale } from './scale.js'
import { sgd } from './sgd.js'
import { sigmoid } from './sigmoid.js'
import { softmax } from './softmax.js'
import { softmaxLoss } from './softmax_loss.js'
import { stochasticPooling } from './stochastic_pooling.js'
import { tanh } from './tanh.js'
import { unary } from './unary.js'

const files = [
  ...[
    accuracy,
    activations,
    adadelta,
    adagrad,
    adam,
    argmax,
    axes,
    bias,
    broadcast,
    classLosses,
    convolution,
    costVolumes,
    dropout,
    elementwise,
    eltwise,
  ],
  ...[
    euclideanLoss,
    gather,
    gemm,
    im2col,
    lrn,
    lstm,
    lstmUnit,
    nesterov,
    normalization,
    pairLosses,
    pooling,
    prelu,
    reduceAxis,
    reductions,
    regions,
    relu,
  ],
  ...[resize, rmsprop, rnn, roiAlign, scale, sgd, sigmoid, softmax, softmaxLoss, stochasticPooling, tanh, unary],
]

/** The kernels of the gpu engine: one file for each of kernels/js. What is missing runs on the host. */
export const gpuKernels = (gpu: Gpu): Partial<Kernels> => Object.assign({}, ...files.map(kernels => kernels(gpu)))
