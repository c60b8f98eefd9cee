import { plural } from './plural.js'

/** What makes a model: its settings, its text, its layers, its graph. */
export const makingTexts = {
  newModel: {
    title: 'New model',
    noDataset: 'A model learns from a dataset: make one first',
    net: 'Net',
    tabs: 'What is written',
    tabNet: 'Net',
    tabLayers: (files: number) => (files ? `Layers (${files})` : 'Layers'),
    editor: 'Net as prototxt',
    from: 'Where the net comes from',
    froms: { standard: 'Standard', previous: 'Previous', pretrained: 'Pretrained', own: 'Own' },
    customize: 'Customize',
    hideText: 'Hide the text',
    datasetFirst: 'Choose a dataset first: the net is fitted to its pictures and classes.',
    noPrevious: 'No model was made yet',
    noPretrained: 'No model has weights yet',
    fromBest: 'begins with its best weights',
    noNet: (name: string) => `${name} has no prototxt among its files`,
    weightsOf: (name: string) => `Begins with the weights of ${name}.`,
    withoutWeights: 'Begin afresh',
    ownNet: `name: "own"
layer {
  name: "data"
  type: "Data"
  top: "data"
  top: "label"
  data_param { batch_size: 64 }
}
layer {
  name: "scores"
  type: "InnerProduct"
  bottom: "data"
  top: "scores"
  inner_product_param {
    num_output: 10
    weight_filler { type: "xavier" }
  }
}
layer {
  name: "accuracy"
  type: "Accuracy"
  bottom: "scores"
  bottom: "label"
  top: "accuracy"
  include { phase: TEST }
}
layer {
  name: "loss"
  type: "SoftmaxWithLoss"
  bottom: "scores"
  bottom: "label"
  top: "loss"
}
`,
    data: 'Data',
    dataset: 'Dataset',
    chooseDataset: 'Choose a dataset',
    mean: 'Subtract',
    means: [
      ['pixel', 'Channel means'],
      ['image', 'Mean picture'],
      ['none', 'Nothing'],
    ] as const,
    crop: 'Crop to',
    noCrop: 'whole picture',
    mirror: 'Mirror half of the pictures in training',
    training: 'Training',
    epochs: 'Epochs',
    testEvery: 'Test every',
    snapshotEvery: 'Snapshot every',
    keep: 'Keep newest',
    batch: 'Batch',
    asNetSays: 'as the net says',
    accumulate: 'Batches an update',
    seed: 'Seed',
    patience: 'Patience, tests',
    never: 'never',
    solver: 'Solver',
    solverType: 'Type',
    rate: 'Learning rate',
    rateHint: '0.01, 0.001 makes two jobs',
    policy: 'Policy',
    policies: [
      ['fixed', 'Fixed'],
      ['step', 'Steps'],
      ['multistep', 'Steps of choice'],
      ['exp', 'Exponential'],
      ['inv', 'Inverse'],
      ['poly', 'Polynomial'],
      ['sigmoid', 'Sigmoid'],
      ['cosine', 'Cosine'],
      ['plateau', 'On a plateau'],
    ] as const,
    gamma: 'Gamma',
    power: 'Power',
    share: 'Share of training',
    shares: 'Shares of training',
    tests: 'Tests without a better one',
    momentum: 'Momentum',
    momentum2: 'Second momentum',
    delta: 'Delta',
    decay: 'Weight decay',
    clip: 'Clip gradients',
    curve: 'Learning rate over the training',
    noCurve: 'The curve of the learning rate appears once there are a dataset and a net.',
    curveOfFirst: 'The curve of the first of these jobs.',
    solverText: (iterations: number) => `Solver, ${iterations.toLocaleString('en')} iterations`,
    machine: 'Machine',
    engine: 'Engine',
    nativeHint: "Runs the system's own libraries: the job is then allowed to load native code.",
    threads: 'Threads',
    allThreads: 'its share',
    oneThread: 'This page has one thread: its host sends no isolation headers.',
    graph: 'Graph',
    visualize: 'Visualize',
    noGraph: 'Choose or write a net, and its graph is drawn here',
    notBuilt: 'The net cannot be built as it stands',
    looking: 'Looking …',
    marks: (errors: number) => (errors ? plural(errors, 'error', 'errors') : 'No errors'),
    markList: 'What was found in the text',
    line: (line: number) => `Line ${line}`,
    createMany: (items: number) => `Create ${items} jobs`,
    made: (items: number) => `${items} jobs are made.`,
  },

  layerFiles: {
    add: 'New file',
    check: 'Check gradients',
    remove: (file: string) => `Remove ${file}`,
    editor: (file: string) => `Code of ${file}`,
    none: 'A layer of your own is a class in TypeScript. The net names it by its module and class; nothing of it runs on the server itself.',
    drop: 'Drop layers as .ts or .js files here',
    compiles: 'It compiles.',
    doesNotCompile: (errors: number) => `It does not compile: ${plural(errors, 'error', 'errors')}.`,
    noClasses: 'No class of a layer is exported.',
    verdicts: {
      passed: (derivatives: string) => `passes: ${derivatives} derivatives agree with differences.`,
      'on purpose': () => 'passes the gradient whole, on purpose.',
      failed: (derivatives: string) => `fails: of ${derivatives} derivatives some differ.`,
      none: () => 'has no backward pass.',
    },
    template: `import { type Blob, Layer } from 'ristretto'

/** Passes its bottom on, twice as large. */
export class OwnLayer extends Layer {
  reshape(bottom: readonly Blob[], top: readonly Blob[]): void {
    top[0].reshapeLike(bottom[0])
  }

  forward(bottom: readonly Blob[], top: readonly Blob[]): void {
    const x = bottom[0].dataArray
    const y = top[0].dataArray
    for (let i = 0; i < x.length; i++) y[i] = 2 * x[i]
  }

  backward(top: readonly Blob[], propagateDown: readonly boolean[], bottom: readonly Blob[]): void {
    if (!propagateDown[0]) return
    const dy = top[0].diffArray
    const dx = bottom[0].diffArray
    for (let i = 0; i < dy.length; i++) dx[i] = 2 * dy[i]
  }
}
`,
  },

  editor: {
    loading: 'The editor is on its way',
    plain: (why: string) => `The editor could not be fetched (${why}); the text can be changed here.`,
    snippet: 'with its usual fields',
    use: (text: string) => `Write ${text}`,
  },

  graph: {
    search: 'Search name, type or shape',
    hits: (items: number) => plural(items, 'layer', 'layers'),
    colorBy: 'Colour by',
    byType: 'type',
    byMemory: 'memory',
    byParams: 'parameters',
    byWork: 'multiply-adds',
    nearer: 'Nearer',
    whole: 'Whole graph',
    save: 'Save the graph',
    describe: (layers: number) => `Graph of ${plural(layers, 'layer', 'layers')}`,
    node: (name: string, type: string, shapes: string) => `${name}, ${type}${shapes ? `, ${shapes}` : ''}`,
    help: 'Drag to move, wheel to scroll, Ctrl and wheel to zoom. By keyboard: Tab to a layer, arrows to its neighbours, + − 0.',
    bottom: (blob: string) => `in ${blob}`,
    top: (blob: string) => `out ${blob}`,
    params: 'Parameters',
    memory: 'Memory',
    work: 'Multiply-adds',
    byDefault: '(by default)',
    toLine: (line: number) => `Line ${line}`,
  },
}
