import { bytesSource } from '../../data/byte_source.js'
import { bytesSink } from '../../data/sink.js'
import { StudioError } from '../api/index.js'
import { checkPath, type Store, type StoreEntry } from './store.js'

/** A project in memory, for tests and for what need not last. */
export function memoryStore(files: Map<string, Uint8Array> = new Map()): Store {
  const bytesOf = (contents: Uint8Array | string) =>
    typeof contents === 'string' ? new TextEncoder().encode(contents) : contents.slice()
  return {
    read: async (path, from = 0, most = Number.MAX_SAFE_INTEGER) =>
      files.get(checkPath(path))?.slice(from, from + most),
    size: async path => files.get(checkPath(path))?.length,
    write: async (path, contents) => void files.set(checkPath(path), bytesOf(contents)),
    async appender(path) {
      checkPath(path)
      return {
        append(text) {
          const before = files.get(path) ?? new Uint8Array(0)
          const added = bytesOf(text)
          const all = new Uint8Array(before.length + added.length)
          all.set(before)
          all.set(added, before.length)
          files.set(path, all)
        },
        close() {},
      }
    },
    async open(path) {
      const bytes = files.get(checkPath(path))
      if (!bytes) throw new StudioError(`there is no file '${path}' in the project`, 404)
      return bytesSource(bytes, path)
    },
    async sink(path) {
      checkPath(path)
      const sink = bytesSink()
      return {
        ...sink,
        async finish() {
          files.set(path, (await sink.finish())!)
          return undefined
        },
      }
    },
    async list(path) {
      checkPath(path)
      const found = new Map<string, StoreEntry>()
      for (const [file, { length }] of files) {
        if (!file.startsWith(`${path}/`)) continue
        const [name, ...rest] = file.slice(path.length + 1).split('/')
        found.set(name, rest.length ? { name, folder: true, bytes: 0 } : { name, folder: false, bytes: length })
      }
      return [...found.values()]
    },
    async remove(path) {
      checkPath(path)
      for (const file of [...files.keys()]) if (file === path || file.startsWith(`${path}/`)) files.delete(file)
    },
    location: () => undefined,
  }
}
