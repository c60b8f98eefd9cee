/** What a program in plain JavaScript may hand over by mistake: an error that says what was wanted, and no other. */
import { expect, test } from 'vitest'
import { Net, parseParamStr, RistrettoError, readOnnx, upgradeNet, upgradeSolver } from '../../lib/index.js'
import * as pycaffe from '../../lib/pycaffe/index.js'
import * as tools from '../../lib/tools/index.js'

const calls: Record<string, (value: never) => unknown> = {
  readOnnx,
  'Net.load': value => Net.load(value),
  parseParamStr,
  upgradeNet,
  upgradeSolver,
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
}

test.each(Object.entries(calls))('%s', async (_, call) => {
  for (const value of [undefined, null, 0, true]) {
    const error: unknown = await new Promise(resolve => resolve(call(value as never))).catch(
      (thrown: unknown) => thrown,
    )
    expect(error, String(value)).toBeInstanceOf(RistrettoError)
    expect((error as Error).message).toMatch(/takes .*, not /)
  }
})
