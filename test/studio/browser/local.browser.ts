/** Studio without a server, in Chromium: files, jobs, what becomes of them when a tab is closed, and code from elsewhere. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { DatasetResult } from '../../../lib/studio/api/index.js'
import { builtStudio, temporaryFolder } from '../built.js'
import { chromiumPath, type Host, host, ISOLATED, withProfile } from '../chromium.js'
import { storeContract } from '../core/store_contract.js'
import {
  eventsOf,
  makeDigits as makeDigitsInNode,
  NET,
  openProject,
  reached,
  smallModel,
  writeDigits,
} from '../node/rig.js'
import { call, ready, siteFiles } from './rig.js'

const NAMES = ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte']

describe.skipIf(chromiumPath === undefined)('in Chromium', () => {
  let isolated: Host
  let plain: Host
  let context: BrowserContext
  let page: Page

  beforeAll(async () => {
    const files = await siteFiles()
    isolated = await host(files, ISOLATED)
    plain = await host(files)
  })
  afterAll(async () => {
    await isolated?.close()
    await plain?.close()
  })
  beforeEach(async () => {
    context = await withProfile()
    page = await ready(await context.newPage(), isolated.url)
  })
  afterEach(() => context.close())

  async function digits(folder: string): Promise<{ path: string; bytes: number[] }[]> {
    await writeDigits(folder)
    return Promise.all(NAMES.map(async path => ({ path, bytes: [...(await readFile(join(folder, path)))] })))
  }
  async function makeDigits(folder: string): Promise<string> {
    const { upload } = await call(page, 'upload', await digits(folder))
    const form = { name: 'digits', source: { from: 'idx', place: { upload } } } as const
    const [{ id }] = await call(page, 'create', 'dataset', form)
    await call(page, 'reached', id, ['done'])
    return id
  }

  test.each(Object.keys(storeContract))('files: %s', async name => {
    expect(await call(page, 'contract', name)).toBe('passed')
  })

  test('a training whose tab is closed in the middle ends with the weights of one that was not, which has the losses of one in Node', async () => {
    const folder = await temporaryFolder()
    expect(await call(page, 'open')).toBe('open')
    const dataset = await makeDigits(folder)
    const made = await call(page, 'reached', dataset, ['done'])
    expect(made.result).toMatchObject({
      channels: 1,
      height: 8,
      sets: { train: { records: 187 }, val: { records: 63 } },
    })

    const [whole] = await call(page, 'create', 'model', smallModel(dataset, { name: 'whole' }))
    await call(page, 'reached', whole.id, ['done'])
    const weights = 'snapshots/model_iter_76.caffemodel'
    const undisturbed = await call(page, 'file', whole.id, weights)

    const [parted] = await call(page, 'create', 'model', smallModel(dataset, { name: 'parted', epochs: 4 }))
    await call(page, 'trained', parted.id, 30)
    await call(page, 'close')
    expect(await call(page, 'open')).toBe('open')
    const again = await call(page, 'reached', parted.id, ['done'])
    expect(again.iter).toBe(76)
    expect(await call(page, 'file', parted.id, weights)).toEqual(undisturbed)
    const events = (await call(page, 'ask', 'text', parted.id, 'events.jsonl')) as string
    const numbers = events
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as { seq: number })
    expect(numbers.map(({ seq }) => seq)).toEqual(numbers.map((_, i) => i + 1))

    // the same in Node, from the same files
    const node = await openProject(folder, await builtStudio())
    const other = await makeDigitsInNode(folder, node)
    const [model] = await node.create('model', smallModel(other, { name: 'node' }))
    await reached(node, model.id, 'done')
    const losses = (all: readonly { kind: string; iter?: number; loss?: number }[]) =>
      all.filter(({ kind }) => kind === 'train').map(({ iter, loss }) => [iter, loss])
    const own = (await call(page, 'ask', 'text', whole.id, 'events.jsonl')) as string
    const lines = own
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(losses(lines).length).toBeGreaterThan(3)
    expect(losses(lines)).toEqual(losses(await eventsOf(folder, model.id)))
    await node.close()
  })

  test('a folder of JPEGs becomes a dataset: colours, sizes and turns as in Node, what is none is left out', async () => {
    const jpeg = async (background: { r: number; g: number; b: number }, orientation?: number) => {
      const picture = sharp({ create: { width: 12, height: 8, channels: 3, background } })
      const turned = orientation === undefined ? picture : picture.withMetadata({ orientation })
      return [...(await turned.jpeg({ quality: 95 }).toBuffer())]
    }
    const red = { r: 240, g: 20, b: 0 }
    const files: { path: string; bytes: number[] }[] = [
      { path: 'top/blue/broken.jpg', bytes: (await jpeg(red)).slice(0, 60) },
      // upright it is 8 × 12
      { path: 'top/red/turned.jpg', bytes: await jpeg(red, 6) },
    ]
    for (let i = 0; i < 4; i++) files.push({ path: `top/red/${i}.jpg`, bytes: await jpeg(red) })
    for (let i = 0; i < 3; i++) files.push({ path: `top/blue/${i}.jpeg`, bytes: await jpeg({ r: 0, g: 20, b: 240 }) })
    expect(await call(page, 'open')).toBe('open')
    const { upload } = await call(page, 'upload', files)
    const source = { from: 'folder', place: { upload } } as const
    const [{ id }] = await call(page, 'create', 'dataset', { name: 'colours', source, val: 0, height: 8, width: 12 })
    const { result } = (await call(page, 'reached', id, ['done'])) as { result: DatasetResult }
    expect(result).toMatchObject({
      classes: ['blue', 'red'],
      channels: 3,
      sets: { train: { records: 8, histogram: [3, 5] } },
      leftOut: [{ file: expect.stringMatching(/broken\.jpg$/), reason: expect.stringMatching(/./) }],
    })
    // blue, green, red
    const [blue, green, other] = result.mean
    expect(Math.abs(blue - (3 * 240) / 8)).toBeLessThan(4)
    expect(Math.abs(green - 20)).toBeLessThan(4)
    expect(Math.abs(other - (5 * 240) / 8)).toBeLessThan(4)
  })

  test('everything else is answered as a server does: pictures, nets, tests, archives, what is wrong', async () => {
    const folder = await temporaryFolder()
    await call(page, 'open')
    expect(await call(page, 'info')).toMatchObject({ mode: 'browser', version: '1.2.3', threads: true, paths: false })
    expect((await call(page, 'info')).space!.free).toBeGreaterThan(0)
    const { told } = await call(page, 'upload', [{ path: 'a/b', bytes: [1, 2, 3] }])
    expect(told).toEqual([3])
    expect(await call(page, 'refusal', 'job', '20261129-0131-none')).toMatchObject({ status: 404 })
    expect(await call(page, 'refusal', 'create', 'model', { name: '' })).toMatchObject({ status: 422 })
    const dataset = await makeDigits(folder)
    expect(await call(page, 'ask', 'items', dataset, { set: 'val', label: 3, perPage: 2 })).toMatchObject({
      items: [{ label: 3 }, { label: 3 }],
    })
    expect(await call(page, 'png', dataset, 0)).toEqual([8, 8])
    const inspection = await call(page, 'ask', 'inspect', { net: NET, stage: 'val', dataset })
    expect(inspection).toMatchObject({ marks: [], totals: { params: 4 * 9 + 4 + 144 * 5 + 5 } })
    const [{ id }] = await call(page, 'create', 'model', smallModel(dataset, { epochs: 1 }))
    await call(page, 'reached', id, ['done'])
    const picture = { dataset, set: 'val', item: 0 }
    expect(await call(page, 'ask', 'testOne', id, { picture })).toMatchObject({
      classes: expect.arrayContaining([expect.objectContaining({ name: '3' })]),
    })
    const [{ id: evaluation }] = await call(page, 'create', 'evaluation', { model: id, on: { set: 'val' } })
    expect((await call(page, 'reached', evaluation, ['done'])).result).toMatchObject({ items: 63 })
    expect((await call(page, 'archive', id)).slice(0, 2)).toEqual([0x50, 0x4b])
    expect(await call(page, 'refusal', 'remove', dataset)).toMatchObject({ status: 409 })
  })

  test('without the isolation headers there is one thread, and everything works', async () => {
    page = await ready(await context.newPage(), plain.url)
    await call(page, 'open')
    expect(await call(page, 'info')).toMatchObject({ threads: false, cores: 1, isolated: false })
    const dataset = await makeDigits(await temporaryFolder())
    const { threads, ...form } = smallModel(dataset, { epochs: 1 })
    const [{ id }] = await call(page, 'create', 'model', form)
    expect(await call(page, 'reached', id, ['done'])).toMatchObject({ iter: 19 })
  })

  test('one tab has the project; another one may take it over, and its jobs go on there', async () => {
    await call(page, 'open')
    const dataset = await makeDigits(await temporaryFolder())
    const [{ id }] = await call(page, 'create', 'model', smallModel(dataset, { epochs: 200 }))
    await call(page, 'trained', id, 30)
    const second = await ready(await context.newPage(), isolated.url)
    expect(await call(second, 'open')).toBe('in use')
    await call(second, 'takeOver')
    await page.waitForFunction(() => (globalThis as unknown as { tests: { isLost(): boolean } }).tests.isLost())
    expect(await call(page, 'refusal', 'info')).toBeTruthy()
    await call(second, 'trained', id, 60)
    const job = await call(second, 'reached', id, ['running'])
    expect(job.attempt).toBe(2)
    await call(second, 'ask', 'stop', id)
    await call(second, 'reached', id, ['stopped', 'done'])
  })
})
