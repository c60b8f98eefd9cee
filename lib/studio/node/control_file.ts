import { readText, type Store } from '../core/store.js'

/** Milliseconds between looks at the file. */
const POLL = 250

/** Reads commands from a file, which also works for a server that did not start the job. */
export class ControlFile {
  private read = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private closed = false

  constructor(
    private readonly store: Store,
    private readonly path: string,
    private readonly told: (command: unknown) => void,
  ) {}

  /** From now on: what was written before was meant for earlier attempts. */
  async watch(): Promise<void> {
    this.read = (await this.store.size(this.path)) ?? 0
    this.schedule()
  }

  close(): void {
    this.closed = true
    clearTimeout(this.timer)
  }

  private schedule(): void {
    this.timer = setTimeout(async () => {
      await this.look().catch(() => {})
      if (!this.closed) this.schedule()
    }, POLL)
  }

  private async look(): Promise<void> {
    const size = (await this.store.size(this.path)) ?? 0
    if (size <= this.read) return
    const text = (await readText(this.store, this.path)) ?? ''
    const bytes = new TextEncoder().encode(text)
    const end = bytes.lastIndexOf(10) + 1
    for (const line of new TextDecoder().decode(bytes.subarray(this.read, end)).split('\n')) {
      if (line === '') continue
      try {
        this.told((JSON.parse(line) as { command?: unknown }).command)
      } catch {
        // half a line, of a server that was killed
      }
    }
    this.read = end
  }
}
