import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { extname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Metafile } from 'esbuild'
import { type Browser, chromium, type Page } from 'playwright-core'
import { build, createLogger, createServer as createViteServer, preview } from 'vite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { block, root } from '../docs/embedding_blocks.js'
import { consumer } from './helpers.js'

/** The page of docs/embedding.md, in a folder beside the installed package: what a user's project holds. */
const app = join(consumer, 'browser')
const executablePath = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find(path => path && existsSync(path))
const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }
const isolated = [true, false]

/** For a page without a worker: everything happens on its main thread. */
const inline = `
  import { createSolver, Net, parseNet, registerLayer } from 'ristretto'
  Object.assign(window, { ristretto: { createSolver, Net, parseNet, registerLayer } })`

beforeAll(() => {
  mkdirSync(join(app, 'public'), { recursive: true })
  mkdirSync(join(app, 'node_modules'))
  symlinkSync(join(root, 'node_modules/vite'), join(app, 'node_modules/vite'))
  for (const file of ['index.html', 'page.ts', 'model_worker.ts', 'vite.config.ts'])
    writeFileSync(join(app, file), block(file))
  writeFileSync(join(app, 'package.json'), '{ "private": true, "type": "module" }')
  writeFileSync(join(app, 'inline.ts'), inline)
  copyFileSync(join(root, 'docs/examples/mnist/lenet.prototxt'), join(app, 'public/lenet.prototxt'))
  copyFileSync(join(root, 'test/golden/nets/lenet/lenet.caffemodel'), join(app, 'public/lenet.caffemodel'))
})

const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' }

/** Serve a folder. */
async function serve(folder: string, headers: Record<string, string>): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    const path = join(folder, request.url === '/' ? 'index.html' : request.url!)
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    if (!existsSync(path)) {
      response.writeHead(404).end()
      return
    }
    response.setHeader('Content-Type', types[extname(path)] ?? 'application/octet-stream')
    response.end(readFileSync(path))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://localhost:${(server.address() as { port: number }).port}`, server }
}

const close = (server: Server) =>
  new Promise(resolve => {
    server.close(resolve)
    // Chromium opens connections ahead of its questions, and close waits for them
    server.closeAllConnections()
  })

/** What the page says in the end. */
interface Report {
  engine: string
  digit: number
  iter: number
  loss: number
}

describe.skipIf(!executablePath)(`in a browser${executablePath ? '' : ' (skipped: Chromium is not installed)'}`, () => {
  let browser: Browser
  let page: Page
  let complaints: string[]
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ['--headless', '--no-sandbox', '--disable-gpu'] })
  })
  afterAll(() => browser?.close())
  beforeEach(async () => {
    page = await (await browser.newContext()).newPage()
    complaints = []
    page.on('pageerror', error => complaints.push(String(error)))
    page.on('requestfailed', request => complaints.push(`${request.url()}: ${request.failure()?.errorText}`))
    page.on('console', message => {
      // browsers ask for an icon by themselves
      if (['error', 'warning'].includes(message.type()) && !message.location().url.endsWith('/favicon.ico'))
        complaints.push(message.text())
    })
  })
  afterEach(() => page.context().close())

  /** Run the page of the docs to its end. */
  async function outcome(url: string): Promise<Report> {
    await page.goto(url)
    try {
      await page.waitForFunction(
        () => document.querySelector('#progress')!.textContent!.includes('"done":true'),
        undefined,
        {
          timeout: 60_000,
        },
      )
    } catch (error) {
      throw new Error(`${await page.textContent('#progress')}; ${complaints.join('; ')}`, { cause: error })
    }
    return JSON.parse((await page.textContent('#progress'))!)
  }

  /** The page's report, on as many threads as its headers allow. */
  function expectReport({ engine, digit, iter, loss }: Report, threads: boolean): void {
    if (threads) expect(engine).toMatch(/^wasm: (no )?fma, ([2-9]|\d\d) threads$/)
    else expect(engine).toMatch(/^wasm: (no )?fma, 1 thread \(the page is not cross-origin isolated\)$/)
    expect({ digit, iter, complaints }).toEqual({ digit: 1, iter: 200, complaints: [] })
    expect(loss).toBeGreaterThan(0)
    expect(loss).toBeLessThan(0.05)
  }

  describe('Vite', () => {
    const warnings: string[] = []
    const customLogger = createLogger('warn')
    customLogger.warn = customLogger.warnOnce = customLogger.error = message => warnings.push(message)
    const configFile = join(app, 'vite.config.ts')

    it('builds the page as it stands, without a warning', async () => {
      await build({ root: app, configFile, customLogger })
      // a busy machine takes long; of modules and chunks nothing may be said
      expect(warnings.filter(warning => !/PLUGIN_TIMINGS/.test(warning))).toEqual([])
      const files = readdirSync(join(app, 'dist/assets'))
      expect(files.some(name => name.startsWith('model_worker'))).toBe(true)
      // a thread of Node, as text that nothing loads in a browser
      for (const name of files.filter(name => !name.startsWith('prefetch_worker')))
        expect(
          /__vite-browser-external|\b(import|from)\(?["'`]node:/.test(
            readFileSync(join(app, 'dist/assets', name), 'utf8'),
          ),
          name,
        ).toBe(false)
    })

    it.each(isolated)('the built page classifies and trains (isolated: %s)', async threads => {
      const server = await preview({
        root: app,
        configFile: threads ? configFile : false,
        preview: { port: 0 },
        customLogger,
      })
      expectReport(await outcome(server.resolvedUrls!.local[0]), threads)
      await server.close()
    })

    it('so does the page on the development server', async () => {
      warnings.length = 0
      const server = await createViteServer({ root: app, configFile, customLogger, server: { port: 0, hmr: false } })
      await server.listen()
      expectReport(await outcome(server.resolvedUrls!.local[0]), true)
      await server.close()
      expect(warnings).toEqual([])
    })
  })

  describe('esbuild', () => {
    const out = join(app, 'public')
    /** Optional packages, which this project does not have. */
    const optional = ['h5wasm', 'ndarray-pixels', 'webgpu']

    it('bundles the page with the command of the docs, without a warning and without modules of Node', () => {
      const command = /^esbuild (page\.ts.*)$/m.exec(readFileSync(join(root, 'docs/embedding.md'), 'utf8'))![1]
      // vitest shows its own packages to every program it starts
      const { NODE_PATH: _, ...env } = process.env
      const esbuild = (args: string) => {
        const options = ['--metafile=meta.json', '--log-level=warning']
        const { stderr } = spawnSync(join(root, 'node_modules/.bin/esbuild'), [...args.split(' '), ...options], {
          cwd: app,
          env,
          encoding: 'utf8',
        })
        expect(stderr).toBe('')
        return JSON.parse(readFileSync(join(app, 'meta.json'), 'utf8')) as Metafile
      }
      for (const { outputs } of [
        esbuild(`inline.ts ${command}`),
        esbuild('inline.ts --bundle --minify --outfile=public/whole.js'),
      ])
        for (const { path } of Object.values(outputs).flatMap(({ imports }) =>
          imports.filter(({ external }) => external),
        ))
          expect(optional).toContain(path)
      writeFileSync(join(out, 'index.html'), block('index.html').replace('page.ts', 'page.js'))
      for (const name of ['inline', 'whole'])
        writeFileSync(
          join(out, `${name}.html`),
          `<!doctype html><title>${name}</title><script type="module" src="/${name}.js"></script>`,
        )
    })

    it('what a page loads is as small as the docs say', () => {
      const seen = new Set<string>()
      const follow = (name: string): void => {
        if (seen.has(name)) return
        seen.add(name)
        const text = readFileSync(join(out, name), 'utf8')
        // of what is loaded on demand the kernels are always there, in one of two builds, and with threads their program
        const imports = [
          ...text.matchAll(/(?:from|import)"\.\/([\w-]+\.js)"|import\("\.\/(wasm_(?:fma|worker)[\w-]*\.js)"\)/g),
        ].map(match => match[1] ?? match[2])
        imports.forEach(follow)
      }
      follow('inline.js')
      const files = [...seen].map(name => readFileSync(join(out, name)))
      expect(files.length).toBeGreaterThan(2)
      const kilobytes = (sizes: number[]) => sizes.reduce((sum, size) => sum + size, 0) / 1000
      const figures = /What a page loads, minified: less than (\d+) kB \((\d+) kB compressed\)/.exec(
        readFileSync(join(root, 'docs/embedding.md'), 'utf8'),
      )!
      const [plain, compressed] = figures.slice(1).map(Number)
      expect(kilobytes(files.map(file => file.length))).toBeLessThan(plain)
      expect(kilobytes(files.map(file => gzipSync(file).length))).toBeLessThan(compressed)
    })

    it.each(isolated)('the bundled page classifies and trains (isolated: %s)', async threads => {
      const { url, server } = await serve(out, threads ? isolation : {})
      expectReport(await outcome(url), threads)
      await close(server)
    })

    const policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src blob:"
    it.each([
      ['inline', 'with threads', isolation, /threads$/],
      ['inline', 'on one thread', {}, /1 thread \(the page is not/],
      [
        'inline',
        'with threads, under a strict policy',
        { ...isolation, 'Content-Security-Policy': policy },
        /threads$/,
      ],
      ['whole', 'with threads', isolation, /threads$/],
    ] as const)('%s.html works without a worker of its own, %s', async (name, _, headers, detail) => {
      const { url, server } = await serve(out, headers)
      await page.goto(`${url}/${name}.html`)
      await page.waitForFunction(() => 'ristretto' in window)
      const report = await page.evaluate(async () => {
        const { createSolver, Net, parseNet } = (
          window as unknown as { ristretto: typeof import('../../lib/index.js') }
        ).ristretto
        const net = parseNet(`
          layer { name: "data" type: "Input" top: "data" top: "label" input_param { shape { dim: 16 dim: 1 dim: 12 dim: 12 } shape { dim: 16 } } }
          layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
                  convolution_param { num_output: 8 kernel_size: 3 weight_filler { type: "xavier" } } }
          layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip" inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
          layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }`)
        const losses: Record<string, number[]> = {}
        let detail = ''
        for (const engine of ['wasm', 'js']) {
          const solver = await createSolver(
            { net_param: net, base_lr: 0.01, lr_policy: 'fixed', momentum: 0.9, max_iter: 30, random_seed: 3 },
            { engine },
          )
          if (engine === 'wasm') detail = solver.engine.detail
          const n = 16 * 144
          solver.net.feed(
            'data',
            Float32Array.from({ length: n }, (_, i) => Math.sin(i * (i < n / 2 ? 0.7 : 1.9))),
          )
          solver.net.feed(
            'label',
            Float32Array.from({ length: 16 }, (_, i) => Number(i >= 8)),
          )
          losses[engine] = []
          for (let i = 0; i < 30; i++) {
            await solver.step(1)
            losses[engine].push(await solver.loss())
          }
          const { model } = await solver.snapshot()
          const copy = await Net.create(net, { phase: 'TEST', weights: model as Uint8Array, engine })
          copy.blobs['data'].dataArray.set(solver.net.blobs['data'].dataArray)
          copy.blobs['label'].dataArray.set(solver.net.blobs['label'].dataArray)
          losses[engine].push((await copy.forward()).loss.data[0])
        }
        return { detail, losses }
      })
      await close(server)
      expect(complaints).toEqual([])
      expect(report.detail).toMatch(detail)
      const { wasm, js } = report.losses
      expect(wasm).toHaveLength(31)
      expect(wasm[30]).toBeLessThan(0.9 * wasm[0])
      wasm.forEach((loss, i) => expect(loss).toBeCloseTo(js[i], 4))
    })
  })
})
