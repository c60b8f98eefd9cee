/** A project in memory whose jobs do what the test says. */
import type { Forms, JobSummary, ModelForm } from '../../../lib/studio/api/index.js'
import { EventWriter } from '../../../lib/studio/core/events.js'
import type { JobEventBody } from '../../../lib/studio/core/job_context.js'
import { pathsOf, snapshotNames } from '../../../lib/studio/core/job_files.js'
import { memoryStore } from '../../../lib/studio/core/memory_store.js'
import type { Prepare, PreparedFiles } from '../../../lib/studio/core/prepared.js'
import { Project, type ProjectOptions } from '../../../lib/studio/core/project.js'
import type { Exit, Handle, Runner, Start } from '../../../lib/studio/core/runner.js'
import { type Store, writeJson } from '../../../lib/studio/core/store.js'

/** One attempt of a job, played by a test. */
export interface Played extends Start {
  readonly commands: string[]
  emit(...events: JobEventBody[]): void
  exit(exit?: Partial<Exit>): void
}

export class FakeRunner implements Runner {
  readonly played: Played[] = []
  private readonly alive = new Map<string, Handle>()
  /** What the next start throws. */
  refusal: Error | undefined
  /** Why no job can be told anything. */
  deaf: Error | undefined

  constructor(private readonly store: Store) {}

  async start(job: Start): Promise<Handle> {
    if (this.refusal) throw this.refusal
    const writer = await EventWriter.open(this.store, pathsOf(job.id).events)
    const commands: string[] = []
    let resolve!: (exit: Exit) => void
    const promise = new Promise<Exit>(settle => (resolve = settle))
    const exit = (given: Partial<Exit> = {}) => {
      this.alive.delete(job.id)
      resolve({ orderly: true, reason: 'it ended', ...given })
    }
    const handle: Handle = {
      command: async command => {
        if (this.deaf) throw this.deaf
        commands.push(command)
      },
      kill: () => exit({ orderly: false, reason: 'it was killed' }),
      exited: promise,
    }
    this.alive.set(job.id, handle)
    this.played.push({ ...job, commands, emit: (...events) => events.forEach(event => writer.emit(event)), exit })
    return handle
  }

  adopt(id: string): Promise<Handle | undefined> {
    return Promise.resolve(this.alive.get(id))
  }

  /** The newest attempt, or that of a job. */
  last(id?: string): Played {
    return this.played.filter(job => id === undefined || job.id === id).at(-1)!
  }
}

export const datasetForm: Forms['dataset'] = { name: 'digits', source: { from: 'folder', place: { path: '/data' } } }

export const modelForm = (dataset: string, more: Partial<ModelForm> = {}): ModelForm => ({
  name: 'LeNet',
  dataset,
  net: 'name: "LeNet"',
  epochs: 2,
  solver: { type: 'SGD', rate: 0.01, policy: { policy: 'fixed' } },
  ...more,
})

export interface Rig {
  readonly store: Store
  readonly runner: FakeRunner
  readonly project: Project
  /** A project of the same files, as a program that starts later sees it. */
  reopen(): Promise<Project>
  dataset(): Promise<string>
  model(more?: Partial<ModelForm>): Promise<JobSummary>
}

export async function rig(options: Partial<ProjectOptions> = {}): Promise<Rig> {
  const store = options.store ?? memoryStore()
  const runner = new FakeRunner(store)
  const all: ProjectOptions = {
    store,
    runner,
    prepare,
    checkPath: async () => {},
    poll: 1,
    ...options,
  }
  const project = await Project.open(all)
  let dataset: string | undefined
  const self: Rig = {
    store,
    runner,
    project,
    async reopen() {
      await project.close()
      return Project.open(all)
    },
    async dataset() {
      if (dataset) return dataset
      const [{ id }] = await project.create('dataset', datasetForm)
      await until(() => runner.last(id))
      await writeJson(store, pathsOf(id).summary, summary)
      runner.last(id).emit({ kind: 'start', attempt: 1, iter: 0 }, { kind: 'done' })
      runner.last(id).exit()
      await until(() => project.jobs({ state: 'done' }).some(job => job.id === id))
      dataset = id
      return id
    },
    async model(more) {
      const [job] = await project.create('model', modelForm(await self.dataset(), more))
      return job
    },
  }
  return self
}

const prepare: Prepare = kind => {
  const files: PreparedFiles = kind === 'model' ? { 'net.prototxt': 'net', 'solver.prototxt': 'solver' } : {}
  return { files }
}

const summary = {
  version: 1,
  classes: ['0', '1'],
  channels: 1,
  height: 28,
  width: 28,
  resize: null,
  encode: null,
  seed: 1,
  sets: { train: { records: 6, histogram: [3, 3] }, val: { records: 2, histogram: [1, 1] } },
  mean: [33],
  leftOut: [],
  notes: [],
}

/** Both files of a snapshot, as a training writes them. */
export async function putSnapshot(store: Store, id: string, iter: number): Promise<void> {
  for (const name of Object.values(snapshotNames(iter)))
    await store.write(`${pathsOf(id).snapshots}/${name}`, new Uint8Array([iter & 255]))
}

/** Waits for what other tasks bring about. */
export async function until<T>(condition: () => T | Promise<T>): Promise<NonNullable<T>> {
  for (let tries = 0; ; tries++) {
    const value = await condition()
    if (value) return value as NonNullable<T>
    if (tries === 20_000) throw new Error(`it does not come about: ${condition}`)
    await new Promise(resolve => setTimeout(resolve, 1))
  }
}
