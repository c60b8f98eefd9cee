import { expect, test } from 'vitest'
import { memoryStore } from '../../../lib/studio/core/memory_store.js'
import { checkPath, listAll, readJson, readText, writeJson } from '../../../lib/studio/core/store.js'

test('a path stays within the project', () => {
  expect(checkPath('jobs/20261129-0131-k7f3/net.prototxt')).toBe('jobs/20261129-0131-k7f3/net.prototxt')
  for (const path of ['', '/etc/passwd', '../x', 'a/../b', 'a//b', 'a/.', 'a\\b', 'a\0b', 'a\nb', 'c:/x', 'a/'])
    expect(() => checkPath(path), JSON.stringify(path)).toThrow(/no path within the project/)
})

test('files are written whole, added to, listed by folder, removed', async () => {
  const store = memoryStore()
  await writeJson(store, 'jobs/a/job.json', { id: 'a' })
  const log = await store.appender('jobs/a/log.txt')
  log.append('one\n')
  log.append('zwei ü\n')
  log.close()
  await store.write('jobs/b/x', new Uint8Array([1, 2, 3]))
  expect(await readJson(store, 'jobs/a/job.json')).toEqual({ id: 'a' })
  expect(await readText(store, 'jobs/a/log.txt')).toBe('one\nzwei ü\n')
  expect(await store.size('jobs/a/log.txt')).toBe(12)
  expect(new TextDecoder().decode(await store.read('jobs/a/log.txt', 4))).toBe('zwei ü\n')
  expect((await store.list('jobs')).map(entry => [entry.name, entry.folder])).toEqual([
    ['a', true],
    ['b', true],
  ])
  expect(await listAll(store, 'jobs/a')).toEqual([
    { path: 'job.json', bytes: (await store.size('jobs/a/job.json'))! },
    { path: 'log.txt', bytes: 12 },
  ])
  await store.remove('jobs/a')
  expect(await store.read('jobs/a/log.txt')).toBeUndefined()
  expect((await store.open('jobs/b/x')).read(1, 2)).toEqual(new Uint8Array([2, 3]))
  await expect(store.open('jobs/c')).rejects.toThrow("there is no file 'jobs/c'")
})

test('what is not whole is no JSON', async () => {
  const store = memoryStore()
  await store.write('state.json', '{"state": "run')
  expect(await readJson(store, 'state.json')).toBeUndefined()
})
