import { readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import {
  createEngine,
  createSolver,
  joinGroup,
  Layer,
  Net,
  parseNet,
  parseSolver,
  RistrettoError,
  readOnnx,
  startWorkers,
  trainWorkers,
} from '../../lib/index.js'
import {
  Classifier,
  castToConvolution,
  Detector,
  detect,
  drawNet,
  drawNetToFile,
  loadImage,
  loadMean,
} from '../../lib/pycaffe/index.js'
import { checkEngine, checkGradient, checkLayer } from '../../lib/testing.js'
import {
  checkNet,
  convertAnnoset,
  convertImageset,
  convertMnist,
  deployNet,
  EvaluationTally,
  evaluate,
  findRate,
  LmdbWriter,
  layerPicture,
  makeDataset,
  newProject,
  planProject,
  standardNet,
  standardSolver,
} from '../../lib/tools/index.js'
import { inputLayer } from '../shapes.js'

const NET = `${inputLayer('x', '1×1×2×2')}
  layer { name: "ip" type: "InnerProduct" bottom: "x" top: "l" inner_product_param { num_output: 2 } }`
const SOLVER = 'base_lr: 1 lr_policy: "fixed" net_param { layer { name: "d" type: "DummyData" top: "x" } }'
const toy = await Net.create(parseNet(NET), { engine: 'js' })
class Idle extends Layer {
  override reshape() {}
  override forward() {}
}

/** Every function with options, by the type of these. What else it takes comes later than its options, or is right. */
const CALLS: Record<string, Record<string, (options: never) => unknown>> = {
  NetOptions: {
    'Net.create': options => Net.create(parseNet(NET), options),
    'Net.load': options => Net.load(new Uint8Array(), options),
    'Classifier.load': options => Classifier.load(new Uint8Array(), options),
  },
  ReadOnnxOptions: {
    readOnnx: options => readOnnx(new Uint8Array(), options),
  },
  DeployNetOptions: {
    'Net.deploy': options => Net.deploy(parseNet(NET), options),
    'net.deploy': options => toy.deploy(options),
  },
  DeployOptions: { deployNet: options => deployNet(parseNet(NET), options) },
  ForwardOptions: {
    forward: options => toy.forward({ x: [1, 2, 3, 4] }, options),
    forwardAll: options => toy.forwardAll({ x: [1, 2, 3, 4] }, options),
  },
  BackwardOptions: {
    backward: options => toy.backward({}, options),
    forwardBackwardAll: options => toy.forwardBackwardAll({ x: [1, 2, 3, 4] }, options),
  },
  CopyOptions: { copyFrom: options => toy.copyFrom(toy, options) },
  SaveOptions: { save: options => toy.save('never.caffemodel', options), toBytes: options => toy.toBytes(options) },
  ArchiveOptions: { save: options => toy.save('never.zip', options) },
  OnnxOptions: { save: options => toy.save('never.onnx', options) },
  ExportOptions: { save: options => toy.save('never.onnx', options) },
  PredictOptions: { predict: options => toy.predict([[1, 2, 3, 4]], options) },
  FeedOptions: { feed: options => toy.feed('x', [[1, 2, 3, 4]], options) },
  EngineOptions: { createEngine: options => createEngine('js', options) },
  TextOptions: {
    parseNet: options => parseNet(NET, options),
    parseSolver: options => parseSolver(SOLVER, options),
  },
  SolverOptions: { createSolver: options => createSolver(parseSolver(SOLVER), options) },
  FileOptions: {
    loadImage: options => loadImage(new Uint8Array(), true, options),
    loadMean: options => loadMean(new Uint8Array(), options),
    planProject: options => planProject({ folder: 'a', dataset: 'b', net: 'lenet' }, options),
  },
  ClassifierOptions: {
    'Classifier.create': options => Classifier.create(toy, options),
    classify: async options => (await Classifier.create(toy)).classify([], options),
  },
  DetectorOptions: { 'Detector.create': options => Detector.create(toy, options) },
  DetectOptions: { detect: options => detect(toy, new Uint8Array(), options) },
  GraphOptions: { drawNet: options => drawNet(parseNet(NET), options) },
  DrawOptions: { drawNetToFile: options => drawNetToFile(parseNet(NET), 'never.svg', options) },
  CastOptions: { castToConvolution: options => castToConvolution(toy, options) },
  CheckOptions: { checkNet: options => checkNet(NET, options) },
  ConvertAnnosetOptions: { convertAnnoset },
  ConvertImagesetOptions: { convertImageset },
  ConvertMnistOptions: { convertMnist },
  MakeDatasetOptions: { makeDataset: options => makeDataset('nowhere', options) },
  EvaluateOptions: { evaluate: options => evaluate(toy, 1, options) },
  TallyOptions: { EvaluationTally: options => new EvaluationTally(options) },
  FindRateOptions: { findRate: options => findRate(parseSolver(SOLVER), options) },
  LayerPictureOptions: { layerPicture: options => layerPicture(toy.blobs.l, options) },
  LmdbWriterOptions: { 'LmdbWriter.create': options => LmdbWriter.create(undefined, options) },
  NewProjectOptions: { newProject, planProject },
  StandardNetOptions: { standardNet: options => standardNet('lenet', options) },
  StandardSolverOptions: { standardSolver: options => standardSolver('lenet', options) },
  LayerOptions: { checkLayer: options => checkLayer(Idle, options) },
  GradientOptions: { checkGradient: options => checkGradient(Idle, options) },
  GroupOptions: { joinGroup },
  StartOptions: { startWorkers: options => startWorkers('nowhere.js', 1, options) },
  TrainWorkersOptions: { trainWorkers: options => trainWorkers(parseSolver(SOLVER), options) },
  EngineCheckOptions: { checkEngine: options => checkEngine('js', options) },
}
const calls = Object.values(CALLS).flatMap(of => Object.entries(of))

/** What it throws, at once or later. */
const thrownBy = async (task: () => unknown): Promise<unknown> => {
  try {
    await task()
  } catch (error) {
    return error
  }
}

describe('options of every public function', () => {
  it.each(calls)('%s refuses what is no object', async (_, call) => {
    for (const [value, named] of [
      [null, 'null'],
      ['TEST', 'a string'],
      [5, 'a number'],
    ]) {
      const error = await thrownBy(() => call(value as never))
      expect(error).toBeInstanceOf(RistrettoError)
      expect((error as Error).message).toMatch(
        new RegExp(`^[\\w.' ]+: options are an object, \\{ \\w+: … \\}, not ${named}$`),
      )
    }
  })

  it.each(calls)('%s names an option that there is not', async (_, call) => {
    const error = await thrownBy(() => call({ zzz: 1 } as never))
    expect(error).toBeInstanceOf(RistrettoError)
    expect((error as Error).message).toMatch(/^[\w. ]+ has no option 'zzz'; it is one of \w+/)
  })

  it('says which one was meant', async () => {
    await expect(Net.create(parseNet(NET), { engin: 'js' } as never)).rejects.toThrow(
      "Net.create has no option 'engin'; did you mean 'engine'?",
    )
    await expect(makeDataset('photos', { outputs: 'data' } as never)).rejects.toThrow("did you mean 'output'?")
    await expect(makeDataset({ list: 'a.txt', vallist: 'b.txt' } as never)).rejects.toThrow("did you mean 'valList'?")
    await expect(createSolver(parseSolver(SOLVER), { patience: { output: 'l', test: 3 } } as never)).rejects.toThrow(
      "the option patience has no option 'test'; did you mean 'tests'?",
    )
  })

  it('names what is needed and left out', async () => {
    await expect(convertImageset({ root: 'x' } as never)).rejects.toThrow(
      'convertImageset needs the option output: a path',
    )
    await expect(newProject({ folder: 'x', net: 'lenet' } as never)).rejects.toThrow(
      'newProject needs the option dataset',
    )
    await expect(makeDataset({ images: 'x' } as never)).rejects.toThrow(
      'makeDataset: its source needs the option labels',
    )
  })

  it('an option that is undefined is as if it were left out', async () => {
    await expect(Net.create(parseNet(NET), { engine: 'js', zzz: undefined } as never)).resolves.toBeInstanceOf(Net)
  })

  it('what an archive alone takes is refused for other files', async () => {
    await expect(toy.save('never.caffemodel', { labels: ['a', 'b'] })).rejects.toThrow(
      'the option labels is for archives',
    )
  })
})

test('every exported type of options is tried here', () => {
  const faces = ['index', 'testing', 'tools/index', 'pycaffe/index'].map(name => readFileSync(`lib/${name}.ts`, 'utf8'))
  const exported = new Set(faces.join().match(/\b[A-Z]\w*Options\b/g))
  // of a class's own checks that no caller makes: RigOptions are those of checkGradient, PreprocessOptions of Classifier
  // those of ONNX are parts of ReadOnnxOptions and NetOptions, RunOptions of NetOptions
  for (const name of ['RigOptions', 'BottomOptions', 'PreprocessOptions']) exported.delete(name)
  for (const name of ['FreezeOptions', 'HeadOptions', 'ImportOptions', 'SizeOptions', 'RunOptions'])
    exported.delete(name)
  expect([...exported].filter(name => !(name in CALLS))).toEqual([])
})
