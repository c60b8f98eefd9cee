/** What every Store does, wherever its files lie: run in Node and, bundled, in browsers. */
import { listAll, readJson, readText, type Store, writeJson } from '../../../lib/studio/core/store.js'

function same(actual: unknown, expected: unknown): void {
  const [a, b] = [actual, expected].map(value => JSON.stringify(value, (_, v) => (ArrayBuffer.isView(v) ? [v] : v)))
  if (a !== b) throw new Error(`${a} is not ${b}`)
}

async function refused(pattern: RegExp, call: () => Promise<unknown>): Promise<void> {
  const said = await call().then(
    () => 'nothing was refused',
    error => String((error as Error).message),
  )
  if (!pattern.test(said)) throw new Error(`'${said}' is not ${pattern}`)
}

const text = (bytes: Uint8Array | undefined): string | undefined => bytes && new TextDecoder().decode(bytes)
const names = async (store: Store, path: string): Promise<string[]> =>
  (await store.list(path)).map(({ name, folder, bytes }) => `${name}${folder ? '/' : ` ${bytes}`}`).sort()

export const storeContract: Readonly<Record<string, (store: Store) => Promise<void>>> = {
  async 'a file is written whole, replaced, read from a place on'(store) {
    await store.write('jobs/a/file', 'one')
    await store.write('jobs/a/file', 'zwei ü')
    same(text(await store.read('jobs/a/file')), 'zwei ü')
    same(text(await store.read('jobs/a/file', 5)), 'ü')
    same((await store.read('jobs/a/file', 7))?.length, 0)
    same(await store.size('jobs/a/file'), 7)
    await store.write('jobs/a/empty', new Uint8Array(0))
    same(await store.size('jobs/a/empty'), 0)
    const bytes = new Uint8Array([1, 2, 3])
    await store.write('jobs/a/bytes', bytes)
    bytes.fill(9)
    same([...(await store.read('jobs/a/bytes'))!], [1, 2, 3])
  },
  async 'what is not there is undefined, or said'(store) {
    same(await store.read('jobs/none/file'), undefined)
    same(await store.size('jobs/none/file'), undefined)
    same(await store.list('jobs/none'), [])
    await store.remove('jobs/none')
    await refused(/there is no file 'jobs\/none\/file'/, () => store.open('jobs/none/file'))
    await store.write('folder/file', 'x')
    same(await store.read('folder'), undefined)
    same(await store.size('folder'), undefined)
    same(await store.list('folder/file'), [])
    await refused(/there is no file 'folder'/, () => store.open('folder'))
  },
  async 'lines are added, and read while they are'(store) {
    const log = await store.appender('jobs/a/log.txt')
    log.append('one\n')
    same(await readText(store, 'jobs/a/log.txt'), 'one\n')
    log.append('zwei ü\n')
    same(await store.size('jobs/a/log.txt'), 12)
    same(text(await store.read('jobs/a/log.txt', 4)), 'zwei ü\n')
    log.close()
    log.close()
    const more = await store.appender('jobs/a/log.txt')
    more.append('three\n')
    more.close()
    same(await readText(store, 'jobs/a/log.txt'), 'one\nzwei ü\nthree\n')
  },
  async 'a large file comes piece by piece, is there when it is finished, and is read at any place'(store) {
    const piece = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251)
    await store.write('db/data.mdb', 'old')
    const sink = await store.sink('db/data.mdb')
    sink.write(4, piece)
    same(await readText(store, 'db/data.mdb'), 'old')
    sink.write(4 + piece.length, piece)
    sink.write(0, new Uint8Array([7, 8, 9, 10]))
    same(await names(store, 'db'), ['data.mdb 3'])
    await sink.finish()
    same(await store.size('db/data.mdb'), 600_004)
    const source = await store.open('db/data.mdb')
    same(source.size, 600_004)
    same([...source.read(0, 5)], [7, 8, 9, 10, 0])
    same([...source.read(300_003, 3)], [piece[299_999], 0, 1])
    same([...source.read(600_003, 1)], [piece[299_999]])
    same([...source.read(2, 3)], [9, 10, 0])
    await refused(/600003 to 600005/, async () => source.read(600_003, 2))
    source.close()
    const given = await store.sink('db/other')
    given.write(0, piece)
    given.abort()
    same(await store.read('db/other'), undefined)
    same(await names(store, 'db'), ['data.mdb 600004'])
  },
  async 'folders are listed, and removed with what is in them'(store) {
    await writeJson(store, 'jobs/a/job.json', { id: 'a' })
    await store.write('jobs/a/inner/x', '12345')
    await store.write('jobs/b/y', '')
    same(await names(store, 'jobs'), ['a/', 'b/'])
    same(await names(store, 'jobs/a'), [`inner/`, `job.json ${await store.size('jobs/a/job.json')}`])
    same(await listAll(store, 'jobs/a'), [
      { path: 'inner/x', bytes: 5 },
      { path: 'job.json', bytes: (await store.size('jobs/a/job.json'))! },
    ])
    same(await readJson(store, 'jobs/a/job.json'), { id: 'a' })
    await store.remove('jobs/a')
    same(await store.read('jobs/a/inner/x'), undefined)
    same(await names(store, 'jobs'), ['b/'])
    await store.remove('jobs/b/y')
    same(await store.read('jobs/b/y'), undefined)
  },
  async 'paths stay within the project'(store) {
    for (const path of ['../x', '/etc/passwd', 'a/../../b', 'a//b', 'c:/x', 'a\\b', '']) {
      await refused(/no path within the project/, () => store.read(path))
      await refused(/no path within the project/, () => store.write(path, 'x'))
      await refused(/no path within the project/, () => store.sink(path))
      await refused(/no path within the project/, () => store.appender(path))
      await refused(/no path within the project/, () => store.remove(path))
    }
  },
  async 'of writers of one file the last one to begin does not leave half of another'(store) {
    const long = (letter: string) => letter.repeat(100_000)
    await Promise.all(['a', 'b', 'c'].map(letter => store.write('state.json', long(letter))))
    const found = (await readText(store, 'state.json'))!
    same(found === long(found[0]), true)
  },
}
