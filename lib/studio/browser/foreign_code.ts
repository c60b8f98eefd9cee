import type { CodeFile, JobId } from '../api/index.js'
import { isJobId, type JobFile, pathsOf } from '../core/job_files.js'
import { readJson, type Store, writeJson } from '../core/store.js'
import { codeFiles } from '../core/trust.js'

const FILE = 'foreign.json'

/** Code that a person agreed to and did not type: where it runs, nothing can be read or sent away. */
export class ForeignCode {
  private constructor(
    private readonly store: Store,
    private readonly known: Set<string>,
  ) {}

  static async open(store: Store): Promise<ForeignCode> {
    const found = await readJson<{ sha256?: string[] }>(store, FILE)
    return new ForeignCode(store, new Set(Array.isArray(found?.sha256) ? found.sha256 : []))
  }

  async add(sha256: readonly string[]): Promise<void> {
    for (const hash of sha256) this.known.add(hash)
    await writeJson(this.store, FILE, { version: 1, sha256: [...this.known] })
  }

  /** Whether some of the code is foreign. */
  has(code: readonly CodeFile[]): boolean {
    return code.some(({ sha256 }) => this.known.has(sha256))
  }

  async hasText(layers: Readonly<Record<string, string>>): Promise<boolean> {
    return this.has(await codeFiles(layers))
  }

  /** Whether a job runs foreign code, its own or that of the model that it is about. */
  async isIn(id: JobId): Promise<boolean> {
    return (await this.family(id)).some(job => this.has(job.code))
  }

  /** A job, and all that it is made from. */
  async family(id: JobId): Promise<JobFile[]> {
    const found = new Map<JobId, JobFile>()
    const add = async (next: JobId): Promise<void> => {
      if (found.has(next) || !isJobId(next)) return
      const job = await readJson<JobFile>(this.store, pathsOf(next).job)
      if (!job) return
      found.set(next, job)
      for (const parent of Object.values(job.parents)) await add(parent)
    }
    await add(id)
    return [...found.values()]
  }
}
