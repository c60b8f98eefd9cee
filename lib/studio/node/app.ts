import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { RistrettoError } from '../../errors.js'
import { FRAME, packFrame, unpackFrame, withBase64 } from '../api/frame.js'
import { StudioError } from '../api/index.js'
import { openApi } from '../api/openapi.js'
import { type Asked, type Platform, type Route, routes } from '../api/routes.js'
import { afterQuery, checked, jobId, newUpload, partParams, uploadId } from '../api/schemas.js'
import type { Desk } from '../core/desk.js'
import type { Store } from '../core/store.js'
import { EventStreams } from './event_stream.js'
import type { PageFiles } from './page_files.js'
import { type Guard, guardOrigin, guardToken } from './security.js'
import type { Tickets } from './tickets.js'
import { PART, type Uploads } from './uploads.js'

export interface AppOptions extends Guard {
  readonly desk: Desk
  readonly platform: Platform
  readonly store: Store
  readonly tickets: Tickets
  readonly uploads: Uploads
  readonly page: PageFiles
  readonly version: string
}

const JSON_LIMIT = 2 ** 20

/** All that the server answers; needs no port. */
export function createApp(options: AppOptions): { app: Hono; close: () => void } {
  const { desk, page, tickets, store, uploads, version } = options
  const app = new Hono()
  const streams = new EventStreams(
    (listener, more) => desk.project.listen(listener, more),
    () => desk.project.newestEvent,
  )
  app.use(guardOrigin(options))
  app.use('/api/*', guardToken(options))
  app.onError((error, context) => failed(context, error))
  app.notFound(context => context.json({ message: `there is nothing at ${context.req.path}` }, 404))

  for (const route of routes) {
    const limit = route.limit ?? JSON_LIMIT
    app.on(route.method, route.path, tooLarge(limit), context => answer(route, context, options))
  }
  app.get('/api/openapi.json', context => context.json(openApi(version)))
  app.get('/api/events', context => {
    const { after } = checked(afterQuery, context.req.query(), 'the address')
    return new Response(streams.stream(after), {
      headers: { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' },
    })
  })
  app.post('/api/uploads', tooLarge(64 * JSON_LIMIT), async context => {
    const { files } = checked(newUpload, await json(context), 'the upload')
    return context.json(await uploads.begin(files), 201)
  })
  app.get('/api/uploads/:upload', async context => {
    const upload = checked(uploadId, context.req.param('upload'), 'the address')
    return context.json(await uploads.state(upload))
  })
  app.put('/api/uploads/:upload/parts/:part', tooLarge(PART), async context => {
    const { upload, part } = checked(partParams, context.req.param(), 'the address')
    return context.json(await uploads.put(upload, part, new Uint8Array(await context.req.arrayBuffer())))
  })
  app.get('/download/:ticket', async context => {
    const ticket = tickets.take(context.req.param('ticket'))
    if (!ticket) return context.json({ message: 'this address was used already, or is too old' }, 404)
    return download(store, ticket.path, ticket.name)
  })
  app.get('*', async context => {
    const file = await page.find(context.req.path)
    if (!file) return context.json({ message: page.reason(context.req.path) }, page.isThere ? 404 : 503)
    return new Response(file.bytes, { headers: { 'content-type': file.type, 'cache-control': file.cache } })
  })
  return { app, close: () => streams.close() }
}

const tooLarge = (maxSize: number) =>
  bodyLimit({
    maxSize,
    onError: context =>
      context.json({ message: `the body is larger than ${maxSize} bytes` }, 413, { connection: 'close' }),
  })

async function answer(route: Route, context: Context, { desk, platform }: AppOptions): Promise<Response> {
  const { req } = context
  const params = req.param() as Record<string, string>
  if (params['id'] !== undefined) checked(jobId, params['id'], 'the address')
  const query = route.query ? checked(route.query, req.query(), 'the address') : noQuery(req.query())
  const body = route.body ? await bodyOf(route, context) : undefined
  const asked: Asked = { params, query, body, signal: req.raw.signal }
  const result = await route.call(desk, platform, asked)
  if (route.answer === undefined) return context.body(null, 204)
  if (route.as === 'png')
    return new Response(result as Uint8Array<ArrayBuffer>, { headers: { 'content-type': 'image/png' } })
  const status = route.name === 'create' ? 201 : 200
  if (route.as === 'frame' && (req.header('accept') ?? '').includes(FRAME))
    return new Response(packFrame(result), { status, headers: { 'content-type': FRAME } })
  return new Response(route.as === 'frame' ? withBase64(result) : JSON.stringify(result), {
    status,
    headers: { 'content-type': 'application/json' },
  })
}

function noQuery(given: Record<string, string>): object {
  const [name] = Object.keys(given)
  if (name !== undefined) throw new StudioError(`the address has a '${name}' that means nothing here`, 422)
  return {}
}

async function bodyOf(route: Route, context: Context): Promise<unknown> {
  const type = (context.req.header('content-type') ?? '').split(';')[0].trim()
  if (type === FRAME && route.as === 'frame') {
    let value: unknown
    try {
      value = unpackFrame(new Uint8Array(await context.req.arrayBuffer()))
    } catch (error) {
      throw new StudioError(`the body is no frame: ${(error as Error).message}`, 400)
    }
    return checked(route.body!, value, 'the body')
  }
  if (route.name === 'testOne' && type !== 'application/json') {
    const file = new Uint8Array(await context.req.arrayBuffer())
    if (!file.length) throw new StudioError('the body is empty: it is the file of a picture', 422)
    return { picture: { file } }
  }
  return checked(route.body!, await json(context), 'the body')
}

async function json(context: Context): Promise<unknown> {
  const text = await context.req.text()
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new StudioError(`the body is no JSON: ${(error as Error).message}`, 400)
  }
}

/** A file of the project, always as something to be saved: nothing of a user's is shown as a page. */
async function download(store: Store, path: string, name: string): Promise<Response> {
  // refuses what a link leads to
  const size = await store.size(path)
  if (size === undefined) throw new StudioError('the file is gone', 404)
  const file = await open(store.location(path)!, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
  // of that size, whatever is added meanwhile
  const stream = Readable.toWeb(
    size ? file.createReadStream({ end: size - 1 }) : Readable.from([]),
  ) as ReadableStream<Uint8Array>
  if (!size) await file.close()
  const plain = name.replace(/[^\w.-]/g, '_')
  return new Response(stream, {
    headers: {
      'content-type': 'application/octet-stream',
      'content-length': String(size),
      'content-disposition': `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(name)}`,
      'cache-control': 'no-store',
    },
  })
}

function failed(context: Context, error: unknown): Response {
  if (error instanceof StudioError) return context.json({ message: error.message, faults: error.faults }, error.status)
  if (error instanceof RistrettoError) return context.json({ message: error.message, faults: [] }, 422)
  const message = error instanceof Error ? error.message : String(error)
  return context.json({ message: `something went wrong here: ${message}`, faults: [] }, 500)
}
