import { type CodeFile, StudioError } from '../api/index.js'
import { sha256Of } from './sha256.js'
import { readJson, readText, type Store, writeJson } from './store.js'

const FILE = 'trust.json'

/** SHA-256 in hexadecimal digits. */
export async function sha256(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text)
  // frames without an origin have no subtle
  const digest = crypto.subtle ? new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)) : sha256Of(bytes)
  return [...digest].map(byte => byte.toString(16).padStart(2, '0')).join('')
}

/** Files of code, with what they are known by. */
export const codeFiles = (layers: Readonly<Record<string, string>>): Promise<CodeFile[]> =>
  Promise.all(Object.entries(layers).map(async ([file, text]) => ({ file, sha256: await sha256(text) })))

/**
 * Files of code of a folder, by name; each must be what the list says, so that nothing runs but what somebody agreed to.
 */
export async function readCode(
  store: Store,
  folder: string,
  code: readonly CodeFile[],
): Promise<Record<string, string>> {
  const texts: Record<string, string> = {}
  for (const { file, sha256: wanted } of code) {
    const text = await readText(store, `${folder}/${file}`)
    if (text === undefined) throw new StudioError(`the code '${file}' of the job is gone`, 409)
    if ((await sha256(text)) !== wanted)
      throw new StudioError(`the code '${file}' was changed since the job was made: it does not run`, 409)
    texts[file] = text
  }
  return texts
}

/** Which code may run: what was typed or dropped here, and what a person agreed to. */
export class Trust {
  private adding: Promise<void> = Promise.resolve()

  private constructor(
    private readonly store: Store,
    private readonly policy: 'ask' | 'never',
    private readonly known: Set<string>,
  ) {}

  /** @param policy never: no custom code runs at all */
  static async open(store: Store, policy: 'ask' | 'never'): Promise<Trust> {
    const known = await readJson<{ sha256?: string[] }>(store, FILE)
    return new Trust(store, policy, new Set(Array.isArray(known?.sha256) ? known.sha256 : []))
  }

  async add(hashes: readonly string[]): Promise<void> {
    const wrong = hashes.find(hash => !/^[0-9a-f]{64}$/.test(hash))
    if (wrong !== undefined) throw new StudioError(`'${wrong}' is no SHA-256`, 400)
    // one after the other; what was agreed to may run once that stands
    const added = this.adding
      .catch(() => {})
      .then(async () => {
        const all = new Set([...this.known, ...hashes])
        if (all.size > this.known.size) await writeJson(this.store, FILE, { version: 1, sha256: [...all] })
        for (const hash of hashes) this.known.add(hash)
      })
    this.adding = added
    await added
  }

  /** Those that may not run. */
  untrusted(code: readonly CodeFile[]): CodeFile[] {
    return code.filter(file => this.policy === 'never' || !this.known.has(file.sha256))
  }

  /** Throws if no code may run at all. */
  mustRun(): void {
    if (this.policy === 'never')
      throw new StudioError('this Studio runs no custom layers: it was started with --layers never', 403)
  }

  /** Throws unless all of it may run. */
  mustTrust(code: readonly CodeFile[]): void {
    if (!code.length) return
    this.mustRun()
    const untrusted = this.untrusted(code)
    if (untrusted.length)
      throw new StudioError(
        'the job has code that came from elsewhere: read it, and agree to it, before it runs',
        403,
        untrusted.map(({ file, sha256: hash }) => ({ path: `layers/${file}`, message: `SHA-256 ${hash}` })),
      )
  }
}
