/** Stands in for lib/testing.ts where RISTRETTO_COVERAGE names a file: notes there every check of a layer that passed. */
import { appendFileSync } from 'node:fs'
import { expect } from 'vitest'
import { builtInLayers } from '../../lib/generated/layer_list.js'
import type { LayerClass } from '../../lib/layer.js'
import * as gradient from '../../lib/testing/gradient.js'
import * as layer from '../../lib/testing/layer.js'

export { checkEngine, EngineCheckError } from '../../lib/testing/engine.js'
export * from '../../lib/testing/errors.js'
export type * from '../../lib/testing/gradient.js'
export type * from '../../lib/testing/layer.js'
export type * from '../../lib/testing/rig.js'

/** One passed check of a built-in layer. */
export interface CheckRecord {
  readonly type: string
  readonly engine: string
  /** Derivatives compared with differences; 0 for a layer without a gradient. */
  readonly compared: number
  /** The test's file. */
  readonly file: string
}

const types = (layerClass: LayerClass): string[] =>
  Object.entries<LayerClass>(builtInLayers).flatMap(([type, known]) => (known === layerClass ? type : []))

function note(layerClass: LayerClass, engine: string, compared: number): void {
  if (!process.env.RISTRETTO_COVERAGE) return
  for (const type of types(layerClass)) {
    const record: CheckRecord = { type, engine, compared, file: expect.getState().testPath ?? '' }
    appendFileSync(process.env.RISTRETTO_COVERAGE, `${JSON.stringify(record)}\n`)
  }
}

export const checkLayer: typeof layer.checkLayer = async (layerClass, options) => {
  const report = await layer.checkLayer(layerClass, options)
  note(layerClass, report.engine, report.gradient?.compared ?? 0)
  return report
}

export const checkGradient: typeof gradient.checkGradient = async (layerClass, options) => {
  const report = await gradient.checkGradient(layerClass, options)
  note(layerClass, report.engine, report.compared)
  return report
}
