/** What a program in plain JavaScript may hand over by mistake: an error that says what was wanted, and no other. */
import ndarray from 'ndarray'
import { expect, test } from 'vitest'
import {
  Blob,
  gpuKernel,
  Layer,
  Memory,
  Net,
  parseParamStr,
  RandomStream,
  RistrettoError,
  readOnnx,
  startWorkers,
  trainWorkers,
  view,
} from '../../lib/index.js'
import { MemoryDataLayer } from '../../lib/layers/memory_data.js'
import * as pycaffe from '../../lib/pycaffe/index.js'
import * as tools from '../../lib/tools/index.js'

const image = ndarray(new Float32Array(3), [1, 1, 3])

class OwnLayer extends Layer {
  reshape(): void {}
  forward(): void {}
}

/** What plain JavaScript can call though its constructor is private. */
const made = (made: unknown, value: unknown): unknown => new (made as new (value: unknown) => unknown)(value)

const calls: Record<string, (value: never) => unknown> = {
  readOnnx,
  'Net.load': value => Net.load(value),
  parseParamStr,
  upgradeNet: tools.upgradeNet,
  upgradeSolver: tools.upgradeSolver,
  readNpy: pycaffe.readNpy,
  writeNpy: pycaffe.writeNpy,
  loadImage: pycaffe.loadImage,
  loadMean: pycaffe.loadMean,
  loadLabelMap: pycaffe.loadLabelMap,
  parseLog: tools.parseLog,
  standardNet: value => tools.standardNet(value, {} as never),
  standardSolver: value => tools.standardSolver(value, {} as never),
  statisticsOf: tools.statisticsOf,
  'LmdbReader.open': value => tools.LmdbReader.open(value),
  computeImageMean: tools.computeImageMean,
  evaluate: value => tools.evaluate(value),
  extractFeatures: value => tools.extractFeatures(value, [], 1),
  Layer: value => new OwnLayer(value, value),
  'Layer without context': value => new OwnLayer({}, value),
  MemoryDataLayer: value => new MemoryDataLayer(value, value),
  Blob: value => new Blob(value ?? null),
  Memory: value => new Memory(value === 0 ? (-1 as never) : value),
  'RandomStream, its seed': value => new RandomStream(value === 0 ? (-1 as never) : value, 'own'),
  'RandomStream, its stream': value => new RandomStream(1, value === 0 ? (0.5 as never) : value),
  view: value => view(value, 1),
  gpuKernel: value => gpuKernel(value, () => 0),
  'helpers of a gpuKernel': value => gpuKernel('own', () => 0, value ?? null),
  unknownFieldsOf: tools.unknownFieldsOf,
  averagePrecision: value => tools.averagePrecision(value, 1, 'Integral'),
  blobSource: value => tools.blobSource(value ?? null),
  layerPicture: value => tools.layerPicture(value),
  encodeLayerPicture: tools.encodeLayerPicture,
  summarize: tools.summarize,
  'makeDataset of items': value => tools.makeDataset([value]),
  'new LmdbReader': value => made(tools.LmdbReader, value),
  'new LmdbWriter': value => made(tools.LmdbWriter, value),
  'LmdbWriter.create': value => tools.LmdbWriter.create(value ?? null),
  startWorkers: value => startWorkers(value, 1),
  trainWorkers: value => trainWorkers(value, { workers: 1 }),
  coordMap: pycaffe.coordMap,
  coordMapFromTo: value => pycaffe.coordMapFromTo(value, value),
  crop: value => pycaffe.crop(value, value),
  toProto: value => pycaffe.toProto(value),
  customLayer: pycaffe.customLayer,
  castToConvolution: value => pycaffe.castToConvolution(value),
  detect: value => pycaffe.detect(value, ''),
  forwardAll: value => pycaffe.forwardAll(value, {}),
  forwardBackwardAll: value => pycaffe.forwardBackwardAll(value, {}),
  drawNet: value => pycaffe.drawNet(value),
  drawNetToFile: value => pycaffe.drawNetToFile({}, value),
  saveImage: value => pycaffe.saveImage(value, image),
  resizeImage: value => pycaffe.resizeImage(image, value),
  oversample: value => pycaffe.oversample([image], value),
  blobProtoToArray: value => pycaffe.blobProtoToArray(value),
  datumToArray: pycaffe.datumToArray,
  arrayListToBlobProtoVector: pycaffe.arrayListToBlobProtoVector,
  blobProtoVectorToArrayList: pycaffe.blobProtoVectorToArrayList,
  Transformer: value => new pycaffe.Transformer(value),
}

test.each(Object.entries(calls))('%s', async (_, call) => {
  for (const value of [undefined, null, 0, true, Symbol('s')]) {
    const error: unknown = await new Promise(resolve => resolve(call(value as never))).catch(
      (thrown: unknown) => thrown,
    )
    expect(error, String(value)).toBeInstanceOf(RistrettoError)
    expect((error as Error).message).toMatch(/takes .*, not /)
  }
})

test('what no number is made of', async () => {
  expect(() => new tools.SegmentationTally(null as never)).toThrow(/SegmentationTally.*not null/)
  const symbol = Symbol('s') as never
  expect(() => new tools.Confusion(symbol)).toThrow(RistrettoError)
  await expect(startWorkers('worker.js', symbol)).rejects.toThrow(RistrettoError)
})

test('an error of what is no text has it as its text', () => {
  for (const value of [undefined, null, 5, Symbol('s')])
    expect(new RistrettoError(value as never).message).toBe(String(value))
})
