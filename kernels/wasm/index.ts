/** What lib/engines/wasm/exports.ts declares. */
export { accuracy } from './accuracy'
export {
  absolute,
  absoluteGradient,
  bnll,
  bnllGradient,
  clip,
  clipGradient,
  elu,
  eluGradient,
  exponential,
  exponentialGradient,
  logarithm,
  logarithmGradient,
  swish,
  swishGradient,
  threshold,
} from './activations'
export { adadeltaUpdate } from './adadelta'
export { adagradUpdate } from './adagrad'
export { adamUpdate } from './adam'
export { argMax } from './argmax'
export { axpby, copy, copyRows, fill, multiply } from './arithmetic'
export { averagePool, averagePoolGradient } from './average_pooling'
export { reduce, reduceGradient, sumMiddle } from './axes'
export { after } from './after'
export { addBias, biasGradient } from './bias'
export { blasGemm } from './blas'
export { blasConvolution, blasConvolutionInputGradient, blasConvolutionWeightGradient } from './blas_convolution'
export { convolution } from './convolution'
export { convolutionInputGradient } from './convolution_input_gradient'
export { convolutionShape } from './convolution_shape'
export { convolutionWeightGradient } from './convolution_weight_gradient'
export { dropoutMask } from './dropout'
export { eltwiseInput, eltwiseMax, eltwiseMaxGradient, eltwiseProduct, eltwiseProductGradient, eltwiseSum } from './eltwise'
export { euclideanLoss } from './euclidean_loss'
export { gatherRows, scatterRows } from './gather'
export { gemm } from './gemm'
export { addIm2colGradient, im2col, im2colAxis } from './im2col'
export { lrnAcross, lrnAcrossGradient } from './lrn'
export { lrnWithin, lrnWithinGradient } from './lrn_within'
export { lstm, lstmGradient } from './lstm'
export { lstmUnit, lstmUnitGradient } from './lstm_unit'
export { maxPool, maxPoolGradient } from './max_pooling'
export { nesterovUpdate } from './nesterov'
export { channelStatistics, normalizeChannelsGradient } from './normalization'
export { poolingShape } from './pooling'
export { power, powerGradient } from './power'
export { prelu, preluGradient, preluSlopeGradient } from './prelu'
export { useBlas } from './recurrence'
export { sumOfSquares } from './sum_of_squares'
export { relu, reluGradient } from './relu'
export { rmspropUpdate } from './rmsprop'
export { rnn, rnnGradient } from './rnn'
export { normalizeChannels, scaleChannels, scaleGradient } from './scale'
export { sgdUpdate } from './sgd'
export { sigmoid, sigmoidGradient } from './sigmoid'
export { sigmoidCrossEntropyLoss, sigmoidCrossEntropyLossGradient } from './sigmoid_loss'
export { softmax, softmaxGradient } from './softmax'
export { softmaxLoss, softmaxLossGradient } from './softmax_loss'
export { stochasticMean, stochasticPool } from './stochastic_pooling'
export { tanh, tanhGradient } from './tanh'
export { chunksDispatched, countChunks, dispatches, serve, start } from './threads'
export { upsample } from './upsampling'
export { preparedConvolution, preparedLength, prepareWeights } from './winograd'
