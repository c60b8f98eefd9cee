import type { LayerClass } from '../layer.js'
import { AbsValLayer } from './absval.js'
import { AccuracyLayer } from './accuracy.js'
import { AnnotatedDataLayer } from './annotated_data.js'
import { ArgMaxLayer } from './argmax.js'
import { AxpyLayer } from './axpy.js'
import { BatchNormLayer } from './batch_norm.js'
import { BatchReindexLayer } from './batch_reindex.js'
import { BiasLayer } from './bias.js'
import { BNLayer } from './bn.js'
import { BNLLLayer } from './bnll.js'
import { BoxAnnotatorOHEMLayer } from './box_annotator_ohem.js'
import { BroadcastLayer } from './broadcast.js'
import { CenterLossLayer } from './center_loss.js'
import { ChannelNormLayer } from './channel_norm.js'
import { ChannelScaleLayer } from './channel_scale.js'
import { ClipLayer } from './clip.js'
import { ConcatLayer } from './concat.js'
import { ContinuationIndicatorLayer } from './continuation_indicator.js'
import { ContrastiveLossLayer } from './contrastive_loss.js'
import { ConvolutionLayer } from './convolution.js'
import { CorrelationLayer } from './correlation.js'
import { Correlation1DLayer } from './correlation1d.js'
import { CropLayer } from './crop.js'
import { CTCDecoderLayer } from './ctc_decoder.js'
import { CTCGreedyDecoderLayer } from './ctc_greedy_decoder.js'
import { CTCLossLayer } from './ctc_loss.js'
import { DataLayer } from './data.js'
import { DeconvolutionLayer } from './deconvolution.js'
import { DenseBlockLayer } from './dense_block.js'
import { DenseImageDataLayer } from './dense_image_data.js'
import { DepthwiseConvolutionLayer } from './depthwise_convolution.js'
import { DetectionEvaluateLayer } from './detection_evaluate.js'
import { DetectionOutputLayer } from './detection_output.js'
import { DownsampleLayer } from './downsample.js'
import { DropoutLayer } from './dropout.js'
import { DummyDataLayer } from './dummy_data.js'
import { EltwiseLayer } from './eltwise.js'
import { ELULayer } from './elu.js'
import { EmbedLayer } from './embed.js'
import { EuclideanLossLayer } from './euclidean_loss.js'
import { EvalDetectionLayer } from './eval_detection.js'
import { ExpLayer } from './exp.js'
import { FilterLayer } from './filter.js'
import { FlattenLayer } from './flatten.js'
import { FlipLayer } from './flip.js'
import { FlowWarpLayer } from './flow_warp.js'
import { GatherLayer } from './gather.js'
import { GeluLayer } from './gelu.js'
import { GroupNormLayer } from './group_norm.js'
import { HardSigmoidLayer } from './hard_sigmoid.js'
import { HardSwishLayer } from './hard_swish.js'
import { HDF5DataLayer } from './hdf5_data.js'
import { HDF5OutputLayer } from './hdf5_output.js'
import { HingeLossLayer } from './hinge_loss.js'
import { Im2colLayer } from './im2col.js'
import { ImageDataLayer } from './image_data.js'
import { ImageSegDataLayer } from './image_seg_data.js'
import { InfogainLossLayer } from './infogain_loss.js'
import { InnerProductLayer } from './inner_product.js'
import { InputLayer } from './input.js'
import { InstanceNormLayer } from './instance_norm.js'
import { InterpLayer } from './interp.js'
import { L1LossLayer } from './l1_loss.js'
import { LabelsequenceAccuracyLayer } from './labelsequence_accuracy.js'
import { LayerNormLayer } from './layer_norm.js'
import { LogLayer } from './log.js'
import { LRNLayer } from './lrn.js'
import { LSTMLayer } from './lstm.js'
import { LSTMUnitLayer } from './lstm_unit.js'
import { MarginInnerProductLayer } from './margin_inner_product.js'
import { MatMulLayer } from './matmul.js'
import { MeanLayer } from './mean.js'
import { MemoryDataLayer } from './memory_data.js'
import { MishLayer } from './mish.js'
import { MultiBoxLossLayer } from './multi_box_loss.js'
import { MultinomialLogisticLossLayer } from './multinomial_logistic_loss.js'
import { MVNLayer } from './mvn.js'
import { NonMaxSuppressionLayer } from './non_max_suppression.js'
import { NormalizeLayer } from './normalize.js'
import { PaddingLayer } from './padding.js'
import { ParameterLayer } from './parameter.js'
import { PermuteLayer } from './permute.js'
import { PlainLSTMLayer } from './plain_lstm.js'
import { PoolingLayer } from './pooling.js'
import { PowerLayer } from './power.js'
import { PReLULayer } from './prelu.js'
import { PriorBoxLayer } from './prior_box.js'
import { ProposalLayer } from './proposal.js'
import { PSROIPoolingLayer } from './psroi_pooling.js'
import { RecurrenceLayer } from './recurrence.js'
import { ReduceLayer } from './reduce.js'
import { ReductionLayer } from './reduction.js'
import { RegionLossLayer } from './region_loss.js'
import { ReLULayer } from './relu.js'
import { ReLU6Layer } from './relu6.js'
import { ReorgLayer } from './reorg.js'
import { ResampleLayer } from './resample.js'
import { ReshapeLayer } from './reshape.js'
import { ResizeLayer } from './resize.js'
import { ReverseLayer } from './reverse.js'
import { ReverseTimeLayer } from './reverse_time.js'
import { RNNLayer } from './rnn.js'
import { ROIAlignLayer } from './roi_align.js'
import { ROIPoolingLayer } from './roi_pooling.js'
import { ScaleLayer } from './scale.js'
import { SegAccuracyLayer } from './seg_accuracy.js'
import { SegmentationEvaluateLayer } from './segmentation_evaluate.js'
import { SeLULayer } from './selu.js'
import { ShuffleChannelLayer } from './shuffle_channel.js'
import { SigmoidLayer } from './sigmoid.js'
import { SigmoidCrossEntropyLossLayer } from './sigmoid_cross_entropy_loss.js'
import { SilenceLayer } from './silence.js'
import { SliceLayer } from './slice.js'
import { SmoothL1LossLayer } from './smooth_l1_loss.js'
import { SmoothL1LossOHEMLayer } from './smooth_l1_loss_ohem.js'
import { SoftmaxLayer } from './softmax.js'
import { SoftmaxWithLossLayer } from './softmax_with_loss.js'
import { SoftmaxWithLossOHEMLayer } from './softmax_with_loss_ohem.js'
import { SpatialDropoutLayer } from './spatial_dropout.js'
import { SplitLayer } from './split.js'
import { SPPLayer } from './spp.js'
import { StridedSliceLayer } from './strided_slice.js'
import { SwishLayer } from './swish.js'
import { TanHLayer } from './tanh.js'
import { ThresholdLayer } from './threshold.js'
import { TileLayer } from './tile.js'
import { TopKLayer } from './topk.js'
import { TransposeLayer } from './transpose.js'
import { UnaryLayer } from './unary.js'
import { UpsampleLayer } from './upsample.js'
import { UpsampleDarknetLayer } from './upsample_darknet.js'
import { WarpCTCLossLayer } from './warp_ctc_loss.js'
import { WhereLayer } from './where.js'
import { WindowDataLayer } from './window_data.js'
import { YoloDetectionOutputLayer } from './yolo_detection_output.js'
import { YoloSegLayer } from './yolo_seg.js'
import { Yolov3Layer } from './yolov3.js'
import { Yolov3DetectionOutputLayer } from './yolov3_detection_output.js'

/** Prototxt type → class. The explicit list: one import a class, one entry a type (some have two names), alphabetical. */
export const builtInLayers = {
  AbsVal: AbsValLayer,
  Accuracy: AccuracyLayer,
  AnnotatedData: AnnotatedDataLayer,
  ArgMax: ArgMaxLayer,
  Axpy: AxpyLayer,
  BatchNorm: BatchNormLayer,
  BatchReindex: BatchReindexLayer,
  Bias: BiasLayer,
  BN: BNLayer,
  BNLL: BNLLLayer,
  BoxAnnotatorOHEM: BoxAnnotatorOHEMLayer,
  Broadcast: BroadcastLayer,
  CenterLoss: CenterLossLayer,
  ChannelNorm: ChannelNormLayer,
  ChannelScale: ChannelScaleLayer,
  Clip: ClipLayer,
  Concat: ConcatLayer,
  ContrastiveLoss: ContrastiveLossLayer,
  ContinuationIndicator: ContinuationIndicatorLayer,
  Convolution: ConvolutionLayer,
  ConvolutionDepthwise: DepthwiseConvolutionLayer,
  Correlation: CorrelationLayer,
  Correlation1D: Correlation1DLayer,
  Crop: CropLayer,
  CTCDecoder: CTCDecoderLayer,
  CTCGreedyDecoder: CTCGreedyDecoderLayer,
  CtcLoss: CTCLossLayer,
  CTCLoss: CTCLossLayer,
  Data: DataLayer,
  Deconvolution: DeconvolutionLayer,
  DenseBlock: DenseBlockLayer,
  DenseImageData: DenseImageDataLayer,
  DepthwiseConvolution: DepthwiseConvolutionLayer,
  DetectionEvaluate: DetectionEvaluateLayer,
  DetectionOutput: DetectionOutputLayer,
  Downsample: DownsampleLayer,
  Dropout: DropoutLayer,
  DummyData: DummyDataLayer,
  Eltwise: EltwiseLayer,
  ELU: ELULayer,
  Embed: EmbedLayer,
  EuclideanLoss: EuclideanLossLayer,
  EvalDetection: EvalDetectionLayer,
  Exp: ExpLayer,
  Filter: FilterLayer,
  Flatten: FlattenLayer,
  Flip: FlipLayer,
  FlowWarp: FlowWarpLayer,
  Gather: GatherLayer,
  Gelu: GeluLayer,
  GroupNorm: GroupNormLayer,
  HardSigmoid: HardSigmoidLayer,
  HardSwish: HardSwishLayer,
  HDF5Data: HDF5DataLayer,
  HDF5Output: HDF5OutputLayer,
  HingeLoss: HingeLossLayer,
  HSwish: HardSwishLayer,
  Im2col: Im2colLayer,
  ImageData: ImageDataLayer,
  ImageSegData: ImageSegDataLayer,
  InfogainLoss: InfogainLossLayer,
  InnerProduct: InnerProductLayer,
  Input: InputLayer,
  InstanceNorm: InstanceNormLayer,
  Interp: InterpLayer,
  L1Loss: L1LossLayer,
  LabelsequenceAccuracy: LabelsequenceAccuracyLayer,
  LayerNorm: LayerNormLayer,
  Log: LogLayer,
  LRN: LRNLayer,
  LSTM: LSTMLayer,
  Lstm: PlainLSTMLayer,
  LSTMUnit: LSTMUnitLayer,
  MarginInnerProduct: MarginInnerProductLayer,
  MatMul: MatMulLayer,
  Mean: MeanLayer,
  MemoryData: MemoryDataLayer,
  Mish: MishLayer,
  MultiBoxLoss: MultiBoxLossLayer,
  MultinomialLogisticLoss: MultinomialLogisticLossLayer,
  MVN: MVNLayer,
  NonMaxSuppression: NonMaxSuppressionLayer,
  Normalize: NormalizeLayer,
  Padding: PaddingLayer,
  Parameter: ParameterLayer,
  Permute: PermuteLayer,
  Pooling: PoolingLayer,
  Power: PowerLayer,
  PReLU: PReLULayer,
  PriorBox: PriorBoxLayer,
  Proposal: ProposalLayer,
  PSROIPooling: PSROIPoolingLayer,
  Recurrence: RecurrenceLayer,
  Reduce: ReduceLayer,
  Reduction: ReductionLayer,
  RegionLoss: RegionLossLayer,
  ReLU6: ReLU6Layer,
  ReLU: ReLULayer,
  Reorg: ReorgLayer,
  Resample: ResampleLayer,
  Reshape: ReshapeLayer,
  Resize: ResizeLayer,
  Reverse: ReverseLayer,
  ReverseTime: ReverseTimeLayer,
  RNN: RNNLayer,
  ROIAlign: ROIAlignLayer,
  ROIPooling: ROIPoolingLayer,
  Scale: ScaleLayer,
  SegmentationEvaluate: SegmentationEvaluateLayer,
  SeLu: SeLULayer,
  SeLU: SeLULayer,
  ShuffleChannel: ShuffleChannelLayer,
  SegAccuracy: SegAccuracyLayer,
  Sigmoid: SigmoidLayer,
  SigmoidCrossEntropyLoss: SigmoidCrossEntropyLossLayer,
  Silence: SilenceLayer,
  Slice: SliceLayer,
  SmoothL1Loss: SmoothL1LossLayer,
  SmoothL1LossOHEM: SmoothL1LossOHEMLayer,
  Softmax: SoftmaxLayer,
  SoftmaxWithLoss: SoftmaxWithLossLayer,
  SoftmaxWithLossOHEM: SoftmaxWithLossOHEMLayer,
  SpatialDropout: SpatialDropoutLayer,
  Split: SplitLayer,
  SPP: SPPLayer,
  StridedSlice: StridedSliceLayer,
  Swish: SwishLayer,
  TanH: TanHLayer,
  Threshold: ThresholdLayer,
  Tile: TileLayer,
  TopK: TopKLayer,
  Transpose: TransposeLayer,
  Unary: UnaryLayer,
  Upsample: UpsampleLayer,
  UpsampleDarknet: UpsampleDarknetLayer,
  WarpCTCLoss: WarpCTCLossLayer,
  Where: WhereLayer,
  WindowData: WindowDataLayer,
  YoloDetectionOutput: YoloDetectionOutputLayer,
  YoloSeg: YoloSegLayer,
  Yolov3: Yolov3Layer,
  Yolov3DetectionOutput: Yolov3DetectionOutputLayer,
} as const satisfies Record<string, LayerClass>
