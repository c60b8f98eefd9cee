/**
 * Answers POST /classify with the classes of a picture, and serves the files of a folder beside it:
 *
 *   npx tsx service.ts model.zip [folder]
 */
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { Net, RistrettoError } from 'ristretto'

const [model = 'model.zip', folder = '.'] = process.argv.slice(2)
const net = await Net.load(await readFile(model), {
  optimize: 'inference',
  files: false, // nothing is read, from disk or from URLs, but the bytes that are given
  outputs: false, // and nothing is written
  maxMemory: 256 * 2 ** 20, // bytes of values and of what kernels work with
  maxWork: 2e9, // multiply-adds of a pass
})
/** The files that are handed out. */
const types: Record<string, string> = {
  '/index.html': 'text/html',
  '/page.js': 'text/javascript',
  '/model.zip': 'application/zip',
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > 5e6) throw new RistrettoError('a picture of more than five million bytes')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const server = createServer(async (request, response) => {
  try {
    const path = request.url === '/' ? '/index.html' : (request.url ?? '')
    if (request.method === 'POST' && path === '/classify') {
      const [probabilities] = await net.predict([await bodyOf(request)], { signal: AbortSignal.timeout(5000) })
      const classes = [...probabilities].map((probability, i) => ({ label: net.labels?.[i] ?? String(i), probability }))
      response.setHeader('Content-Type', 'application/json')
      response.end(JSON.stringify(classes.sort((a, b) => b.probability - a.probability)))
    } else if (request.method === 'GET' && Object.hasOwn(types, path)) {
      response.setHeader('Content-Type', types[path])
      response.end(await readFile(path === '/model.zip' ? model : join(folder, path)))
    } else {
      response.statusCode = 404
      response.end('there is POST /classify\n')
    }
  } catch (error) {
    console.error(error) // what was wrong is for the log, and for the sender only that it was
    response.statusCode = error instanceof RistrettoError ? 400 : (error as Error).name === 'TimeoutError' ? 503 : 500
    response.end('this is no picture, or it cannot be served now\n')
  }
})
server.listen(Number(process.env.PORT ?? 8080), () => {
  const address = server.address()
  console.log(`POST a picture to http://localhost:${typeof address === 'object' && address?.port}/classify`)
})
process.once('SIGTERM', () => server.close())
