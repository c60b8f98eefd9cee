/**
 * Ristretto Studio as part of a program: its server, and a client of one.
 *
 * @example
 * import { startStudio } from 'ristretto/studio'
 *
 * const { address, studio, close } = await startStudio({ root: 'studio' })
 *
 * @module
 */
import type { Studio } from './api/index.js'
import { httpStudio } from './http_studio.js'
import type { StartOptions } from './start_options.js'

export * from './api/index.js'
export type { StartOptions } from './start_options.js'

/** A server that runs. */
export interface StudioServer {
  /** Such as http://127.0.0.1:5151. */
  readonly url: string
  /** The same with the token: whoever opens it in a browser may do everything. */
  readonly address: string
  /** Everything that the page can do. */
  readonly studio: Studio
  /** Trainings go on by themselves; the next server of the folder finds them. */
  close(): Promise<void>
}

/**
 * Serve a project: a page in the browser, and the same over HTTP. Rejects with a StudioError where the folder is served
 * already, or the port is taken.
 */
export async function startStudio(options: StartOptions): Promise<StudioServer> {
  const { startServer } = await import('./node/server.js')
  const { url, token, studio, close } = await startServer(options)
  return { url, address: `${url}/#token=${token}`, studio, close }
}

/** A server that runs elsewhere, by the address that the command printed. */
export function connectStudio(address: string): Studio {
  const { origin, hash } = new URL(address)
  return httpStudio({ url: origin, token: new URLSearchParams(hash.slice(1)).get('token') ?? '' })
}
