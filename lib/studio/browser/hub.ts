import { type Studio, StudioError, type StudioEvent, type StudioInfo } from '../api/index.js'
import { type Platform, routes } from '../api/routes.js'
import { checked } from '../api/schemas.js'
import { Desk, DOWNLOADS } from '../core/desk.js'
import { prepare } from '../core/forms.js'
import type { Inspector } from '../core/looking.js'
import { Project } from '../core/project.js'
import type { Runner } from '../core/runner.js'
import { standardList } from '../core/standard.js'
import type { Store } from '../core/store.js'
import type { Answering } from './calls.js'
import type { ForeignCode } from './foreign_code.js'
import { takeUpload } from './uploads.js'

export interface HubOptions {
  readonly store: Store
  readonly runner: Runner
  readonly inspector: Inspector
  readonly foreign: ForeignCode
  /** A file of the store as a page reads it. */
  readonly file: (path: string) => Promise<Blob>
  readonly version: string
  readonly engines: readonly string[]
  readonly cores: number
  /** Whether threads can share memory here. */
  readonly threads: boolean
  /** Bytes that this origin has and may have; undefined where the browser does not tell. */
  readonly space: () => Promise<StudioInfo['space']>
  /** Milliseconds between looks at a running job's events. */
  readonly poll?: number
}

const HOUR = 3_600_000

/** A Studio without a server: the same table of routes over the same core, asked by messages. */
export class Hub {
  private readonly tickets = new Map<string, string>()

  private constructor(
    private readonly options: HubOptions,
    private readonly project: Project,
    private readonly desk: Desk,
    private readonly platform: Platform,
    private readonly sweeping: ReturnType<typeof setInterval>,
  ) {}

  /** Open the project; jobs that were running when it was last open go on. */
  static async open(options: HubOptions): Promise<Hub> {
    const { store, runner, inspector, cores, poll = 100 } = options
    await store.remove(DOWNLOADS)
    const project = await Project.open({ store, runner, prepare, trainings: 1, cores, poll })
    const sweeping = setInterval(() => project.sweep().catch(() => {}), HOUR)
    const desk = new Desk(project, inspector, store)
    const platform: Platform = {
      info: () => hub.info(),
      paths: async () => [],
      ticket: path => hub.ticket(path),
    }
    const hub = new Hub(options, project, desk, platform, sweeping)
    return hub
  }

  async close(): Promise<void> {
    clearInterval(this.sweeping)
    await this.project.close()
  }

  /** Answer a call of a method of Studio. */
  async answer(method: string, args: readonly unknown[], answering: Answering): Promise<unknown> {
    switch (method) {
      case 'listen':
        return this.listen(args[0] as number | undefined, answering)
      case 'upload':
        return this.upload(args[0] as Parameters<Studio['upload']>[0], answering)
      case 'file':
        return this.file(String(args[0]))
      case 'trust':
        await this.options.foreign.add(args[0] as string[])
        break
    }
    const route = routes.find(({ name }) => name === method)
    if (!route) throw new StudioError(`a Studio has no '${method}'`, 404)
    const { params = {}, query = {}, body } = route.send(...(args as Parameters<typeof route.send>))
    // as they come in an address, so that one check is enough
    const texts = (from: object) =>
      Object.fromEntries(
        Object.entries(from).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
      )
    return route.call(this.desk, this.platform, {
      params: texts(params),
      query: route.query ? checked(route.query, route.body ? {} : texts(query), 'the request') : {},
      body: route.body ? checked(route.body, body, 'the request') : undefined,
      signal: answering.signal,
    })
  }

  /** Tells every event, until nobody listens any more. */
  private listen(after: number | undefined, { signal, tell }: Answering): Promise<void> {
    this.project.listen((event: StudioEvent) => tell(event), { signal, after })
    return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
  }

  private async upload(files: Parameters<Studio['upload']>[0], { signal, tell }: Answering): Promise<string> {
    const { store, space } = this.options
    const most = (await space())?.free ?? Number.MAX_SAFE_INTEGER
    return takeUpload(files, { store, most, signal, onProgress: (bytes, total) => tell([bytes, total]) })
  }

  private ticket(path: string): string {
    const ticket = crypto.randomUUID()
    this.tickets.set(ticket, path)
    return ticket
  }

  private file(ticket: string): Promise<Blob> {
    const path = this.tickets.get(ticket)
    this.tickets.delete(ticket)
    if (path === undefined) throw new StudioError('this file was given already', 404)
    return this.options.file(path)
  }

  private async info(): Promise<StudioInfo> {
    const { version, engines, cores, threads, space } = this.options
    const found = await space()
    return {
      version,
      mode: 'browser',
      project: 'This browser',
      engines,
      cores,
      threads,
      trainings: this.project.trainings,
      paused: this.project.paused,
      paths: false,
      standardNets: standardList,
      ...(found ? { space: found } : {}),
      limits: { upload: found?.free ?? Number.MAX_SAFE_INTEGER, pixels: 100_000_000 },
    }
  }
}
