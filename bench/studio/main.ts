/**
 * How fast Studio is, in Chromium on this machine: npx tsx bench/studio/main.ts. Time to the first paint and to the first point of a
 * training, an update of a chart with 100,000 points, and a picture through a net with the pictures of all its layers.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Browser } from 'playwright-core'
import type * as StudioModule from '../../lib/studio/index.js'
import { makeDataset } from '../../lib/tools/make_dataset.js'
import { serverEntry, writePage } from '../../scripts/studio_page/build.js'
import { builtStudio } from '../../test/studio/built.js'
import { host, launch, watched } from '../../test/studio/chromium.js'
import { median } from '../protocol.js'

const POINTS = 100_000
const TURNS = 20

const say = (what: string, values: readonly number[]): void =>
  console.log(
    `${what.padEnd(60)} median ${median([...values]).toFixed(1)} ms, most ${Math.max(...values).toFixed(1)} (load ${loadavg()[0].toFixed(1)})`,
  )

/** Milliseconds that something takes, `times` times. */
async function timed(times: number, work: () => Promise<unknown>): Promise<number[]> {
  const found: number[] = []
  for (let turn = 0; turn < times; turn++) {
    const begun = performance.now()
    await work()
    found.push(performance.now() - begun)
  }
  return found
}

async function chart(browser: Browser): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('page.tsx', import.meta.url))],
    bundle: true,
    format: 'esm',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
    write: false,
  })
  const text = new TextEncoder()
  const site = await host(
    new Map([
      [
        'index.html',
        text.encode(
          '<!doctype html><link rel="icon" href="data:,"><body><script type="module" src="main.js"></script>',
        ),
      ],
      ['main.js', outputFiles[0].contents],
    ]),
  )
  const { page, context } = await watched(browser, site.url)
  await page.goto(site.url)
  await page.waitForFunction(() => 'updates' in globalThis)
  const found = await page.evaluate(
    ([points, turns]) =>
      (globalThis as unknown as { updates(a: number, b: number): Promise<number[]> }).updates(points, turns),
    [POINTS, TURNS] as const,
  )
  say(`${POINTS.toLocaleString('en')} points × 2 curves, one more point, drawn`, found)
  await context.close()
  await site.close()
}

async function paint(browser: Browser, url: string, address: string): Promise<void> {
  const found: number[] = []
  for (let turn = 0; turn < 7; turn++) {
    const { page, context } = await watched(browser, url)
    await page.goto(address)
    await page.locator('h1').first().waitFor()
    found.push(
      await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN),
    )
    await context.close()
  }
  say('first contentful paint of the page', found)
}

/** Pictures of noise in two classes, as a folder of a dataset. */
async function noise(folder: string, shape: [number, number, number, number]): Promise<void> {
  const [count] = shape
  const data = Uint8Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => (i * 2654435761) >>> 24)
  await makeDataset(
    { data, shape, labels: Array.from({ length: count }, (_, i) => i % 10) },
    { output: folder, val: 0.25, threads: 1 },
  )
}

type Server = StudioModule.StudioServer

const reached = async (server: Server, id: string): Promise<void> => {
  for (;;) {
    const { state, error } = await server.studio.job(id)
    if (state === 'done') return
    if (state === 'failed') throw new Error(error)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

/** A model of a standard net on noise, trained for some iterations; how long its first point took. */
async function model(
  server: Server,
  folder: string,
  net: string,
  shape: [number, number, number, number],
  batch: number,
) {
  const { studio } = server
  await noise(join(folder, net), shape)
  const [dataset] = await studio.create('dataset', {
    name: net,
    source: {
      from: 'lmdb',
      place: { path: join(folder, net) },
      train: 'train_db',
      val: 'val_db',
      labels: 'labels.txt',
    },
  })
  await reached(server, dataset.id)
  const { net: text, form } = await studio.standardNet(net, dataset.id)
  const first = new Promise<number>(resolve => {
    const stop = new AbortController()
    studio.listen(
      event => {
        if (event.kind !== 'event' || event.event.kind !== 'train') return
        stop.abort()
        resolve(performance.now())
      },
      { signal: stop.signal },
    )
  })
  const begun = performance.now()
  const [made] = await studio.create('model', {
    ...(form as StudioModule.Forms['model']),
    ...{ name: net, dataset: dataset.id, net: text, epochs: 1, batch },
  })
  const took = (await first) - begun
  await reached(server, made.id)
  return { dataset: dataset.id, model: made.id, took }
}

const folder = await mkdtemp(join(tmpdir(), 'ristretto-bench-'))
const built = await builtStudio()
await writePage(serverEntry, fileURLToPath(new URL('../../studio/page', built)))
const { startStudio } = (await import(new URL('index.js', built).href)) as typeof StudioModule
const server = await startStudio({ root: join(folder, 'project'), port: 0, data: [folder] })
const browser = await launch()
try {
  await paint(browser, server.url, server.address)
  await chart(browser)
  for (const [net, shape, batch] of [
    ['lenet', [400, 1, 28, 28], 64],
    ['alexnet', [20, 3, 227, 227], 5],
  ] as const) {
    const { dataset, model: id, took } = await model(server, folder, net, [...shape], batch)
    say(`${net}: from create to the first point of the training`, [took])
    const picture = { dataset, set: 'val', item: 0 } as const
    const ask = (weights: boolean) => () => server.studio.testOne(id, { picture, details: true, weights })
    await ask(true)()
    say(`${net}: a picture through it, activations, round trip`, await timed(TURNS, ask(false)))
    say(`${net}: the same with weights`, await timed(TURNS, ask(true)))
  }
} finally {
  await browser.close()
  await server.close()
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
}
