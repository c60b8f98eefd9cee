import { readdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path'
import { StudioError } from '../api/index.js'

/** Names that are listed at once. */
const MOST = 200

const isWithin = (root: string, path: string): boolean =>
  path === root || path.startsWith(root.endsWith(sep) ? root : root + sep)

/** The folders of this machine of which a page may name files: nothing else is looked at. */
export class DataRoots {
  private constructor(
    private readonly roots: readonly string[],
    private readonly real: readonly string[],
  ) {}

  static async open(folders: readonly string[]): Promise<DataRoots> {
    const roots = folders.map(folder => resolve(folder))
    const real = await Promise.all(
      roots.map(root =>
        realpath(root).catch(() => {
          throw new StudioError(`--data ${root}: there is no such folder`, 400)
        }),
      ),
    )
    return new DataRoots(roots, real)
  }

  /** Throws unless the path, links followed, lies within one of the folders. */
  async check(path: string): Promise<void> {
    const outside = () => new StudioError(`'${path}' lies outside of the folders that --data names`, 403)
    if (!isAbsolute(path)) throw new StudioError(await this.whole(path), 422)
    if (path.includes('\0') || !this.covers(resolve(path))) throw outside()
    const real = await realpath(path).catch(() => undefined)
    if (real === undefined) throw new StudioError(`'${path}': there is no such file or folder`, 422)
    if (!this.real.some(root => isWithin(root, real))) throw outside()
  }

  /** Whether a path, links followed, lies within one of the folders; what is not there lies where its folder does. */
  async holds(path: string): Promise<boolean> {
    const at = resolve(path)
    const real = await realpath(at).catch(async () =>
      join(await realpath(dirname(at)).catch(() => dirname(at)), basename(at)),
    )
    return [at, real].some(one => [...this.roots, ...this.real].some(root => isWithin(root, one)))
  }

  /** What the path so far may become. */
  async names(prefix: string): Promise<{ path: string; folder: boolean }[]> {
    if (prefix && !isAbsolute(prefix)) {
      const found = await Promise.all(this.roots.map(root => this.names(join(root, prefix))))
      return found.flat().slice(0, MOST)
    }
    const inside = isAbsolute(prefix) && this.covers(resolve(prefix.endsWith('/') ? prefix : dirname(prefix)))
    if (!inside) return this.roots.filter(root => root.startsWith(prefix)).map(root => ({ path: root, folder: true }))
    const folder = resolve(prefix.endsWith('/') ? prefix : dirname(prefix))
    const start = prefix.endsWith('/') ? '' : prefix.slice(prefix.lastIndexOf('/') + 1)
    const real = await realpath(folder).catch(() => undefined)
    if (real === undefined || !this.real.some(root => isWithin(root, real))) return []
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
    const found: { path: string; folder: boolean }[] = []
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (!entry.name.startsWith(start) || (entry.name.startsWith('.') && !start.startsWith('.'))) continue
      if (!entry.isFile() && !entry.isDirectory()) continue
      found.push({ path: join(folder, entry.name), folder: entry.isDirectory() })
      if (found.length === MOST) break
    }
    return found
  }

  /** Folders as jobs may read them. */
  async folders(): Promise<string[]> {
    const there = await Promise.all(
      this.roots.map(root =>
        stat(root).then(
          () => true,
          () => false,
        ),
      ),
    )
    return this.roots.filter((_, i) => there[i])
  }

  /** What is said of a path that begins nowhere. */
  private async whole(path: string): Promise<string> {
    for (const at of this.roots.map(root => join(root, path)))
      if (
        await this.check(at).then(
          () => true,
          () => false,
        )
      )
        return `'${path}' is no whole path: '${at}' is`
    return `'${path}' is no whole path: those of the folders that --data names begin with ${this.roots.join(' or ')}`
  }

  private covers(path: string): boolean {
    return this.roots.some(root => isWithin(root, path))
  }
}
