/** Code that came from elsewhere, in Chromium: it runs once a person agreed, and then nothing of this site is in its reach. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { temporaryFolder } from '../built.js'
import { chromiumPath, type Host, host, ISOLATED, withProfile } from '../chromium.js'
import { NET, smallModel, writeDigits } from '../node/rig.js'
import { call, ready, siteFiles, workers } from './rig.js'

/** A layer that halves, and in its fifth pass says what it can reach. */
const CURIOUS = `import { Layer, type Blob } from 'ristretto'
const found: string[] = []
const attempt = (name: string, call: () => unknown) => {
  Promise.resolve().then(call).then(() => found.push(name + ' OPEN'), error => found.push(name + ' ' + error.name))
}
attempt('fetch', () => fetch('SITE'))
attempt('fetch elsewhere', () => fetch('http://127.0.0.1:9/'))
attempt('files', () => navigator.storage.getDirectory())
attempt('database', () => new Promise((resolve, reject) => {
  const request = indexedDB.open('x')
  request.onsuccess = resolve
  request.onerror = () => reject(request.error)
}))
attempt('import', () => import('SITE' + 'main.js'))
attempt('socket', () => new Promise((resolve, reject) => {
  const socket = new WebSocket('SITE'.replace('http', 'ws'))
  socket.onopen = resolve
  socket.onerror = () => reject(new DOMException('', 'NetworkError'))
}))
let passes = 0
export class HalfLayer extends Layer {
  override readonly bottomCount = { exactly: 1 }
  override readonly topCount = { exactly: 1 }
  override reshape(bottom: Blob[], top: Blob[]): void { top[0].reshape(bottom[0].shape) }
  override forward(bottom: Blob[], top: Blob[]): void {
    top[0].dataArray.set(bottom[0].dataArray.map(x => x / 2))
    if (TELLS && ++passes === 40) throw new Error('reached: ' + self.origin + '; ' + found.sort().join(', '))
  }
  override backward(top: Blob[], down: boolean[], bottom: Blob[]): void {
    if (down[0]) bottom[0].diffArray.set(top[0].diffArray.map(x => x / 2))
  }
}
`
const WITH_HALF = NET.replace(
  'layer { name: "ip" type: "InnerProduct" bottom: "conv"',
  'layer { name: "half" type: "HalfLayer" bottom: "conv" top: "half" }\nlayer { name: "ip" type: "InnerProduct" bottom: "half"',
)

describe.skipIf(chromiumPath === undefined)('code from elsewhere', () => {
  let site: Host
  let plain: Host

  beforeAll(async () => {
    const files = await siteFiles()
    site = await host(files, ISOLATED)
    plain = await host(files)
  })
  afterAll(async () => {
    await site?.close()
    await plain?.close()
  })

  const opened = async (url: string): Promise<{ context: BrowserContext; page: Page }> => {
    const context = await withProfile()
    const page = await ready(await context.newPage(), url)
    expect(await call(page, 'open')).toBe('open')
    return { context, page }
  }

  /** A project with two models that have code, stopped before they did anything; and one that ran to its end. */
  async function project(): Promise<{ zip: number[]; weights: number[] }> {
    const { context, page } = await opened(site.url)
    const folder = await temporaryFolder()
    await writeDigits(folder)
    const names = ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte']
    const files = await Promise.all(
      names.map(async path => ({ path, bytes: [...(await readFile(join(folder, path)))] })),
    )
    const { upload } = await call(page, 'upload', files)
    const [dataset] = await call(page, 'create', 'dataset', {
      name: 'digits',
      source: { from: 'idx', place: { upload } },
    })
    await call(page, 'reached', dataset.id, ['done'])
    const curious = (tells: boolean, url = site.url) => CURIOUS.replaceAll('SITE', url).replace('TELLS', String(tells))
    const model = (name: string, code: string) =>
      smallModel(dataset.id, { name, net: WITH_HALF, epochs: 2, layers: { 'half.ts': code } })
    const [whole] = await call(page, 'create', 'model', model('whole', curious(false)))
    await call(page, 'reached', whole.id, ['done'])
    const weights = await call(page, 'file', whole.id, 'snapshots/model_iter_38.caffemodel')
    await call(page, 'ask', 'pause', true)
    await call(page, 'create', 'model', model('good', curious(false)))
    await call(page, 'create', 'model', model('curious', curious(true)))
    const zip = await call(page, 'zip')
    await context.close()
    return { zip, weights }
  }

  test('waits for consent, reaches nothing, trains to the same weights, and is looked at in the same place', async () => {
    const { zip, weights } = await project()
    const { context, page } = await opened(site.url)
    await call(page, 'plant')
    const jobs = await call(page, 'importZip', zip)
    const named = (name: string) => jobs.find(job => job.name === name)!
    const [good, curious, whole] = ['good', 'curious', 'whole'].map(named)
    expect(good.untrusted).toMatchObject([{ file: 'half.ts' }])
    expect(await call(page, 'refusal', 'resume', good.id)).toMatchObject({ status: 403 })
    const picture = { dataset: whole.parents.dataset, set: 'val', item: 0 }
    expect(await call(page, 'refusal', 'testOne', whole.id, { picture })).toMatchObject({ status: 403 })
    const hashes = [good, curious].flatMap(job => job.untrusted!.map(({ sha256 }) => sha256))
    await call(page, 'ask', 'trust', hashes)

    await call(page, 'ask', 'resume', good.id)
    await call(page, 'reached', good.id, ['running', 'done'])
    await call(page, 'reached', good.id, ['done'])
    expect(await call(page, 'file', good.id, 'snapshots/model_iter_38.caffemodel')).toEqual(weights)
    // the last event is seen before the frame is gone
    await page.waitForFunction(() => !document.querySelector('iframe'))

    const asked = site.asked.length
    await call(page, 'ask', 'resume', curious.id)
    const failed = await call(page, 'ended', curious.id)
    expect(failed.error).toMatch(
      /reached: null; database SecurityError, fetch TypeError, fetch elsewhere TypeError, files (TypeError|SecurityError), import RistrettoError, socket (NetworkError|SecurityError)$/,
    )
    // the program's parts and its frame, and nothing else
    const { files } = await workers()
    expect(site.asked.slice(asked).filter(name => !files.has(name) && name !== 'favicon.ico')).toEqual([])

    const said = await call(page, 'ask', 'testOne', good.id, { picture })
    expect(said).toMatchObject({ classes: expect.arrayContaining([expect.objectContaining({ label: 0 })]) })
    expect(await page.locator('iframe[sandbox="allow-scripts"]').count()).toBe(1)
    await context.close()
  })

  test('runs where a page has one thread, too', async () => {
    const { zip } = await project()
    const { context, page } = await opened(plain.url)
    const jobs = await call(page, 'importZip', zip)
    const good = jobs.find(job => job.name === 'good')!
    await call(
      page,
      'ask',
      'trust',
      good.untrusted!.map(({ sha256 }) => sha256),
    )
    await call(page, 'ask', 'resume', good.id)
    await call(page, 'ended', good.id)
    expect((await call(page, 'reached', good.id, ['done'])).iter).toBe(38)
    await context.close()
  })
})
