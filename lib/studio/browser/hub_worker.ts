/** The hub in a worker: the project, its queue and its events; jobs and what looks at them are workers of their own. */
import type { InspectRequest, JobId, StudioInfo } from '../api/index.js'
import { isJobId } from '../core/job_files.js'
import { answerCalls, Caller, type Channel, channelOf } from './calls.js'
import { ForeignCode } from './foreign_code.js'
import { Hub } from './hub.js'
import type { HubConfig } from './hub_config.js'
import { privateFiles } from './opfs_handles.js'
import { opfsFile, opfsStore, removeUnfinished } from './opfs_store.js'
import { Sandboxes } from './sandboxes.js'
import { lookingWorker, WorkerInspector } from './worker_inspector.js'
import { jobWorker, WorkerRunner } from './worker_runner.js'

/**
 * The worker that is asked about code that a person agreed to and did not type, with the jobs that it may see: code that
 * came with one model sees nothing of another.
 */
const SHUT_IN = 'sandbox'
const isShutIn = (who: string): boolean => who.startsWith(SHUT_IN)
/** Packing zips takes long, and what is looked at meanwhile shall not wait. */
const PACKING = new Set(['archive', 'project', 'unpackProject'])

async function open({ programs, version, frames }: HubConfig): Promise<Hub> {
  const root = await privateFiles()
  await removeUnfinished(root)
  const store = opfsStore(root)
  const file = (path: string) => opfsFile(root, path)
  const foreign = await ForeignCode.open(store)
  const sandboxes = new Sandboxes({ frames: new Caller(channelOf(frames)), store, file, foreign })
  const runner = new WorkerRunner(async ({ id }) =>
    (await foreign.isIn(id)) ? sandboxes.job(id) : jobWorker(programs.job),
  )
  const { inspector } = new WorkerInspector({
    who: (method, args) => whoLooks(foreign, method, args),
    start: async who => (isShutIn(who) ? sandboxes.looker(who.split(' ').slice(1)) : lookingWorker(programs.inspector)),
    givesWay: (who, other) => isShutIn(who) && isShutIn(other),
  })
  const threads = self.crossOriginIsolated
  return Hub.open({
    ...{ store, runner, inspector, foreign, file, version, threads, space },
    engines: ['wasm', 'js'],
    cores: threads ? navigator.hardwareConcurrency : 1,
  })
}

async function whoLooks(foreign: ForeignCode, method: string, args: readonly unknown[]): Promise<string> {
  if (PACKING.has(method)) return 'packing'
  const see = (...jobs: (JobId | undefined)[]) => [SHUT_IN, ...jobs.filter(isJobId)].join(' ')
  if (method === 'testOne') {
    const [model, { picture }] = args as [JobId, { picture: object }]
    const dataset = 'dataset' in picture ? (picture.dataset as JobId) : undefined
    return (await foreign.isIn(model)) ? see(model, dataset) : 'looking'
  }
  if (method === 'inspect') {
    const [{ layers, dataset }] = args as [InspectRequest]
    return layers && (await foreign.hasText(layers)) ? see(dataset) : 'looking'
  }
  if (method === 'checkLayers') return (await foreign.hasText(args[0] as Record<string, string>)) ? SHUT_IN : 'looking'
  return 'looking'
}

async function space(): Promise<StudioInfo['space']> {
  const { usage, quota } = await navigator.storage.estimate()
  return usage === undefined || quota === undefined ? undefined : { used: usage, free: Math.max(0, quota - usage) }
}

let hub: Promise<Hub> | undefined
answerCalls(self as unknown as Channel, async (method, args, answering) => {
  if (method === 'open') {
    hub ??= open(args[0] as HubConfig)
    await hub
    return
  }
  if (!hub) throw new Error('the hub is not open')
  return (await hub).answer(method, args, answering)
})
