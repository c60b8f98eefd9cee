/** The faces of the package: what each has. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as root from '../lib/index.js'
import * as types from '../lib/proto/types.js'
import * as pycaffe from '../lib/pycaffe/index.js'
import * as tools from '../lib/tools/index.js'

const folder = join(import.meta.dirname, '..')

describe('ristretto', () => {
  test('has what a program needs every day, and not much more', () => {
    const wanted =
      `Net Blob Layer Memory Solver SGDSolver NesterovSolver AdaGradSolver RMSPropSolver AdaDeltaSolver AdamSolver createSolver
      registerLayer registerLayerModule registerEngine layerTypes parseNet parseSolver printNet printSolver
      parseParamStr gpuKernel view RandomStream RistrettoError FormatError NetError EngineError NumericsError`.split(
        /\s+/,
      )
    expect(Object.keys(root)).toEqual(expect.arrayContaining(wanted))
    expect(Object.keys(root).length).toBeLessThanOrEqual(34)
  })
})

test('ristretto/pycaffe and ristretto/tools have what ristretto has not', () => {
  expect(Object.keys(pycaffe)).toEqual(
    expect.arrayContaining(
      'io NetSpec L P Classifier Detector coordMap crop drawNet castToConvolution loadImage'.split(' '),
    ),
  )
  expect(Object.keys(tools)).toEqual(
    expect.arrayContaining(
      `convertImageset convertMnist computeImageMean extractFeatures parseLog summarize deployNet upgradeNet upgradeSolver unknownFieldsOf
      solverTypes`.split(/\s+/),
    ),
  )
  for (const name of [...Object.keys(pycaffe), ...Object.keys(tools)]) expect(root, name).not.toHaveProperty(name)
})

test('ristretto/schema is types alone', () => {
  expect(Object.keys(types)).toEqual([])
})

test('every way in of package.json has its source where tsconfig.json and typedoc.json say', () => {
  const read = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8'))
  const ways = Object.entries<{ types: string; default: string }>(read('package.json').exports).filter(
    ([name]) => !['./package.json', './models/*'].includes(name),
  )
  expect(ways).toHaveLength(6)
  const { paths } = read('tsconfig.json').compilerOptions
  const sources = ways.map(([name, { types, default: code }]) => {
    const source = code.replace('dist/', '').replace('.js', '.ts')
    expect(types).toBe(code.replace('.js', '.d.ts'))
    expect(paths[name.replace('.', 'ristretto')]).toEqual([source])
    return source.replace('./', '')
  })
  expect(Object.keys(paths)).toHaveLength(ways.length)
  expect(read('typedoc.json').entryPoints.toSorted()).toEqual(sources.toSorted())
})
