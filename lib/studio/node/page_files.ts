import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
}

/** Names that esbuild makes from what is in the file: these never change. */
const HASHED = /[-.][A-Z0-9]{8}\.\w+$/

export interface PageFile {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly type: string
  readonly cache: string
}

/** The built page: paths are looked up in its list, never joined. */
export class PageFiles {
  private readonly files: ReadonlyMap<string, string>

  constructor(folder: URL) {
    const root = fileURLToPath(folder)
    this.files = new Map(listed(root).map(file => [`/${file.replaceAll('\\', '/')}`, join(root, file)] as const))
  }

  get isThere(): boolean {
    return this.files.has('/index.html')
  }

  reason(path: string): string {
    return this.isThere ? `there is nothing at ${path}` : 'the page is not built: npm run build'
  }

  async find(path: string): Promise<PageFile | undefined> {
    const name = path === '/' ? '/index.html' : path
    const file = this.files.get(name)
    if (file === undefined) return undefined
    return {
      bytes: new Uint8Array(await readFile(file)),
      type: TYPES[extname(name)] ?? 'application/octet-stream',
      cache: HASHED.test(name) ? 'public, max-age=31536000, immutable' : 'no-cache',
    }
  }
}

function listed(root: string): string[] {
  try {
    return readdirSync(root, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry =>
        join(entry.parentPath, entry.name)
          .slice(root.length)
          .replace(/^[\\/]/, ''),
      )
  } catch {
    return []
  }
}

/** The version that the package says. */
export function packageVersion(): string {
  for (const up of ['../../../package.json', '../../../../package.json']) {
    try {
      const found = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as {
        name?: string
        version?: string
      }
      if (found.name === 'ristretto' && found.version) return found.version
    } catch {
      // from the sources it lies elsewhere than from what is built
    }
  }
  return '0'
}
