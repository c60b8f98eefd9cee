/**
 * What the forks of Caffe added, by name: data for reports and hints. A layer type is there if a class of that name is
 * registered; a field counts where `reads` says so.
 */

/** A layer type that Caffe 1.0 does not have. */
export interface ForkType {
  /** Who has it. */
  readonly fork: string
  /** What it does, in a few words. */
  readonly does: string
}

/** A field that a fork added to a message of Caffe 1.0. */
export interface ForkField {
  readonly fork: string
  /** What it changes, in words that go behind "it". */
  readonly does: string
  /**
   * Types of layers that mind it here, 'solver' or 'net'; 'all' where it has no effect on values, and nobody needs to.
   */
  readonly reads: readonly string[] | 'all'
  /** The value that changes nothing. */
  readonly harmless?: string | number | boolean
}

const SSD = 'SSD (weiliu89/caffe)'
const FRCNN = 'Faster R-CNN (rbgirshick/caffe-fast-rcnn)'
const RFCN = 'R-FCN (daijifeng001/caffe-rfcn)'
const YOLO = 'MobileNet-YOLO (eric612)'
const PSP = 'PSPNet and DeepLab (hszhao)'
const SEGNET = 'caffe-segnet (alexgkendall)'
const INTEL = 'Intel Caffe'
const OURS = 'Ristretto itself'
const NVIDIA = 'NVCaffe (NVIDIA)'
const HAPPYNEAR = 'caffe-windows (happynear)'
const SYNOPSYS = 'synopsys-caffe'
const FLOWNET = 'FlowNet (lmb-freiburg)'
const BRANCH = 'a branch of Caffe that was never merged (BVLC/caffe, pull request 190)'
const PVANET = 'PVANet (sanghoon/pva-faster-rcnn)'

const types = (fork: string, known: Record<string, string>): [string, ForkType][] =>
  Object.entries(known).map(([type, does]) => [type, { fork, does }])

/** By type. A name that several forks have names the best known ones. */
export const forkTypes: ReadonlyMap<string, ForkType> = new Map([
  ...types(SSD, {
    Permute: 'reorders axes',
    Normalize: 'divides by the norm, with a learned scale (happynear: without)',
    PriorBox: 'makes the boxes that detections are measured from',
    DetectionOutput: 'decodes boxes and keeps the best',
    DetectionEvaluate: 'holds detections against the truth',
    MultiBoxLoss: 'matches boxes with truths, and their loss',
    SmoothL1Loss: 'a square near zero, a line beyond',
    AnnotatedData: 'pictures with boxes from a database',
    VideoData: 'pictures from a camera or video',
  }),
  ...types(FRCNN, { ROIPooling: 'the largest value in each part of a region' }),
  ...types(PVANET, { Proposal: 'turns scores and offsets of anchors into regions' }),
  ...types(RFCN, {
    PSROIPooling: 'means over parts of a region, each from channels of its own',
    BoxAnnotatorOHEM: 'keeps the labels of the hardest regions',
    SmoothL1LossOHEM: 'SmoothL1Loss with the loss of each region',
    SoftmaxWithLossOHEM: 'SoftmaxWithLoss with the loss of each region',
  }),
  ...types('Mask R-CNN forks', { ROIAlign: 'interpolated values of a region' }),
  ...types(`${PSP} and ${SEGNET}`, { BN: 'batch normalization with scale and shift' }),
  ...types(PSP, {
    Interp: 'bilinear interpolation that keeps the corners',
    SegAccuracy: 'accuracy and overlap of a segmentation',
    DenseCRF: 'a conditional random field over a picture',
    DomainTransform: 'smooths along edges',
    UniqueLabel: 'the labels that a picture has',
    BiasChannel: 'adds to the scores of labels that a picture has',
    AdaptiveBiasChannel: 'adds to the scores of labels until their share is right',
    MatRead: 'reads Matlab files',
    MatWrite: 'writes Matlab files',
    ImageSegData: 'pictures with pictures as labels',
  }),
  ...types(SEGNET, {
    Upsample: 'puts values where a max pooling found them (YOLO: repeats them)',
    DenseImageData: 'pictures with pictures as labels',
  }),
  ...types(YOLO, {
    Reorg: 'moves places to channels',
    RegionLoss: "YOLO v2's loss",
    YoloDetectionOutput: "YOLO v2's boxes",
    Yolov3: "YOLO v3's loss",
    Yolov3DetectionOutput: "YOLO v3's boxes",
    YoloSeg: 'a loss for segmentation beside detection',
    SegmentationEvaluate: 'holds a segmentation against the truth',
    ReLU6: 'ReLU that ends at 6',
    Mish: 'x tanh(log(1 + e^x))',
    HSwish: 'x times a hard sigmoid',
    HardSwish: 'x times a hard sigmoid',
    HardSigmoid: 'a line between 0 and 1',
    DepthwiseConvolution: 'Convolution with a group for each channel',
    ConvolutionDepthwise: 'Convolution with a group for each channel',
    Region: "YOLO v2's output",
  }),
  ...types(INTEL, {
    EvalDetection: "holds YOLO's boxes against the truth",
    MnActivation: 'spreads a layer over machines',
    MnParamGradCompress: 'compresses gradients between machines',
  }),
  ...types('SENet (hujie-frank)', { Axpy: 'a scale for each channel, times x, plus y' }),
  ...types('ShuffleNet (farmingyard)', { ShuffleChannel: 'mixes the channels of groups' }),
  ...types('CRNN and OCR forks', {
    CTCLoss: 'the loss of a sequence without alignment',
    CTCDecoder: 'the best sequence',
    CtcLoss: 'the loss of a sequence without alignment',
    WarpCTCLoss: 'the loss of a sequence without alignment',
    CTCGreedyDecoder: 'the best sequence, or how much of it is right',
    ContinuationIndicator: 'the cont input of LSTM: 0 where a sequence begins',
    Reverse: 'turns an axis round',
    ReverseTime: 'turns a sequence round',
    Transpose: 'reorders axes',
    DenseBlock: 'a block of DenseNet in one layer',
    Lstm: 'an LSTM without the cont input',
    LabelsequenceAccuracy: 'counts labels of sequences that are right',
  }),
  ...types(FLOWNET, {
    Correlation: 'compares patches of two maps',
    Correlation1D: 'compares patches of two rows',
    FlowWarp: 'moves a map along a flow',
    Resample: 'scales a map',
    Downsample: 'scales a map down',
    L1Loss: 'a sum of absolute differences or of lengths',
    LpqLoss: 'a sum of powers of norms',
    ChannelNorm: 'the length over channels',
    Accum: 'adds up in blocks',
    Mean: 'adds or takes away a mean',
    CustomData: 'slices of pictures from a database',
    DataAugmentation: 'changes pictures at random',
    GenerateAugmentationParameters: 'draws how pictures are changed',
    FlowAugmentation: 'changes a flow as its pictures',
    BlackAugmentation: 'blacks out pictures at random',
    ImgReader: 'reads one picture',
    ImgWriter: 'writes pictures',
    FLOWriter: 'writes flows',
    FloatReader: 'reads values',
    FloatWriter: 'writes values',
    Phase: 'phases of a map',
  }),
  ...types(SYNOPSYS, {
    SeLU: 'ELU with a scale',
    SeLu: 'ELU with a scale',
    UpsampleDarknet: 'repeats values',
    Pooling3D: 'pooling over three axes',
    Pad: 'pads',
    ResizeBilinear: 'scales a map',
    ResizeNearestNeighbor: 'scales a map by repeating',
    SpaceToDepth: 'moves places to channels',
    DepthToSpace: 'moves channels to places',
    ExpandDims: 'an axis of size 1 more',
    Squeeze: 'takes axes of size 1 away',
    LogSoftmax: 'the logarithm of Softmax',
  }),
  ...types(HAPPYNEAR, {
    Insanity: 'a ReLU whose slopes are drawn',
    Local: 'a convolution with weights of its own at every place',
    TripletLoss: 'brings equals together and others apart',
    CenterLoss: 'the distance from the centre of the class',
    EltwiseAffine: 'a scale and a shift',
    ChannelScale: 'scales each item',
    FocalLoss: 'SoftmaxWithLoss in which easy items count less',
    Flip: 'turns pictures round',
    InnerDistance: 'distances from centres',
    PredictBox: 'boxes from a map of scores',
    SubRegion: 'regions around points',
    Hotspot: 'a map with a spot at each point',
    Noise: 'adds noise',
    FCNData: 'faces for detectors',
    MILData: 'parts of pictures',
    MIL: 'the largest of several',
    SoftTruncation: 'a soft upper bound',
    Truncation: 'bounds',
    Pairwise: 'sums or products of pairs',
    GeneralContrastive: 'a loss on distances',
    GeneralTriplet: 'a loss on distances',
    BatchContrastive: 'a loss on distances',
    SoftContrastive: 'a loss on distances',
    LargeMarginInnerProduct: 'InnerProduct with a margin between classes',
    MarginInnerProduct: 'InnerProduct with a margin between classes',
    LabelSpecificAdd: 'a margin for the label',
    LabelSpecificRescale: 'a margin for the label',
    LabelSpecificAffine: 'a margin for the label',
    LabelSpecificMargin: 'a margin for the label',
  }),
  ...types(NVIDIA, {
    DetectNetTransformation: 'changes pictures and boxes at random',
    TRT: 'runs a net of TensorRT',
  }),
  ...types(OURS, {
    Broadcast: 'sums, products and the like of shapes that go together',
    Gather: 'takes places along an axis',
    Gelu: 'x times the normal distribution of x',
    GroupNorm: 'normalizes parts of channels',
    InstanceNorm: 'normalizes each channel of an item',
    LayerNorm: 'normalizes each item',
    MatMul: 'products of matrices',
    NonMaxSuppression: 'which boxes stay of those that overlap',
    Padding: 'puts places around an array',
    Recurrence: 'a GRU or a plain recurrence',
    Reduce: 'sums, means, largest values and the like over any axes',
    Resize: 'brings an array to another size',
    StridedSlice: 'a part of each axis',
    TopK: 'the best values along an axis, and their places',
    Unary: 'a function of each value',
    Where: 'one of two values',
  }),
  ...types('SPPnet and others', { LocalConvolution: 'a convolution with weights of its own at every place' }),
  ...types('ENet (TimoSaemann)', { SpatialDropout: 'drops whole channels' }),
  ...types('spatial transformer forks', { SpatialTransformer: 'samples a map along a transformation' }),
])

const fields = (
  fork: string,
  reads: ForkField['reads'],
  known: Record<string, string | [does: string, harmless: ForkField['harmless']]>,
): [string, ForkField][] =>
  Object.entries(known).map(([path, facts]) => {
    const [does, harmless] = typeof facts === 'string' ? [facts] : facts
    return [path, { fork, does, reads, harmless }]
  })

/** Layers that cut parts out of pictures, to any size. */
const CROPPING = ['Data', 'ImageData', 'MemoryData', 'AnnotatedData', 'DenseImageData', 'ImageSegData']

const speed = 'picks how something is computed'

/** By message and field: `PoolingParameter.ceil_mode`. The messages of forks' layers are not listed. */
export const forkFields: ReadonlyMap<string, ForkField> = new Map([
  ...fields(`${INTEL} and ${NVIDIA}`, 'all', {
    'LayerParameter.engine': speed,
    'LayerParameter.debug': 'prints',
    'LayerParameter.cudnn_math_override': speed,
    'LayerParameter.forward_type': 'sets a precision; here it is float32',
    'LayerParameter.backward_type': 'sets a precision; here it is float32',
    'LayerParameter.forward_math': 'sets a precision; here it is float32',
    'LayerParameter.backward_math': 'sets a precision; here it is float32',
    'LayerParameter.quantization_param': 'has the numbers of int8 arithmetic; here it is float32',
    'LayerParameter.split_param': speed,
    'NetParameter.engine': speed,
    'NetParameter.default_forward_type': 'sets a precision; here it is float32',
    'NetParameter.default_backward_type': 'sets a precision; here it is float32',
    'NetParameter.default_forward_math': 'sets a precision; here it is float32',
    'NetParameter.default_backward_math': 'sets a precision; here it is float32',
    'NetParameter.global_grad_scale': 'keeps half-precision gradients from vanishing; here they are float32',
    'NetParameter.global_grad_scale_adaptive': 'keeps half-precision gradients from vanishing; here they are float32',
    'NetParameter.default_conv_algos_override': speed,
    'NetParameter.reduce_buckets': speed,
    'NetParameter.default_cudnn_math_override': speed,
    'NetParameter.eltwise_mem_sharing': speed,
    'ConcatParameter.engine': speed,
    'BatchNormParameter.engine': speed,
    'ConvolutionParameter.conv_algorithm': speed,
    'ConvolutionParameter.cudnn_convolution_algo_seeker': speed,
    'ConvolutionParameter.conv_algos_override': speed,
    'DataParameter.cache': speed,
    'DataParameter.threads': speed,
    'DataParameter.parser_threads': speed,
    'DropoutParameter.engine': speed,
    'DropoutParameter.random_seed': 'seeds one layer; here the seed of the net counts',
    'EltwiseParameter.engine': speed,
    'InnerProductParameter.engine': speed,
    'ReLUParameter.fuse': speed,
    'TransformationParameter.use_gpu_transform': speed,
    'TransformationParameter.random_seed': 'seeds one layer; here the seed of the net counts',
    'SolverParameter.engine': speed,
    'SolverParameter.solver_data_type': 'sets a precision; here it is float32',
    'SolverParameter.store_blobs_in_old_format': 'sets how blobs are stored',
    'SolverParameter.per_parameter_reduce': speed,
  }),
  ...fields(FLOWNET, 'all', { 'LayerParameter.reshape_every_iter': speed }),
  ...fields(INTEL, 'all', {
    'BatchNormParameter.filler': 'fills a scale that some engines have beside that of the Scale layer',
  }),
  ...fields(NVIDIA, 'all', {
    'BlobProto.raw_data': 'holds half-precision values',
    'BlobProto.raw_data_type': 'says what raw_data is',
    'BlobProto.raw_diff': 'holds half-precision gradients',
    'BlobProto.raw_diff_type': 'says what raw_diff is',
  }),
  ...fields(INTEL, [], {
    'NetParameter.bn_stats_batch_size': ['takes batch statistics of fewer items', 0],
    'BatchNormParameter.use_weight_bias': ['puts a scale and a shift into the layer', false],
    'BatchNormParameter.bias_term': ['has a shift in the layer', false],
    'BatchNormParameter.stats_batch_size': ['takes batch statistics of fewer items', 0],
    'BatchNormParameter.relu': ['puts a ReLU into the layer', false],
    'ConvolutionParameter.relu': ['puts a ReLU into the layer', false],
    'ConvolutionParameter.negative_slope': ['is the slope of a ReLU in the layer', 0],
    'ConvolutionParameter.fusion_type': ['adds another blob in the layer', 'NONE_FUSION'],
    'InnerProductParameter.relu': ['puts a ReLU into the layer', false],
    'InnerProductParameter.negative_slope': ['is the slope of a ReLU in the layer', 0],
    'PoolingParameter.avg_include_pad': ['leaves the padding out of means', true],
    'FillerParameter.scale': ['scales msra', 1],
    'SolverParameter.test_offset': ['shifts when tests run', 0],
    'SolverParameter.disabled_update': ['updates nothing', false],
    'SolverParameter.local_lr_auto': ['takes rates from norms (LARS)', false],
    'SolverParameter.local_gw_ratio': 'is a factor of LARS',
  }),
  ...fields(`${INTEL} and ${NVIDIA}`, [], {
    'LossParameter.label_smoothing': ['spreads a part of the label over the other classes', 0],
    'DataParameter.shuffle': ['reads in random order', false],
  }),
  ...fields(NVIDIA, ['BatchNorm'], {
    'BatchNormParameter.scale_bias': ['puts the scale and shift of a Scale layer into this one', false],
    'BatchNormParameter.scale_filler': 'fills the scale in the layer',
    'BatchNormParameter.bias_filler': 'fills the shift in the layer',
  }),
  ...fields(NVIDIA, [], {
    'PoolingParameter.torch_pooling': ['rounds sizes down', false],
    'ELUParameter.lambda': ['scales the result', 1],
    'SolverParameter.momentum_policy': ['changes the momentum as it goes', 'fixed'],
    'SolverParameter.max_momentum': 'ends what momentum_policy says',
    'SolverParameter.momentum_power': 'bends what momentum_policy says',
    'SolverParameter.larc': ['takes rates from norms (LARC)', false],
    'SolverParameter.larc_policy': 'says how LARC counts',
    'SolverParameter.larc_eta': 'is a factor of LARC',
    'SolverParameter.weight_decay_policy': ['changes the decay as it goes', 'fixed'],
    'SolverParameter.weight_decay_power': 'bends what weight_decay_policy says',
  }),
  ...fields(NVIDIA, ['solver'], {
    'SolverParameter.rampup_interval': 'raises the rate over its first iterations',
    'SolverParameter.rampup_lr': 'is the rate at first',
  }),
  ...fields(NVIDIA, ['solver'], { 'SolverParameter.min_lr': ['ends poly and cosine above zero', 0] }),
  ...fields(INTEL, ['solver'], {
    'SolverParameter.warmup_iter': 'raises the rate over its first iterations',
    'SolverParameter.warmup_start_lr': 'is the rate at first',
    'SolverParameter.stagelr': 'lists the rates of multifixed',
    'SolverParameter.stageiter': 'lists where the rates of multifixed end',
  }),
  ...fields(SSD, ['solver'], {
    'SolverParameter.plateau_winsize': 'drops the rate where the loss no longer falls',
  }),
  ...fields(BRANCH, ['solver'], {
    'SolverParameter.stepearly': 'drops the rate where tests get no better',
  }),
  ...fields(SSD, ['solver'], {
    'SolverParameter.eval_type': 'says what a test computes',
    'SolverParameter.ap_version': 'says how precision is averaged',
    'SolverParameter.show_per_class_result': 'prints precision by class',
  }),
  ...fields(HAPPYNEAR, [], {
    'SolverParameter.clamp_weights_lower': 'bounds weights',
    'SolverParameter.clamp_weights_upper': 'bounds weights',
    'SolverParameter.clip_weights': ['bounds weights', -1],
    'InnerProductParameter.normalize': ['scales weights to length 1', false],
    'SoftmaxParameter.hard_ratio': ['counts the places with the largest loss only', 1],
    'SoftmaxParameter.class_weight': 'weighs classes',
    'SoftmaxParameter.hard_mining_label': 'says which label hard_ratio is for',
    'SoftmaxParameter.cutting_point': 'leaves easy places out',
    'SoftmaxParameter.normalize_type': ['divides by another sum than that of exponentials', 'Softmax'],
    'SoftmaxParameter.label_smooth_factor': ['spreads a part of the label over the other classes', 0],
    'ParameterParameter.blob_filler': 'fills the blob',
  }),
  ...fields(
    RFCN,
    [
      'SoftmaxWithLoss',
      'SoftmaxWithLossOHEM',
      'SmoothL1Loss',
      'SmoothL1LossOHEM',
      'SigmoidCrossEntropyLoss',
      'InfogainLoss',
      'MultiBoxLoss',
    ],
    {
      'LossParameter.pre_fixed_normalizer': 'is what PRE_FIXED divides by',
    },
  ),
  ...fields(SEGNET, ['SoftmaxWithLoss'], {
    'LossParameter.weight_by_label_freqs': ['weighs classes', false],
    'LossParameter.class_weighting': 'lists the weights of classes',
  }),
  ...fields(SEGNET, ['Dropout'], { 'DropoutParameter.sample_weights_test': ['drops in TEST, too', false] }),
  ...fields(FRCNN, ['Dropout'], { 'DropoutParameter.scale_train': ['scales in TEST instead of TRAIN', true] }),
  ...fields(SYNOPSYS, ['Pooling'], { 'PoolingParameter.ceil_mode': ['rounds sizes down', true] }),
  ...fields(SYNOPSYS, ['ReLU'], { 'ReLUParameter.relu6': ['ends at 6', false] }),
  ...fields(PSP, [], {
    'BatchNormParameter.update_global_stats': ['says whether statistics are updated', false],
  }),
  ...fields(PSP, ['ImageSegData'], {
    'ImageDataParameter.label_type': ['takes pictures as labels', 'IMAGE'],
    'ImageDataParameter.ignore_label': 'is the label of what lies beyond the picture',
    'TransformationParameter.scale_factors': 'scales pictures by one of several factors',
  }),
  ...fields(PSP, CROPPING, {
    'TransformationParameter.crop_width': ['cuts out a part', 0],
    'TransformationParameter.crop_height': ['cuts out a part', 0],
  }),
  ...fields(SSD, ['AnnotatedData', 'VideoData'], {
    'Datum.seg_label': 'has a label for every pixel',
    'TransformationParameter.emit_constraint': 'says which boxes a part keeps',
  }),
  ...fields(SSD, CROPPING, {
    'TransformationParameter.crop_h': ['cuts out a part', 0],
    'TransformationParameter.crop_w': ['cuts out a part', 0],
  }),
  ...fields(SSD, ['AnnotatedData', 'VideoData', 'Data', 'ImageData'], {
    'TransformationParameter.resize_param': 'scales pictures',
    'TransformationParameter.noise_param': 'spoils pictures',
    'TransformationParameter.distort_param': 'changes colours',
    'TransformationParameter.expand_param': 'puts pictures into larger ones',
  }),
  ...fields(INTEL, ['AnnotatedData', 'Data', 'ImageData'], {
    'TransformationParameter.random_resize_param': 'scales pictures at random',
  }),
  ...fields(INTEL, ['Data', 'ImageData'], {
    'TransformationParameter.random_aspect_ratio_param': 'cuts out parts at random',
  }),
  ...fields(OURS, ['Pooling'], {
    'PoolingParameter.count_include_pad': ['leaves the padding out of means', true],
  }),
  ...fields(OURS, ['Deconvolution'], {
    'ConvolutionParameter.output_pad': 'makes tops larger than windows reach',
  }),
  ...fields(OURS, ['Data', 'ImageData'], {
    'TransformationParameter.augment_param': 'turns and stretches pictures',
  }),
])
