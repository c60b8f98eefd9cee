/** The whole flow over HTTP, by the client that pages and programs use, against a server with its processes. */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import type { Job, Studio, StudioEvent } from '../../../lib/studio/api/index.js'
import { httpStudio } from '../../../lib/studio/http_studio.js'
import { startServer } from '../../../lib/studio/node/server.js'
import { builtStudio, temporaryFolder } from '../built.js'
import { smallModel, writeDigits } from './rig.js'

const built = await builtStudio()
const beside = {
  job: new URL('node/job_process.js', built),
  inspector: new URL('node/inspector_process.js', built),
  engines: new URL('node/engines_process.js', built),
  page: new URL('page/', built),
}

async function reached(studio: Studio, id: string, state: Job['state']): Promise<Job> {
  for (;;) {
    const job = await studio.job(id)
    if (job.state === state) return job
    if (job.state === 'failed') throw new Error(`the job failed: ${job.error}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

test('upload, dataset, net, training, events, one picture, evaluation, archive and back', async () => {
  const root = await temporaryFolder()
  const options = { root: join(root, 'project'), port: 0, data: [root], threads: 1 }
  const { studio, url, token, close } = await startServer(options, beside)
  try {
    await expect(startServer(options, beside)).rejects.toThrow(/another Studio serves/)
    expect(await studio.info()).toMatchObject({ mode: 'server', project: 'project', trainings: 1 })
    await expect(httpStudio({ url, token: 'wrong' }).jobs()).rejects.toMatchObject({ status: 401 })
    const events: StudioEvent[] = []
    const listening = new AbortController()
    studio.listen(event => events.push(event), { signal: listening.signal })

    await writeDigits(join(root, 'digits'))
    const names = ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte']
    const files = await Promise.all(
      names.map(async path => ({ path, file: new Blob([new Uint8Array(await readFile(join(root, 'digits', path)))]) })),
    )
    const upload = await studio.upload(files)
    const form = { name: 'digits', source: { from: 'idx', place: { upload } } } as const
    const preview = await studio.previewDataset(form)
    expect(preview).toMatchObject({ pictures: 250, classes: ['0', '1', '2', '3', '4'] })
    expect(preview.examples[0].after.type).toBe('image/png')
    const [{ id: dataset }] = await studio.create('dataset', form)
    await reached(studio, dataset, 'done')
    const page = await studio.items(dataset, { set: 'val', label: 3, perPage: 5 })
    expect(page.items.map(({ label }) => label)).toEqual([3, 3, 3, 3, 3])
    const picture = await studio.picture(dataset, 'val', page.items[0].item)
    expect(new Uint8Array(await picture.arrayBuffer()).subarray(1, 4)).toEqual(new TextEncoder().encode('PNG'))
    expect((await studio.meanPicture(dataset)).type).toBe('image/png')

    const net = smallModel('').net
    expect(
      (await studio.inspect({ net: net.replace('num_output', 'num_outptu'), stage: 'train', dataset })).marks,
    ).toMatchObject([{ severity: 'error', line: 4 }])
    expect((await studio.inspect({ net, stage: 'train', dataset })).graph?.nodes.map(({ layer }) => layer)).toContain(
      'conv',
    )
    const [{ id: model }] = await studio.create('model', smallModel(dataset, { epochs: 2 }))
    expect((await studio.previewSolver(smallModel(dataset))).maxIter).toBe(76)
    await reached(studio, model, 'done')
    expect(await studio.text(model, 'solver.prototxt')).toMatch(/max_iter: 38/)
    expect((await studio.metrics(model, { points: 10 })).series['loss'].iters.length).toBeLessThanOrEqual(10)

    const one = await studio.testOne(model, { picture: { dataset, set: 'val', item: 0 }, details: true })
    expect(one.classes).toHaveLength(5)
    const conv = one.rows!.find(({ layer, kind }) => layer === 'conv' && kind === 'activation')!
    expect(conv.picture!.pixels).toBeInstanceOf(Uint8Array)
    // any program: the file of a picture in, JSON out
    const classified = await fetch(`${url}/api/models/${model}/test-one?details=true`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'image/png' },
      body: picture,
    })
    const said = (await classified.json()) as { classes: { name: string }[]; rows: { picture?: { pixels: string } }[] }
    expect(classified.status).toBe(200)
    expect(said.classes).toHaveLength(5)
    expect(typeof said.rows[0].picture!.pixels).toBe('string')

    const [{ id: evaluation }] = await studio.create('evaluation', { model, on: { set: 'val' } })
    expect((await reached(studio, evaluation, 'done')).result).toMatchObject({ kind: 'evaluation', items: 63 })
    expect((await studio.evaluated(evaluation, { order: 'hardest', perPage: 3 })).items).toHaveLength(3)
    await expect(studio.remove(dataset)).rejects.toMatchObject({ status: 409 })

    const zip = await fetch(await studio.project([model]))
    expect(zip.headers.get('content-disposition')).toMatch(/^attachment/)
    const back = await studio.upload([{ path: 'project.zip', file: await zip.blob() }])
    expect(await studio.importProject(back)).toEqual([])
    expect((await fetch(await studio.archive(model))).status).toBe(200)
    expect((await fetch(await studio.address(model, 'net.prototxt'))).headers.get('content-type')).toBe(
      'application/octet-stream',
    )

    const trained = events.filter(event => event.kind === 'event' && event.job === model)
    expect(trained.map(event => event.kind === 'event' && event.event.seq)).toEqual(trained.map((_, i) => i + 1))
    expect(events.map(({ id }) => id)).toEqual(events.map((_, i) => events[0].id + i))
    listening.abort()
  } finally {
    await close()
  }
})

test('photographs: previewed, made to a dataset that keeps them as JPEG, trained on, tried, evaluated', {
  tags: 'ci',
}, async () => {
  const root = await temporaryFolder()
  // dark noise and light noise
  for (const [name, least] of [
    ['dark', 0],
    ['light', 128],
  ] as const)
    for (let k = 0; k < 8; k++) {
      const noise = Buffer.alloc(24 * 24 * 3).map((_, i) => least + ((i * 7919 + k * 31) % 128))
      await mkdir(join(root, 'photos', name), { recursive: true })
      await sharp(noise, { raw: { width: 24, height: 24, channels: 3 } })
        .jpeg()
        .toFile(join(root, 'photos', name, `${k}.jpg`))
    }
  const { studio, close } = await startServer(
    { root: join(root, 'project'), port: 0, data: [root], threads: 1 },
    beside,
  )
  try {
    const form = { name: 'photos', source: { from: 'folder', place: { path: join(root, 'photos') } } } as const
    const preview = await studio.previewDataset({ ...form, gray: true, height: 12, width: 12, encode: 'jpg' })
    expect(preview).toMatchObject({ pictures: 16, classes: ['dark', 'light'], skipped: [] })
    const [{ id: dataset }] = await studio.create('dataset', {
      ...form,
      gray: true,
      height: 12,
      width: 12,
      encode: 'jpg',
    })
    await reached(studio, dataset, 'done')
    expect((await studio.picture(dataset, 'val', 0)).type).toBe('image/png')
    const [{ id: model }] = await studio.create('model', smallModel(dataset, { epochs: 2, batch: 4 }))
    await reached(studio, model, 'done')
    const item = await studio.testOne(model, { picture: { dataset, set: 'val', item: 0 } })
    const file = new Uint8Array(await readFile(join(root, 'photos/light/0.jpg')))
    const one = await studio.testOne(model, { picture: { file } })
    expect([item.classes.length, one.classes.length]).toEqual([5, 5])
    const pictures = { path: join(root, 'photos') }
    for (const on of [{ set: 'val' }, { pictures }] as const) {
      const [{ id }] = await studio.create('evaluation', { model, on })
      await reached(studio, id, 'done')
    }
  } finally {
    await close()
  }
})
