/** Who is refused, and what nobody can reach: a sentence of the design each. */
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { folderOf, pathsOf } from '../../../lib/studio/core/job_files.js'
import { startServer } from '../../../lib/studio/node/server.js'
import { HOST, serverRig, TOKEN } from './server_rig.js'

const status = async (response: Promise<Response>) => (await response).status

describe('a request', () => {
  test('needs the token, whole; nothing else than the page is without it', async () => {
    const { ask } = await serverRig()
    expect(await status(ask('/api/jobs'))).toBe(200)
    for (const authorization of [
      undefined,
      'Bearer ',
      `Bearer ${TOKEN.slice(1)}`,
      `Bearer ${TOKEN}x`,
      TOKEN,
      `Basic ${TOKEN}`,
    ])
      for (const path of ['/api/jobs', '/api/info', '/api/events', '/api/openapi.json', '/api/nothing'])
        expect(await status(ask(path, { headers: { authorization } })), `${path} ${authorization}`).toBe(401)
    expect(await status(ask(`/api/jobs?token=${TOKEN}`, { headers: { authorization: undefined } }))).toBe(401)
    expect(await status(ask('/', { headers: { authorization: undefined } }))).toBe(200)
  })

  test('must call the server by its name: DNS that was bent leads nowhere', async () => {
    const { ask } = await serverRig()
    for (const host of ['evil.com', 'evil.com:5151', '127.0.0.1:80', '127.0.0.1', `${HOST}.evil.com`, ''])
      for (const path of ['/', '/api/jobs', '/download/x'])
        expect(await status(ask(path, { headers: { host } })), host).toBe(403)
    expect(await status(ask('/api/jobs', { headers: { host: 'LOCALHOST:5151' } }))).toBe(200)
  })

  test('must not come from the page of another site', async () => {
    const { ask } = await serverRig()
    for (const origin of [
      'http://evil.com',
      'null',
      `https://${HOST}`,
      'http://127.0.0.1:8080',
      `http://${HOST}.evil.com`,
    ])
      expect(await status(ask('/api/jobs', { headers: { origin } })), origin).toBe(403)
    expect(await status(ask('/api/jobs', { headers: { origin: `http://${HOST}` } }))).toBe(200)
    expect(await status(ask('/api/jobs', { headers: { 'sec-fetch-site': 'cross-site' } }))).toBe(403)
    expect(await status(ask('/', { headers: { 'sec-fetch-site': 'cross-site' } }))).toBe(403)
    for (const site of ['same-origin', 'same-site', 'none'])
      expect(await status(ask('/api/jobs', { headers: { 'sec-fetch-site': site } }))).toBe(200)
  })

  test('gets no CORS header and no cookie, and what keeps pages apart, whatever the answer', async () => {
    const { ask } = await serverRig()
    const answers = [
      ask('/'),
      ask('/api/jobs'),
      ask('/nothing'),
      ask('/api/jobs', { method: 'OPTIONS', headers: { origin: 'http://evil.com' } }),
      ask('/api/jobs', { headers: { host: 'evil.com' } }),
      ask('/api/jobs', { headers: { authorization: 'no' } }),
      ask('/api/jobs', { method: 'POST', body: '{' }),
    ]
    for (const answer of await Promise.all(answers)) {
      const names = [...answer.headers.keys()]
      expect(names.filter(name => name.startsWith('access-control') || name === 'set-cookie')).toEqual([])
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
      expect(answer.headers.get('cross-origin-opener-policy')).toBe('same-origin')
      expect(answer.headers.get('cross-origin-embedder-policy')).toBe('require-corp')
      expect(answer.headers.get('cross-origin-resource-policy')).toBe('same-origin')
      expect(answer.headers.get('content-security-policy')).toMatch(/default-src 'self'.*frame-ancestors 'none'/)
      expect(answer.headers.get('content-security-policy')).not.toMatch(/unsafe-inline|'unsafe-eval'|https?:/)
    }
  })
})

describe('paths', () => {
  test('ids and names lead out of nowhere', async () => {
    const { ask, dataset, store } = await serverRig()
    const id = await dataset()
    await store.write('secret.txt', 'secret')
    for (const path of [
      '/api/jobs/..%2f..%2fsecret.txt',
      '/api/jobs/../../secret.txt',
      '/api/jobs/20261129-0131-K7F3',
      '/api/jobs/x',
      '/..%2fproject%2fsecret.txt',
      '/%2e%2e/project/secret.txt',
      '/main-ABCDEFGH.js/..%2findex.html',
    ])
      expect([404, 422], path).toContain(await status(ask(path)))
    for (const path of ['../../secret.txt', '/etc/passwd', 'x/../job.json', './job.json', 'job.json\0', 'JOB.JSON', ''])
      expect([404, 422], path).toContain(await status(ask(`/api/jobs/${id}/text?path=${encodeURIComponent(path)}`)))
    expect(await status(ask(`/api/jobs/${id}/text?path=job.json`))).toBe(200)
  })

  test('symbolic links in the project are not followed', async () => {
    const { ask, dataset, root, json } = await serverRig()
    const id = await dataset()
    await writeFile(join(root, 'outside.txt'), 'outside')
    await mkdir(join(root, 'folder'))
    await writeFile(join(root, 'folder/inside.txt'), 'inside')
    await symlink(join(root, 'outside.txt'), join(root, 'project', folderOf(id), 'link.txt'))
    await symlink(join(root, 'folder'), join(root, 'project', folderOf(id), 'linked'))
    const { body } = await json('GET', `/api/jobs/${id}/files`)
    expect(JSON.stringify(body)).not.toMatch(/link/)
    for (const path of ['link.txt', 'linked/inside.txt'])
      expect(await status(ask(`/api/jobs/${id}/text?path=${path}`))).toBe(404)
    // even where a name is not looked up first
    await expect((await serverRig()).store.read('../x')).rejects.toThrow(/no path within/)
    const store = (await import('../../../lib/studio/node/node_store.js')).nodeStore(join(root, 'project'))
    await expect(store.read(`${folderOf(id)}/link.txt`)).rejects.toThrow(/symbolic link/)
    await expect(store.read(`${folderOf(id)}/linked/inside.txt`)).rejects.toThrow(/symbolic link/)
    await expect(store.write(`${folderOf(id)}/link.txt`, 'x')).rejects.toThrow(/symbolic link/)
  })

  test('paths of the machine are named and read under the data folders only', async () => {
    const { json, root } = await serverRig()
    await mkdir(join(root, 'pictures'))
    await symlink('/etc', join(root, 'sly'))
    const names = async (prefix: string) =>
      ((await json('GET', `/api/paths?prefix=${encodeURIComponent(prefix)}`)).body as { path: string }[]).map(
        ({ path }) => path,
      )
    expect(await names(`${root}/pic`)).toEqual([join(root, 'pictures')])
    expect(await names('')).toEqual([root])
    // a name that begins nowhere is looked for in each of the folders
    expect(await names('pic')).toEqual([join(root, 'pictures')])
    for (const prefix of ['/etc/', '/etc/pass', `${root}/../`, `${root}/sly/`, 'relative', '../../etc/', 'sly/'])
      expect(await names(prefix), prefix).toEqual([])
    const create = (path: string) =>
      json('POST', '/api/jobs', { kind: 'dataset', form: { name: 'a', source: { from: 'folder', place: { path } } } })
    for (const path of ['/etc', `${root}/../`, `${root}/sly`, 'pictures', `${root}/none`, `${root}x`])
      expect((await create(path)).status, path).toBe(422)
    const said = async (path: string) => ((await create(path)).body as { message: string }).message
    expect(await said('pictures')).toContain(`'pictures' is no whole path: '${join(root, 'pictures')}' is`)
    for (const path of ['../../../../../etc', 'sly', 'none'])
      expect(await said(path)).toContain(`those of the folders that --data names begin with ${root}`)
    expect((await create(join(root, 'pictures'))).status).toBe(201)
  })
})

describe('files', () => {
  test('leave as attachments, by an address that works once, for a minute', async () => {
    let now = 0
    const { json, ask, dataset, store } = await serverRig({}, { now: () => now })
    const id = await dataset()
    await store.write(`${pathsOf(id).folder}/page.html`, '<script>alert(1)</script>')
    const address = async () => (await json('POST', `/api/jobs/${id}/address`, { path: 'page.html' })).body as string
    const first = await address()
    // a browser navigates there without the token
    const got = await ask(first, { headers: { authorization: undefined } })
    expect(got.status).toBe(200)
    expect(got.headers.get('content-type')).toBe('application/octet-stream')
    expect(got.headers.get('content-disposition')).toMatch(/^attachment; filename="page\.html"/)
    expect(await got.text()).toBe('<script>alert(1)</script>')
    expect(await status(ask(first))).toBe(404)
    const second = await address()
    now = 60_001
    expect(await status(ask(second))).toBe(404)
    expect(await status(ask('/download/abc'))).toBe(404)
  })

  test('are what they were when somebody asked for them: no link that a job puts there since, and no more than was there', async () => {
    const { json, ask, dataset, store, root } = await serverRig()
    const id = await dataset()
    const path = `${pathsOf(id).folder}/log.txt`
    const address = async () => (await json('POST', `/api/jobs/${id}/address`, { path: 'log.txt' })).body as string
    for (const text of ['some lines', '']) {
      await store.write(path, text)
      const got = await ask(await address())
      expect([got.headers.get('content-length'), await got.text()]).toEqual([String(text.length), text])
    }
    await writeFile(join(root, 'secret'), 'secret')
    const late = await address()
    await store.remove(path)
    await symlink(join(root, 'secret'), join(root, 'project', path))
    const refused = await ask(late)
    expect(refused.status).toBe(403)
    expect(await refused.text()).not.toMatch('"secret"')
  })

  test('with the token lie where no job may read', async () => {
    const root = await mkdtemp(join(tmpdir(), 'ristretto-token-'))
    onTestFinished(() => rm(root, { recursive: true, force: true }))
    await mkdir(join(root, 'data'))
    await mkdir(join(root, 'keys'))
    await symlink(join(root, 'data'), join(root, 'keys/sly'))
    const nowhere = new URL('file:///nowhere/')
    const beside = { job: nowhere, inspector: nowhere, engines: nowhere, page: nowhere }
    const start = (tokenFile: string) =>
      startServer({ root: join(root, 'project'), port: 0, data: [join(root, 'data')], tokenFile }, beside)
    for (const file of ['data/token', 'project/token', 'data/../project/jobs/token', 'keys/sly/token'])
      await expect(start(join(root, file)), file).rejects.toThrow(/jobs may read .*keep the token elsewhere/)
    expect(await readdir(join(root, 'data'))).toEqual([])
  })
})

describe('limits', () => {
  test('a body is as long as it may be', async () => {
    const { ask, json } = await serverRig()
    const long = 'x'.repeat(2 ** 20 + 1)
    const post = (path: string, body: BodyInit, type = 'application/json') =>
      status(ask(path, { method: 'POST', body, headers: { 'content-type': type } }))
    expect(await post('/api/trust', JSON.stringify({ sha256: [long] }))).toBe(413)
    expect(await post('/api/nets/inspect', JSON.stringify({ net: 'x'.repeat(9 * 2 ** 20) }))).toBe(413)
    // what is not read to its end ends the connection, and says so: the client's next request would go into it
    const cut = await ask('/api/trust', { method: 'POST', body: JSON.stringify({ sha256: [long] }) })
    expect(cut.headers.get('connection')).toBe('close')
    expect((await json('POST', '/api/nets/inspect', { net: long, stage: 'train' })).status).toBe(422)
    expect(await post('/api/models/20200101-0000-aaaa/test-one', new Uint8Array(65 * 2 ** 20), 'image/png')).toBe(413)
    const numbers = await json('GET', '/api/jobs/20200101-0000-aaaa/metrics?points=1e9')
    expect(numbers.status).toBe(422)
  })

  test('an upload is no larger than it may be, and its names stay below it', async () => {
    const { json, ask, store } = await serverRig({}, { maxUpload: 20 * 2 ** 20 })
    const begin = (...files: [path: string, bytes: number][]) =>
      json('POST', '/api/uploads', { files: files.map(([path, bytes]) => ({ path, bytes })) })
    expect((await begin(['a', 21 * 2 ** 20])).status).toBe(413)
    const hostile = ['../a', '/a', 'a/../b', 'a\\b', 'c:/a', 'a//b', '', 'a\0', './a', 'a/.', 'a\n']
    for (const path of hostile) expect((await begin([path, 1])).status, JSON.stringify(path)).toBe(422)
    expect((await begin(['a', 1], ['a', 1])).status).toBe(422)
    expect((await begin(['a', 1], ['a/b', 1])).status).toBe(422)
    expect((await begin(['a', -1])).status).toBe(422)
    expect((await begin()).status).toBe(422)
    const { body } = await begin(['sub/a', 2], ['b', 8 * 2 ** 20], ['empty', 0])
    const { upload, part } = body as { upload: string; part: number }
    expect(part).toBe(8 * 2 ** 20)
    const put = async (n: number | string, bytes: Uint8Array<ArrayBuffer>, id = upload) =>
      status(ask(`/api/uploads/${id}/parts/${n}`, { method: 'PUT', body: bytes }))
    expect(await put(1, new Uint8Array(2))).toBe(409)
    expect(await put(0, new Uint8Array(5))).toBe(422)
    expect(await put(-1, new Uint8Array(5))).toBe(422)
    expect(await put(0, new Uint8Array(part + 1))).toBe(413)
    expect(await put(0, new Uint8Array(1), 'a'.repeat(24))).toBe(404)
    expect(await put(0, new Uint8Array(1), '..%2f..%2fjobs')).toBe(422)
    const all = Uint8Array.from({ length: 2 + 8 * 2 ** 20 }, (_, i) => i % 251)
    expect(await put(0, all.slice(0, part))).toBe(200)
    // a part that is sent again because its answer was lost
    expect(await put(0, all.slice(0, part))).toBe(200)
    expect(await store.list(`uploads/${upload}/files`)).toEqual([])
    expect(await put(1, all.slice(part))).toBe(200)
    expect(await put(2, new Uint8Array(0))).toBe(422)
    expect(await store.read(`uploads/${upload}/files/sub/a`)).toEqual(all.slice(0, 2))
    expect(await store.read(`uploads/${upload}/files/b`)).toEqual(all.slice(2))
    expect(await store.size(`uploads/${upload}/files/empty`)).toBe(0)
  })

  test('so many pages listen and no more', async () => {
    const { ask } = await serverRig()
    const open: Response[] = []
    for (let i = 0; i < 50; i++) open.push(await ask('/api/events'))
    expect(await status(ask('/api/events'))).toBe(503)
    await open[0].body!.cancel()
    expect(await status(ask('/api/events'))).toBe(200)
  })
})

describe('custom layers', () => {
  test('run where somebody typed them here; --layers never: nowhere', async () => {
    const { json, asked } = await serverRig({ checkLayers: { marks: [], layers: [] } })
    expect((await json('POST', '/api/layers/check', { layers: { 'a.ts': 'export {}' } })).status).toBe(200)
    expect(asked).toHaveLength(1)
    for (const name of ['../a.ts', 'a.sh', 'a/b.ts', '.ts'])
      expect((await json('POST', '/api/layers/check', { layers: { [name]: '' } })).status, name).toBe(422)
    const never = await serverRig({}, { layers: 'never' })
    expect((await never.json('POST', '/api/layers/check', { layers: { 'a.ts': '' } })).status).toBe(403)
    expect(
      (await never.json('POST', '/api/nets/inspect', { net: '', stage: 'train', layers: { 'a.ts': '' } })).status,
    ).toBe(403)
    expect(never.asked).toEqual([])
  })
})
