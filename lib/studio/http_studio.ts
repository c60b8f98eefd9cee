import { FRAME, packFrame, unpackFrame } from './api/frame.js'
import { type RequestFault, type Studio, StudioError } from './api/index.js'
import { type Route, routes } from './api/routes.js'
import type { Ask } from './asking.js'
import { followEvents } from './event_reader.js'
import { sendUpload } from './upload.js'

export interface HttpOptions {
  /** Where the server is, such as http://127.0.0.1:5151; default: where the page is from. */
  readonly url?: string
  readonly token: string
}

/**
 * A Studio that is a server's, over HTTP: in a page, in Node, in whatever has fetch. Addresses of files are made whole with
 * the server's.
 */
export function httpStudio({ url = '', token }: HttpOptions): Studio {
  const base = url.replace(/\/$/, '')
  const ask: Ask = async (path, { method, body, type, accept, signal }) => {
    const headers: Record<string, string> = { authorization: `Bearer ${token}` }
    if (type !== undefined) headers['content-type'] = type
    if (accept !== undefined) headers['accept'] = accept
    const response = await fetch(base + path, { method, headers, body, signal }).catch(error => {
      if (signal?.aborted) throw error
      throw new StudioError('the server does not answer: is it running?', 503)
    })
    if (!response.ok) throw await errorOf(response)
    return response
  }
  const studio: Record<string, unknown> = Object.fromEntries(
    routes.map(route => [route.name, method(route, ask, base)]),
  )
  studio['listen'] = ((listener, options) => followEvents(ask, listener, options)) satisfies Studio['listen']
  studio['upload'] = ((files, options) => sendUpload(ask, files, options)) satisfies Studio['upload']
  return studio as unknown as Studio
}

/** A method of Studio as the request that the table says. */
function method(route: Route, ask: Ask, base: string): (...args: never[]) => Promise<unknown> {
  return async (...given) => {
    const args: readonly unknown[] = given
    const signal = args.find((arg): arg is AbortSignal => arg instanceof AbortSignal)
    const { params = {}, query = {}, body } = route.send(...(args as Parameters<typeof route.send>))
    const path = route.path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(params[name])))
    const search = new URLSearchParams(
      Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
    )
    const isFrame = route.as === 'frame'
    const response = await ask(search.size ? `${path}?${search}` : path, {
      method: route.method,
      signal,
      ...(isFrame && { accept: FRAME }),
      ...(body === undefined
        ? {}
        : isFrame
          ? { body: packFrame(body), type: FRAME }
          : { body: JSON.stringify(body), type: 'application/json' }),
    })
    return answerOf(route, response, base)
  }
}

async function answerOf(route: Route, response: Response, base: string): Promise<unknown> {
  if (route.answer === undefined) return undefined
  if (route.as === 'png') return response.blob()
  if (route.as !== 'frame') {
    const answer: unknown = await response.json()
    return route.name === 'address' || route.name === 'archive' || route.name === 'project' ? base + answer : answer
  }
  const answer = unpackFrame(new Uint8Array(await response.arrayBuffer()))
  return route.name === 'previewDataset' ? withBlobs(answer as { examples: Examples }) : answer
}

type Examples = readonly { name: string; before: Uint8Array<ArrayBuffer>; after: Uint8Array<ArrayBuffer> }[]

function withBlobs<T extends { examples: Examples }>(preview: T) {
  const png = (bytes: Uint8Array<ArrayBuffer>) => new Blob([bytes], { type: 'image/png' })
  const examples = preview.examples.map(({ name, before, after }) => ({ name, before: png(before), after: png(after) }))
  return { ...preview, examples }
}

/** Why a server did not do it. */
async function errorOf(response: Response): Promise<StudioError> {
  const text = await response.text().catch(() => '')
  const status = response.status as StudioError['status']
  try {
    const { message, faults } = JSON.parse(text) as { message: string; faults?: RequestFault[] }
    return new StudioError(message, status, faults)
  } catch {
    return new StudioError(text || `the server answered ${response.status} ${response.statusText}`, status)
  }
}
