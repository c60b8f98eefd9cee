/** Everything that the page says, in one place. */

const plural = (items: number | string, one: string, many: string): string =>
  `${items} ${Number(items) === 1 ? one : many}`

export const texts = {
  name: 'Ristretto Studio',
  skip: 'Skip to the screen',
  loading: 'Loading',
  again: 'Try again',
  undo: 'Undo',
  close: 'Close',
  save: 'Save',
  cancel: 'Cancel',
  noPicture: 'no picture',
  andMore: (items: number) => `and ${items} more`,
  pagesOf: (what: string) => `Pages of ${what}`,
  pageBefore: 'Page before',
  pageAfter: 'Next page',
  pageOf: (page: number, pages: number) => `${page} / ${pages}`,

  head: {
    main: 'Make something new',
    dataset: 'Dataset',
    model: 'Model',
    import: 'Import',
    server: 'This project is a folder of the machine that serves the page',
    browser: 'This project is kept in this browser',
    browserChip: 'in this browser',
    oneThread: 'one thread',
    oneThreadWhy: 'The host of this page sends no isolation headers, so that it may not use several threads',
    busy: (running: number, queued: number) =>
      [running && `${running} running`, queued && `${queued} queued`].filter(Boolean).join(', '),
    free: (text: string) => `${text} free`,
    space: 'Space that is left for this project',
    themes: { system: 'as the system', light: 'light', dark: 'dark' },
    theme: (now: string, next: string) => `Colours: ${now}. Change to ${next}`,
  },

  local: {
    inUse: 'This project is open in another tab',
    inUseText: 'One tab at a time has it. What it is doing now stops, and goes on here from its newest snapshot.',
    taken: 'Another tab has taken this project',
    takenText: 'What was running goes on there. It can be taken back.',
    take: 'Take it over',
    insecure: 'This address keeps no files',
    insecureText:
      'A project is kept in the browser only for pages of https or of this machine, in a browser of 2023 or later.',
    failed: (why: string) => `The project cannot be opened: ${why}`,
  },

  unknown: { title: 'Nothing is here', text: (path: string) => `The address ${path} leads nowhere.` },

  states: {
    queued: 'queued',
    running: 'running',
    interrupted: 'interrupted',
    stopped: 'stopped',
    done: 'done',
    failed: 'failed',
    untrusted: 'waits for consent',
  },
  kind: { dataset: 'Dataset', model: 'Model', evaluation: 'Evaluation', pretrained: 'Pretrained model' },
  kinds: { models: 'Models', datasets: 'Datasets', evaluations: 'Evaluations', pretrained: 'Pretrained' },
  sets: { train: 'Training set', val: 'Validation set', test: 'Test set' },

  welcome: {
    title: 'Make a net that sees',
    lead: 'Pictures in, a trained model out: everything happens on this machine, and nothing leaves it.',
    steps: [
      ['A dataset', 'Drop a folder with a folder of pictures for each class, a zip, or the files of MNIST.'],
      ['A model', 'Take a standard net as it is, or change its text and add a layer of your own.'],
      ['Training', 'Watch the curves. What is interrupted goes on where it was, bit by bit.'],
      ['Looking', 'Draw or drop a picture, and see what every layer makes of it.'],
    ] as const,
  },

  home: {
    title: 'Jobs',
    kind: 'Kind of job',
    all: 'All',
    filter: 'Filter by name, notes or id',
    group: 'Group',
    state: 'State',
    compare: (items: number) => (items > 1 ? `Compare ${items}` : 'Compare'),
    nothingFound: 'No job passes this filter',
    showAll: 'Show all jobs',
  },

  jobs: {
    name: 'Name',
    dataset: 'Dataset',
    state: 'State',
    epoch: 'Epoch',
    loss: 'Loss',
    best: 'Best',
    time: 'Time',
    created: 'Made',
    actions: 'Actions',
    choose: 'Choose',
    chooseOne: (name: string) => `Choose ${name} to compare`,
    actionsOf: (name: string) => `More about ${name}`,
    starred: 'starred',
    star: 'Star',
    unstar: 'Take off star',
    stop: 'Stop',
    resume: 'Resume',
    clone: 'Clone',
    remove: 'Delete',
    deleted: (name: string) => `${name} is deleted.`,
    progress: (name: string) => `Progress of ${name}`,
    bestAt: (name: string, epoch: number) => `${name} at epoch ${Math.round(epoch * 100) / 100}`,
    left: (time: string) => `${time} left`,
    shown: (rows: string, all: string) => `${rows} of ${all} are shown.`,
    more: 'Show more',
  },

  queue: {
    title: (items: number) => `Queue (${items})`,
    pause: 'Pause queue',
    go: 'Start queue',
    paused: 'No further job starts until the queue is started.',
    earlier: (name: string) => `Move ${name} up`,
    later: (name: string) => `Move ${name} down`,
  },

  form: {
    name: 'Name',
    group: 'Group',
    create: 'Create',
    notNumbers: 'A number, or several with commas between them',
    makesJobs: (items: number) => `${items} values: a job each`,
  },

  drop: {
    pick: 'Choose files',
    pickFolder: 'Choose a folder',
    files: (items: string) => `${items} files`,
    sent: (share: number) => `${Math.round(share * 100)} % sent`,
  },

  sources: {
    folder: {
      title: 'Folders',
      note: 'A folder with a folder of pictures for each class; or folders train, val and test of such.',
      drop: 'Drop a folder of class folders here',
    },
    zip: { title: 'Zip', note: 'Class folders in a zip.', drop: 'Drop a zip here' },
    idx: {
      title: 'idx files',
      note: 'Files as MNIST comes in: pictures and labels, packed with gzip or not.',
      drop: 'Drop the idx files here, all together',
    },
    lists: {
      title: 'Lists',
      note: 'Texts with a path and a label a line, beside their pictures.',
      drop: 'Drop the folder with lists and pictures here',
    },
    lmdb: {
      title: 'LMDB',
      note: 'Databases that exist already, as Caffe reads them.',
      drop: 'Drop the folder of the databases here',
    },
  },
  resize: [
    ['squash', 'Squash'],
    ['crop', 'Crop the middle'],
    ['fill', 'Fill with black'],
    ['half-crop', 'Half crop, half fill'],
  ] as const,

  newDataset: {
    title: 'New dataset',
    source: 'Where the pictures are',
    path: 'Or a path on the server',
    pathHint: 'Within the folders that the server may read.',
    lists: { train: 'Training list', val: 'Validation list', test: 'Test list', labels: 'Names of classes' },
    settings: 'What becomes of them',
    color: 'Colour',
    colorAuto: 'As they are',
    grey: 'Grey',
    rgb: 'Colour',
    width: 'Width',
    height: 'Height',
    asIs: 'as it is',
    resize: 'Resize',
    val: 'Validation, %',
    test: 'Test, %',
    seed: 'Seed',
    encode: 'Keep pictures packed as PNG: smaller, and slower to read',
    preview: 'Preview',
    previewEmpty: 'Examples appear here once there is a source',
    found: (pictures: string, classes: number) =>
      `Found ${plural(pictures, 'picture', 'pictures')} of ${plural(classes, 'class', 'classes')}.`,
    before: (name: string) => `${name} as it is`,
    after: (name: string) => `${name} as the net gets it`,
    skipped: (items: number) => `${plural(items, 'file is', 'files are')} left out`,
    name: 'Name it',
    noSource: 'Drop pictures or name a path first.',
  },

  dataset: {
    notYet: 'The dataset is not made yet',
    about: 'About it',
    records: (items: string) => plural(items, 'picture', 'pictures'),
    size: 'Size of a picture',
    mean: 'Mean',
    disk: 'On disk',
    meanPicture: 'Mean picture',
    histogram: (set: string) => `Classes of the ${set.toLowerCase()}`,
    browse: 'Pictures',
    set: 'Set',
    class: 'Class',
    allClasses: 'All classes',
    noneOfClass: 'This set has no picture of that class',
    order: 'Order',
    stored: 'As stored',
    hardest: (evaluation: string) => `Hardest for ${evaluation}`,
    said: (label: string, said: string) => `${label}, said ${said}`,
  },

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
    mean: 'Take off',
    means: [
      ['pixel', 'Mean of each channel'],
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

  chart: {
    smooth: 'Smooth',
    log: 'Logarithmic',
    all: 'All',
    table: 'Numbers',
    newest: (rows: number, all: string) => `The newest ${rows} of ${all} rows.`,
    csv: 'Save as CSV',
    describe: (title: string, lines: string) => `${title}: ${lines || 'nothing yet'}`,
    noValues: (label: string) => `${label} has no values`,
    lineNow: (label: string, values: number, last: string) => `${label}, ${values} values, the last ${last}`,
  },

  log: { title: 'Log', none: 'Nothing was logged yet.' },

  files: {
    title: 'Files',
    none: 'No file was written yet',
    name: 'Name',
    size: 'Size',
    download: (path: string) => `Download ${path}`,
  },

  job: {
    title: 'Job',
    notHere: 'This job is not here',
    views: 'Views of this job',
    main: { dataset: 'Dataset', model: 'Training', evaluation: 'Evaluation', pretrained: 'Model' },
    try: 'Try it',
    files: 'Files',
    rename: 'Rename, group, note',
    notes: 'Notes',
    progress: 'Progress',
    failed: 'It failed',
    percent: (share: number) => `${Math.round(share * 100)} %`,
    epoch: (epoch: number, epochs: number) => `epoch ${epoch} of ${epochs}`,
    attempts: (attempts: number) => `attempt ${attempts}`,
    made: (when: string) => `made ${when}`,
    step: (done: number, total: number, text = '') =>
      `${text ? `${text}: ` : ''}${done.toLocaleString('en')} of ${total.toLocaleString('en')}`,
    children: {
      dataset: 'Models of this dataset',
      model: 'Made from this model',
      evaluation: 'Made from this',
      pretrained: 'Models that begin with it',
    },
  },

  training: {
    curves: 'Loss and accuracy',
    rate: 'Learning rate',
    iteration: 'Iteration',
    best: 'best',
    resumed: 'resumed',
    noPoints: 'No point yet',
    waits: 'It starts when those before it are over.',
    now: 'Now',
    bestOf: (name: string) => `Best ${name}`,
    bestValue: (value: string, epoch: number) => `${value}, epoch ${Math.round(epoch * 100) / 100}`,
    speed: 'Speed',
    perSecond: (value: string) => `${value} iterations a second`,
    memory: 'Memory',
    attempts: 'Attempts',
    attemptsText: (attempts: number, starts: readonly number[]) =>
      `${attempts}${starts.length ? `, resumed at ${starts.map(start => start.toLocaleString('en')).join(', ')}` : ''}`,
    snapshots: 'Snapshots',
    noSnapshots: 'None yet.',
    snapshotNow: 'Snapshot now',
    snapshotAsked: 'A snapshot is being made.',
    keep: (iter: number) => `Keep the snapshot of iteration ${iter}`,
    epochNumber: (epoch: number) => `Epoch ${epoch}`,
    at: (iter: string) => `iteration ${iter}`,
    tryIt: 'Try it',
    hints: (items: number) => `Hints (${items})`,
  },

  model: {
    notYet: 'There is no snapshot to try yet',
    snapshot: 'Snapshot',
    snapshotName: (epoch: number, best: boolean, value = '') =>
      `epoch ${epoch}${best ? ' · best' : ''}${value ? ` · ${value}` : ''}`,
    archive: 'Download',
    makePretrained: 'Make pretrained',
    madePretrained: (name: string) => `${name} is among the pretrained models.`,
    evaluate: (set: string) => `Evaluate ${set.toLowerCase()}`,
    evaluationName: (model: string, set: string) => `${model}, ${set.toLowerCase()}`,
    testOne: 'A picture',
    fromFile: 'Drop',
    fromPad: 'Draw',
    fromSet: 'From a set',
    drop: 'Drop a picture here',
    details: 'What every layer did',
    stage: 'Stage',
    prediction: 'What the net says',
    noPicture: 'Give it a picture',
    layers: (rows: number) => `What every layer did (${rows})`,
    took: (ms: string) => `${ms} ms through the net`,
    item: (item: number) => `picture ${item}`,
    number: (records: number) => `Number, of ${records.toLocaleString('en')}`,
    another: 'Another one',
  },

  layers: {
    colors: 'Colours',
    grey: 'grey',
    each: 'Each plane by its own range',
    weights: (name: string) => `weights ${name}`,
    mean: 'mean',
    std: 'std',
    time: 'time',
    milliseconds: (value: string) => `${value} ms`,
    notFinite: 'not finite',
    noPicture: 'no picture',
    plane: (blob: string, plane: number, planes: number) => `${blob}, plane ${plane} of ${planes}`,
    describe: (blob: string, planes: number, mean: string, std: string) =>
      `${blob}: ${plural(planes, 'plane', 'planes')}, mean ${mean}, standard deviation ${std}. Opens large`,
    pixelHelp: 'Plane: arrow keys go from value to value',
    pixel: (x: number, y: number, value: string) => `x ${x}, y ${y}: about ${value}`,
    planeNumber: 'Plane',
  },

  pad: {
    describe: 'Drawing pad: draw with the pointer, or move the pen by arrow keys and set it down by space',
    clear: 'Clear',
    help: 'Light on black, as large as the frame. By keyboard: arrows move the pen, space sets it down and lifts it.',
  },

  confusion: {
    title: 'Confusion matrix',
    caption: 'Rows: what it is. Columns: what the net says.',
    label: 'is',
    prediction: 'said',
    cell: (items: string, label: string, prediction: string) => `${items}: is ${label}, said ${prediction}`,
    tooMany: (classes: number) =>
      `A matrix of ${classes} classes cannot be read cell by cell: here is what matters in it.`,
    mistakes: 'Most frequent mistakes',
    takenFor: (label: string, prediction: string) =>
      label === prediction ? `${label}, said rightly` : `${label}, taken for ${prediction}`,
    noMistakes: 'Not one mistake.',
  },

  evaluation: {
    none: 'There is no result',
    accuracy: 'accuracy',
    top: (k: number) => `among the best ${k}`,
    items: 'pictures',
    loss: 'loss',
    wrong: 'wrong',
    perClass: 'Per class',
    class: 'Class',
    precision: 'Precision',
    recall: 'Recall',
    pictures: 'Pictures',
    order: 'Order',
    orders: { hardest: 'Hardest first', surest: 'Surest first', stored: 'As stored' },
    which: 'Which',
    onlyWrong: 'Only wrong',
    all: 'All',
    allPictures: 'All pictures again',
    noneHere: 'No picture is among these',
    instead: (label: string, prediction: string, probability: string) => `${label}, said ${prediction} ${probability}`,
    item: (name: string, label: string, prediction: string, probability: string, loss: string) =>
      `${name}: is ${label}, said ${prediction} (${probability})${loss ? `, loss ${loss}` : ''}`,
    topOf: (name: string) => `Surest for ${name}`,
    howMany: 'How many',
  },

  compare: {
    title: 'Compare',
    choose: 'Choose two models or more in the list of jobs',
    curves: 'Curves',
    what: 'What',
    over: 'Over',
    overs: { iteration: 'Iteration', time: 'Seconds', epoch: 'Epoch' },
    differing: 'Where they differ',
    setting: 'Setting',
    same: 'All settings are the same.',
    net: (a: string, b: string) => `Net: ${a} and ${b}`,
    picture: 'The same picture through each',
  },

  pretrained: {
    title: 'Model from elsewhere',
    archive: 'Read from an archive.',
    parts: 'Put together from its net and weights.',
    model: 'Kept from a training here.',
    begin: 'Train on with it',
  },

  importing: {
    title: 'Import',
    what: 'What it is',
    kinds: {
      archive: {
        title: 'Model archive',
        note: 'A zip of Studio, or a .tar.gz of DIGITS, with net, weights and labels.',
        drop: 'Drop the archive here',
      },
      parts: { title: 'Net and weights', note: 'A prototxt and its caffemodel.', drop: 'Drop the caffemodel here' },
      project: { title: 'Project', note: 'A zip with whole jobs of another Studio.', drop: 'Drop the zip here' },
    },
    net: 'Net as prototxt',
    netFile: 'Read it from a file',
    labels: 'Names of classes',
    labelsHint: 'One a line, in the order of their numbers.',
    mean: 'Mean picture (.binaryproto), if there is one',
    came: (jobs: number) => `${plural(jobs, 'job', 'jobs')} came in.`,
    saveProject: 'Save project',
    saveProjectText: 'All jobs with their files, as one zip.',
  },

  trust: {
    title: 'It brings programs',
    lead: (files: string) => `${files} came from elsewhere. Until you agree, it is shown and does not run.`,
    look: 'Look at the code',
    what: 'A custom layer is a program: it runs with the training. Read it, and run it only if you know where it comes from.',
    seatBelt:
      'It runs in a process of its own that reads its data and writes its folder alone. That is a seat belt, not a wall: it can still reach the network.',
    sandbox: 'It runs in a frame without storage and without network.',
    accept: 'Run this code',
    refuse: 'Not now',
  },
}
