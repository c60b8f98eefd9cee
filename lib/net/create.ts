/** What Net.create reads, checks and builds before there is a Net. */
import { startDefaultEngine, startEngine } from '../engines/index.js'
import { limitEngine } from '../engines/limited_heap.js'
import { RistrettoError } from '../errors.js'
import type { NetParameter } from '../generated/caffe.js'
import type { LayerContext } from '../layer.js'
import { importOptions } from '../onnx/import_options.js'
import { fetchKernelsOf } from '../registry.js'
import { checkOptions } from '../system/check_options.js'
import { createFiles, type FileSource } from '../system/files.js'
import { buildNet } from './build.js'
import { filterNet, insertSplits } from './graph.js'
import { checkFits } from './memory_plan.js'
import type { BuiltNet, NetNode } from './node.js'
import { NET_RULES, type NetOptions } from './options.js'
import { drawSeed, readNet, refuseFaults } from './source.js'

/** What a net may take unless it is told otherwise, in bytes. */
const MAX_MEMORY = 2 ** 32

/** A net without its passes. */
export interface CreatedNet {
  readonly built: BuiltNet
  /** Looks at what may be used before a layer runs. */
  readonly watch?: (node: NetNode) => void
  /** The whole description, of every phase and stage. */
  readonly description: NetParameter
  /** Params that come first, those of the description and of `weights` in this order. */
  readonly weights: readonly (FileSource | NetParameter)[]
}

/** Read a description and build its layers on an engine. Throws what Net.create throws. */
export async function createBuilt(source: FileSource | NetParameter, options: NetOptions): Promise<CreatedNet> {
  checkOptions('Net.create', options, NET_RULES)
  const log = options.taggedLog ?? (line => options.log?.(line))
  // threads take their time to start: other things are done meanwhile
  const starting = options.engine ? startEngine(options.engine, options) : startDefaultEngine(options, log)
  starting.catch(() => {})
  const near = options.near ?? createFiles(options)
  const { param, errors, files, weights: given } = await readNet(source, near, { onnx: importOptions(options) })
  const state = {
    phase: options.phase ?? param.state?.phase ?? 'TEST',
    level: options.level ?? param.state?.level ?? 0,
    stages: [...(param.state?.stage ?? []), ...(options.stages ?? [])],
  }
  if (state.phase !== 'TRAIN' && state.phase !== 'TEST')
    throw new RistrettoError(`phase is 'TRAIN' or 'TEST', not '${state.phase}'`)
  const filtered = filterNet(param, state)
  if (options.forceBackward !== undefined) filtered.force_backward = options.forceBackward
  await refuseFaults(filtered, errors)
  const split = insertSplits(filtered)
  const whole = await starting
  const limit = options.maxMemory ?? (whole.heap.available === undefined ? MAX_MEMORY : undefined)
  const engine = limit === undefined ? whole : limitEngine(whole, limit)
  await fetchKernelsOf(split.layer ?? [], engine)
  const { share, seed = drawSeed(), weights = [] } = options
  const context: LayerContext = { phase: state.phase, engine, seed, files, log, ...(share && { share }) }
  const built = await buildNet({ state, filtered, split }, context)
  const { maxMemory: memory, maxWork: work } = options
  const isLimited = memory !== undefined || work !== undefined
  const watch = isLimited ? (await import('./limits.js')).createWatch(built, { memory, work }) : undefined
  checkFits(built, options.maxMemory !== undefined)
  const sources = Array.isArray(weights) ? weights : [weights as FileSource]
  return { built, watch, description: param, weights: given ? [given, ...sources] : sources }
}
