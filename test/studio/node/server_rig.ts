/** The server's answers without a port: a project in memory of which nothing runs, and what a browser would send. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { onTestFinished } from 'vitest'
import type { Platform } from '../../../lib/studio/api/routes.js'
import { Desk } from '../../../lib/studio/core/desk.js'
import type { Inspector } from '../../../lib/studio/core/looking.js'
import type { Project } from '../../../lib/studio/core/project.js'
import type { Store } from '../../../lib/studio/core/store.js'
import { createApp } from '../../../lib/studio/node/app.js'
import { DataRoots } from '../../../lib/studio/node/data_roots.js'
import { nodeStore } from '../../../lib/studio/node/node_store.js'
import { PageFiles } from '../../../lib/studio/node/page_files.js'
import { Tickets } from '../../../lib/studio/node/tickets.js'
import { Uploads } from '../../../lib/studio/node/uploads.js'
import { type Rig, rig } from '../core/fakes.js'

export const TOKEN = 't'.repeat(43)
export const HOST = '127.0.0.1:5151'

type Asking = Omit<RequestInit, 'headers'> & { headers?: Readonly<Record<string, string | undefined>> }

export interface ServerRig extends Rig {
  readonly root: string
  readonly store: Store
  readonly project: Project
  /** What the inspector was asked. */
  readonly asked: [method: string, ...args: unknown[]][]
  /** A request as the page sends it; headers may be changed, or left out by `undefined`. */
  ask(path: string, init?: Asking): Promise<Response>
  /** The same in JSON. */
  json(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>
  close(): void
}

export async function serverRig(
  answers: Readonly<Record<string, unknown>> = {},
  options: { maxUpload?: number; layers?: 'ask' | 'never'; now?: () => number } = {},
): Promise<ServerRig> {
  const root = await mkdtemp(join(tmpdir(), 'ristretto-server-'))
  onTestFinished(() => rm(root, { recursive: true, force: true, maxRetries: 5 }))
  const store = nodeStore(join(root, 'project'))
  const roots = await DataRoots.open([root])
  const base = await rig({
    store,
    layers: options.layers,
    checkPath: async path => {
      // what the datasets of these tests are made of is nowhere
      if (path !== '/data') await roots.check(path)
    },
  })
  await mkdir(join(root, 'page'))
  await writeFile(join(root, 'page/index.html'), '<!doctype html><title>page</title>')
  await writeFile(join(root, 'page/main-ABCDEFGH.js'), 'export {}')
  const asked: ServerRig['asked'] = []
  const inspector = new Proxy({} as Inspector, {
    get:
      (_, method: string) =>
      async (...args: unknown[]) => {
        asked.push([method, ...args.filter(arg => !(arg instanceof AbortSignal))])
        const answer = answers[method]
        return typeof answer === 'function' ? answer(...args) : answer
      },
  })
  const tickets = new Tickets(options.now)
  const platform: Platform = {
    info: async () => ({ version: '1' }) as never,
    paths: prefix => roots.names(prefix),
    ticket: (path, name) => tickets.add(path, name),
  }
  const { app, close } = createApp({
    desk: new Desk(base.project, inspector, store),
    ...{ platform, store, tickets },
    uploads: new Uploads(store, options.maxUpload ?? 2 ** 30),
    page: new PageFiles(pathToFileURL(`${join(root, 'page')}/`)),
    version: '0.1.0',
    token: TOKEN,
    hosts: () => new Set([HOST, 'localhost:5151']),
    origins: () => new Set([`http://${HOST}`, 'http://localhost:5151']),
  })
  onTestFinished(() => close())
  const ask: ServerRig['ask'] = async (path, { headers = {}, ...init } = {}) => {
    const all = { host: HOST, authorization: `Bearer ${TOKEN}`, ...headers }
    const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined)
    return app.request(`http://${HOST}${path}`, { ...init, headers: Object.fromEntries(given) })
  }
  return {
    ...base,
    ...{ root, store, asked, ask, close },
    async json(method, path, body) {
      const headers: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
      const response = await ask(path, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
    },
  }
}
