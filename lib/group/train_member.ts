/** The program of a thread that `trainWorkers` starts. */

import { layerClasses, registerLayersOf } from '../net/layer_module.js'
import { caffeLog } from '../solver/caffe_log.js'
import { createSolver } from '../solver/rules/index.js'
import type { Snapshot } from '../solver/snapshot.js'
import { importNode, isNode } from '../system/nodejs.js'
import { importAnywhere } from '../system/typescript.js'
import { joinGroup, memberPort, supervisorWishes } from './join.js'
import type { TrainOrder, TrainWord } from './train_workers.js'

const port = (await memberPort())!
const { solver: source, options } = (await port.start())!.data as TrainOrder
const { layers = [], snapshot, timeout, engine, ...rest } = options
const say = (word: TrainWord) => port.post(word)
const group = await joinGroup({ timeout, log: line => say({ log: line }) })
for (const layer of layers) {
  // a module that exports none registers its layers itself
  const classes = layerClasses(await importAnywhere(await urlOf(String(layer))))
  if (Object.keys(classes).length) registerLayersOf(String(layer).split(/[?#]/)[0], classes)
}

const abort = new AbortController()
let saved: Snapshot | undefined
const solver = await createSolver(source, {
  ...rest,
  engine: engine as 'wasm' | undefined,
  threads: rest.threads ?? (await fairThreads()),
  group,
  signal: abort.signal,
  on(event) {
    if (event.type === 'snapshot' && event.files && !event.best) saved = event.files
    if (group.rank > 0) return
    say({ event })
    caffeLog(event, log => say({ log }))
  },
})
const silence = await supervisorWishes({ stop: () => abort.abort(), snapshot: () => solver.requestSnapshot() })
const before = solver.iter
await solver.solve(snapshot)
if (!saved || solver.iter === before) saved = await solver.snapshot()
if (group.rank === 0) say({ result: saved })
silence()
solver.dispose()
await group.close()

/** The cores of this process, shared by the members. */
async function fairThreads(): Promise<number> {
  const { availableThreads } = await import('../engines/wasm/pool.js')
  return Math.max(1, Math.floor((await availableThreads()) / group.local))
}

/** Paths are relative to the working directory. */
async function urlOf(layer: string): Promise<string> {
  if (!isNode || /^[a-z][a-z+.-]+:/i.test(layer)) return layer
  const { resolve } = await importNode('node:path')
  const { pathToFileURL } = await importNode('node:url')
  return pathToFileURL(resolve(layer)).href
}
