import { randomBytes } from 'node:crypto'
import { chmod, readFile, statfs } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { serve } from '@hono/node-server'
import { makeFolder } from '../../system/make_folder.js'
import { writeFileSafely } from '../../system/write_file.js'
import { type Studio, StudioError, type StudioInfo } from '../api/index.js'
import { Desk, DOWNLOADS } from '../core/desk.js'
import { prepare } from '../core/forms.js'
import { Project } from '../core/project.js'
import { standardList } from '../core/standard.js'
import { readJson, writeJson } from '../core/store.js'
import { httpStudio } from '../http_studio.js'
import type { StartOptions } from '../start_options.js'
import { createApp } from './app.js'
import { type Beside, besideThis } from './beside.js'
import { DataRoots } from './data_roots.js'
import { nodeStore, projectName } from './node_store.js'
import { PageFiles, packageVersion } from './page_files.js'
import { processInspector } from './process_inspector.js'
import { claimFile, clearDead, livingMark, readMark, releaseFile } from './process_mark.js'
import { ProcessRunner } from './process_runner.js'
import { Tickets } from './tickets.js'
import { tryEngines } from './try_engines.js'
import { Uploads } from './uploads.js'

const HOUR = 3_600_000
/** Connections at once: a browser opens six. */
const MOST_CONNECTIONS = 500
/** Milliseconds in which a request must say what it wants. */
const PATIENCE = 20_000
const MAX_UPLOAD = 4 * 2 ** 30

export interface Started {
  readonly url: string
  readonly token: string
  readonly studio: Studio
  close(): Promise<void>
}

/** The server of a project, listening. */
export async function startServer(options: StartOptions, beside: Beside = besideThis()): Promise<Started> {
  const { host = '127.0.0.1', port = 5151, trainings = 1, layers = 'ask', data = [process.cwd()] } = options
  const root = resolve(options.root)
  const cores = options.threads ?? availableParallelism()
  const confined = options.confined ?? true
  const maxUpload = options.maxUpload ?? MAX_UPLOAD
  const lock = join(root, 'lock')
  if (livingMark(lock)) throw servedAlready(root, lock)
  // where there is no port to be had, nothing is left behind; who asks before all is ready waits for it
  let isReady: (fetch: Fetch) => void
  const ready = new Promise<Fetch>(resolve => {
    isReady = resolve
  })
  const server = await listening(async (request, env) => (await ready)(request, env), host, port)
  const undo: (() => unknown)[] = []
  const close = async () => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    await claimFolder(root, lock)
    undo.push(() => releaseFile(lock))
    if (options.tokenFile !== undefined) await mustBeApart(options.tokenFile, [root, ...data])
    const token = options.token ?? (await tokenOf(options.tokenFile))
    const store = nodeStore(root)
    if (!(await readJson(store, 'studio.json')))
      await writeJson(store, 'studio.json', { version: 1, id: randomBytes(8).toString('hex') })
    await store.remove(DOWNLOADS)
    const roots = await DataRoots.open(data)
    const shared = { root, store, data: await roots.folders(), confined }
    const runner = new ProcessRunner({ ...shared, program: beside.job })
    const { inspector, close: endInspector } = processInspector({ ...shared, program: beside.inspector })
    undo.push(endInspector)
    const engines = tryEngines({ program: beside.engines, confined })
    undo.push(engines.close)
    const checkPath = (path: string) => roots.check(path)
    const project = await Project.open({ store, runner, prepare, trainings, cores, layers, checkPath })
    undo.push(() => project.close())
    const sweeping = setInterval(() => project.sweep().catch(() => {}), HOUR)
    sweeping.unref()
    undo.push(() => clearInterval(sweeping))
    const desk = new Desk(project, inspector, store)
    const tickets = new Tickets()
    const uploads = new Uploads(store, maxUpload)
    const version = packageVersion()
    const platform = {
      ticket: (path: string, name: string) => tickets.add(path, name),
      paths: (prefix: string) => roots.names(prefix),
      info: async (): Promise<StudioInfo> => {
        const { bavail, bsize, blocks } = await statfs(root)
        return {
          version,
          mode: 'server',
          project: projectName(root),
          engines: await engines.names(),
          cores,
          threads: true,
          trainings,
          paused: project.paused,
          paths: true,
          standardNets: standardList,
          space: { used: (blocks - bavail) * bsize, free: bavail * bsize },
          limits: { upload: maxUpload, pixels: 100_000_000 },
        }
      },
    }
    const names = { hosts: new Set<string>(), origins: new Set<string>() }
    const page = new PageFiles(beside.page)
    const { app, close: endStreams } = createApp({
      ...{ desk, platform, store, tickets, uploads, page, version, token },
      hosts: () => names.hosts,
      origins: () => names.origins,
    })
    undo.push(endStreams)
    undo.push(() => ended(server))
    const { port: bound } = server.address() as AddressInfo
    addNames(names, host, bound, options.publicUrl)
    isReady!(app.fetch)
    const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
    const url = options.publicUrl?.replace(/\/$/, '') ?? `http://${shown.includes(':') ? `[${shown}]` : shown}:${bound}`
    return { url, token, studio: httpStudio({ url, token }), close }
  } catch (error) {
    await ended(server)
    await close()
    throw error
  }
}

const servedAlready = (root: string, lock: string): StudioError =>
  new StudioError(`another Studio serves '${root}' (process ${readMark(lock)?.pid}): one at a time`, 409)

/** The project's folder is there, and this process's. */
async function claimFolder(root: string, lock: string): Promise<void> {
  const claimed = await (async () => {
    await makeFolder(root)
    clearDead(lock)
    return claimFile(lock)
  })().catch((error: NodeJS.ErrnoException) => {
    const why =
      error.code === 'EEXIST' || error.code === 'ENOTDIR'
        ? 'there is a file of that name, or on the way to it'
        : error.code === 'EACCES' || error.code === 'EPERM' || error.code === 'EROFS'
          ? 'it must not be written to'
          : error.message
    throw new StudioError(`the folder of the project, '${root}', cannot be used: ${why}; name another`, 400)
  })
  if (!claimed) throw servedAlready(root, lock)
}

/** Names that requests may call this server by. */
function addNames(
  { hosts, origins }: { hosts: Set<string>; origins: Set<string> },
  host: string,
  port: number,
  publicUrl: string | undefined,
): void {
  for (const name of new Set(['127.0.0.1', 'localhost', '[::1]', host.includes(':') ? `[${host}]` : host])) {
    hosts.add(`${name}:${port}`.toLowerCase())
    origins.add(`http://${name}:${port}`.toLowerCase())
    if (port === 80) hosts.add(name.toLowerCase())
  }
  if (publicUrl === undefined) return
  const { host: name, origin } = new URL(publicUrl)
  hosts.add(name.toLowerCase())
  origins.add(origin.toLowerCase())
}

/** Jobs run code of all kinds, and may read these folders. */
async function mustBeApart(tokenFile: string, readable: readonly string[]): Promise<void> {
  for (const folder of readable)
    if (await (await DataRoots.open([folder])).holds(tokenFile))
      throw new StudioError(
        `--token-file ${tokenFile}: jobs may read '${resolve(folder)}', and custom layers with them: keep the token elsewhere, or name another folder by --data`,
        400,
      )
}

/** 256 bits: those of the file, which is made where it is not there; or new ones. */
async function tokenOf(file: string | undefined): Promise<string> {
  const fresh = randomBytes(32).toString('base64url')
  if (file === undefined) return fresh
  const found = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw new StudioError(`--token-file ${file}: ${error.message}`, 400)
  })
  if (found === undefined) {
    await writeFileSafely(file, new TextEncoder().encode(`${fresh}\n`))
    await chmod(file, 0o600)
    return fresh
  }
  const token = found.trim()
  if (!/^[\w.~+/=-]{32,}$/.test(token))
    throw new StudioError(`--token-file ${file}: a token has 32 characters or more, letters, digits and ._~+/=-`, 400)
  return token
}

type Fetch = Parameters<typeof serve>[0]['fetch']

function listening(fetch: Fetch, hostname: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname, port }, () => {
      server.off('error', failed)
      const listening = server as Server
      // who says nothing, or half a request, keeps nobody else out
      listening.maxConnections = MOST_CONNECTIONS
      listening.headersTimeout = PATIENCE
      resolve(listening)
    })
    const failed = (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'it is taken; --port names another, 0 any that is free' : error.message
      reject(new StudioError(`the server cannot listen on ${hostname}:${port}: ${why}`, 400))
    }
    server.once('error', failed)
  })
}

function ended(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
