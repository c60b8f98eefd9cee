/** What goes between the page, its hub and their workers, over channels of Node. */
import { MessageChannel } from 'node:worker_threads'
import { afterEach, expect, test, vi } from 'vitest'
import { RistrettoError } from '../../../lib/errors.js'
import { StudioError } from '../../../lib/studio/api/index.js'
import { answerCalls, Caller, type Channel } from '../../../lib/studio/browser/calls.js'
import { early } from '../../../lib/studio/browser/early.js'
import { remoteStore, shareStore } from '../../../lib/studio/browser/remote_store.js'
import { takeUpload } from '../../../lib/studio/browser/uploads.js'
import { WorkerInspector } from '../../../lib/studio/browser/worker_inspector.js'
import { type JobWorker, WorkerRunner } from '../../../lib/studio/browser/worker_runner.js'
import { memoryStore } from '../../../lib/studio/core/memory_store.js'
import { listAll } from '../../../lib/studio/core/store.js'

const open: { close(): void }[] = []
afterEach(() => {
  for (const port of open.splice(0)) port.close()
})

function pair(): [Channel, Channel] {
  const { port1, port2 } = new MessageChannel()
  open.push(port1, port2)
  return [port1, port2].map(
    (port): Channel => ({
      postMessage: (message, transfer) => port.postMessage(message, transfer as never),
      addEventListener: (_, listener) => void port.on('message', data => listener({ data })),
    }),
  ) as [Channel, Channel]
}

test('an answer, what is told before it, an error with its faults, and one of the library with its line', async () => {
  const [here, there] = pair()
  answerCalls(there, async (method, args, { tell }) => {
    if (method === 'bad') throw new StudioError('no', 409, [{ path: 'a', message: 'b' }])
    if (method === 'odd') throw new RistrettoError('odd')
    if (method === 'broken') throw new TypeError('broken')
    tell('half')
    return [method, ...args]
  })
  const caller = new Caller(here)
  const told: string[] = []
  expect(await caller.call('add', [1, 2], { told: (value: string) => told.push(value) })).toEqual(['add', 1, 2])
  expect(told).toEqual(['half'])
  await expect(caller.call('bad', [])).rejects.toMatchObject({ status: 409, faults: [{ path: 'a', message: 'b' }] })
  await expect(caller.call('odd', [])).rejects.toMatchObject({ message: 'odd', status: 422 })
  await expect(caller.call('broken', [])).rejects.toMatchObject({ message: 'broken', status: 500 })
})

test('who waits no more is not answered, and the other side is told', async () => {
  const [here, there] = pair()
  let aborted: () => void
  const wasAborted = new Promise<void>(resolve => (aborted = resolve))
  answerCalls(there, (_, __, { signal }) => {
    signal.addEventListener('abort', () => aborted())
    return new Promise(() => {})
  })
  const caller = new Caller(here)
  const stop = new AbortController()
  const waiting = caller.call('wait', [], { signal: stop.signal })
  stop.abort()
  await expect(waiting).rejects.toThrow(/abort/i)
  await wasAborted
  await expect(caller.call('wait', [], { signal: stop.signal })).rejects.toThrow(/abort/i)
  const left = caller.call('wait', [])
  caller.end(new StudioError('over', 503))
  await expect(left).rejects.toThrow('over')
  await expect(caller.call('wait', [])).rejects.toThrow('over')
})

test('what comes before somebody listens is kept', async () => {
  const [here, there] = pair()
  const late = early(there)
  here.postMessage('one')
  here.postMessage('two')
  await new Promise(resolve => setImmediate(resolve))
  const heard: unknown[] = []
  await new Promise<void>(resolve => {
    late.addEventListener('message', ({ data }) => {
      heard.push(data)
      if (heard.length === 3) resolve()
    })
    here.postMessage('three')
  })
  expect(heard).toEqual(['one', 'two', 'three'])
})

function shared() {
  const [here, there] = pair()
  const store = memoryStore()
  const within = (folder: string) => (path: string) => path === folder || path.startsWith(`${folder}/`)
  const release = shareStore(there, {
    store,
    file: async path => new Blob([(await store.read(path)) as Uint8Array<ArrayBuffer>]),
    mayRead: within('jobs/parent'),
    mayWrite: within('jobs/own'),
  })
  return { store, remote: remoteStore(new Caller(here)), release }
}

test('a worker without files has those of its job, and reads those that it is made from', async () => {
  const { store, remote } = shared()
  await store.write('jobs/parent/x', 'from the parent')
  await store.write('jobs/other/x', 'a secret')
  await store.write('trust.json', '{}')
  expect(new TextDecoder().decode(await remote.read('jobs/parent/x', 5))).toBe('the parent')
  expect(await remote.size('jobs/own/x')).toBeUndefined()
  await remote.write('jobs/own/x', 'mine')
  const log = await remote.appender('jobs/own/log.txt')
  log.append('one\n')
  log.append('two\n')
  const sink = await remote.sink('jobs/own/db')
  sink.write(2, new Uint8Array([3, 4]))
  sink.write(0, new Uint8Array([1, 2]))
  await sink.finish()
  expect(await remote.list('jobs/own')).toHaveLength(3)
  expect([...(await store.read('jobs/own/db'))!]).toEqual([1, 2, 3, 4])
  expect(new TextDecoder().decode(await store.read('jobs/own/log.txt'))).toBe('one\ntwo\n')
  for (const path of ['jobs/other/x', 'trust.json', 'jobs', 'jobs/parentage/x', 'jobs/own/../other/x'])
    await expect(remote.read(path), path).rejects.toMatchObject({ status: expect.any(Number) })
  for (const path of ['jobs/parent/x', 'jobs/other/x', 'trust.json', 'jobs/own/../parent/x']) {
    await expect(remote.write(path, 'x'), path).rejects.toMatchObject({ status: expect.any(Number) })
    await expect(remote.remove(path), path).rejects.toMatchObject({ status: expect.any(Number) })
    await expect(remote.sink(path), path).rejects.toMatchObject({ status: expect.any(Number) })
    await expect(remote.appender(path), path).rejects.toMatchObject({ status: expect.any(Number) })
  }
  expect(new TextDecoder().decode(await store.read('jobs/parent/x'))).toBe('from the parent')
})

test('all that was written has arrived when it is settled, and what was refused is said', async () => {
  const { store, remote } = shared()
  const log = await remote.appender('jobs/own/log.txt')
  for (let i = 0; i < 100; i++) log.append(`${i}\n`)
  log.close()
  await remote.settled()
  expect(new TextDecoder().decode(await store.read('jobs/own/log.txt')).split('\n')).toHaveLength(101)
  log.append('more')
  await expect(remote.settled()).rejects.toThrow('not open')
})

test('what it had open when it was ended is let go of', async () => {
  const { store, remote, release } = shared()
  const sink = await remote.sink('jobs/own/db')
  const log = await remote.appender('jobs/own/log.txt')
  log.append('one\n')
  await remote.size('jobs/own/log.txt')
  release()
  sink.write(0, new Uint8Array([1]))
  await expect(sink.finish()).rejects.toThrow('not open')
  expect(await store.read('jobs/own/db')).toBeUndefined()
  expect(new TextDecoder().decode(await store.read('jobs/own/log.txt'))).toBe('one\n')
})

function fakeWorker() {
  const posted: unknown[] = []
  let listeners: Parameters<JobWorker['listen']>[0] | undefined
  const worker: JobWorker & { ended: boolean } = {
    ended: false,
    postMessage: message => void posted.push(message),
    listen: given => void (listeners = given),
    terminate() {
      this.ended = true
    },
  }
  return { worker, posted, say: () => listeners! }
}

test('a job in a worker: told to start and to stop; over, broken and ended at once are told apart', async () => {
  const job = { id: '20261129-0131-k7f3', kind: 'model', attempt: 2, threads: 1 } as const
  const runs: [(fake: ReturnType<typeof fakeWorker>, handle: { kill(): void }) => void, object][] = [
    [fake => fake.say().message({ over: true }), { orderly: true }],
    [fake => fake.say().message({ broken: 'no room' }), { orderly: false, reason: 'no room' }],
    [fake => fake.say().error('out of memory'), { orderly: false, reason: 'its worker ended: out of memory' }],
    [(_, handle) => handle.kill(), { orderly: false, reason: 'it was ended at once' }],
  ]
  for (const [end, exit] of runs) {
    const fake = fakeWorker()
    const runner = new WorkerRunner(async () => fake.worker)
    const handle = await runner.start(job)
    handle.command('snapshot')
    expect(fake.posted).toEqual([{ start: job }, { command: 'snapshot' }])
    end(fake, handle)
    expect(await handle.exited).toMatchObject(exit)
    expect(fake.worker.ended).toBe(true)
    expect(await runner.adopt()).toBeUndefined()
  }
})

test('a worker that looks is started when it is asked, and again after it broke or took too long', async () => {
  let started = 0
  const broken: ((reason: string) => void)[] = []
  const { inspector, close } = (() => {
    const inner = new WorkerInspector({
      who: async method => method,
      start: async () => {
        const [here, there] = pair()
        started++
        answerCalls(there, (method, args) =>
          method === 'items' ? Promise.resolve([method, ...args]) : new Promise(() => {}),
        )
        return { channel: here, onBroken: listener => void broken.push(listener), terminate() {} }
      },
    })
    return { inspector: inner.inspector, close: () => inner.close() }
  })()
  expect(await inspector.items('a', { set: 'val' })).toEqual(['items', 'a', { set: 'val' }])
  await inspector.items('b', { set: 'val' })
  expect(started).toBe(1)
  broken[0]('out of memory')
  await inspector.items('c', { set: 'val' })
  expect(started).toBe(2)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    for (const count of [3, 4]) {
      const slow = expect(inspector.compare(['a'])).rejects.toMatchObject({
        status: 503,
        message: expect.stringContaining('took longer'),
      })
      while (!vi.getTimerCount()) await new Promise(resolve => setImmediate(resolve))
      vi.advanceTimersByTime(120_000)
      await slow
      expect(started).toBe(count)
    }
  } finally {
    vi.useRealTimers()
  }
  await close()
})

test('an upload is taken whole or not at all', async () => {
  const store = memoryStore()
  const given = { store, most: 100, signal: new AbortController().signal, onProgress() {} }
  const file = (text: string) => new Blob([text])
  const upload = await takeUpload(
    [
      { path: 'cats/a.png', file: file('one') },
      { path: 'dogs/b.png', file: file('') },
    ],
    given,
  )
  expect(upload).toMatch(/^[a-z0-9]{16,32}$/)
  expect(await listAll(store, `uploads/${upload}/files`)).toEqual([
    { path: 'cats/a.png', bytes: 3 },
    { path: 'dogs/b.png', bytes: 0 },
  ])
  const refused: [string[], number][] = [
    [[], 422],
    [['a', 'a'], 422],
    [['a', 'a/b'], 422],
    [['../a'], 422],
    [['a\\b'], 422],
    [['/a'], 422],
  ]
  for (const [paths, status] of refused)
    await expect(
      takeUpload(
        paths.map(path => ({ path, file: file('x') })),
        given,
      ),
      paths.join(' '),
    ).rejects.toMatchObject({ status })
  await expect(takeUpload([{ path: 'a', file: file('x'.repeat(101)) }], given)).rejects.toMatchObject({ status: 413 })
  const stopped = AbortSignal.abort()
  await expect(takeUpload([{ path: 'a', file: file('x') }], { ...given, signal: stopped })).rejects.toThrow(/abort/i)
  expect((await store.list('uploads')).map(({ name }) => name)).toEqual([upload])
})
