/** What is made once for a key and kept for the next call with it, as long as the room lasts: the oldest go first. */
export class Recent<T extends { readonly bytes: number; dispose(): void }> {
  private readonly entries = new Map<string, T | undefined>()
  private bytes = 0

  /** @param room bytes that all together may keep, but for the last one */
  constructor(private readonly room: number) {}

  /** `make` may say, once, that there is none. */
  get(key: string, make: () => T | undefined): T | undefined {
    let entry = this.entries.get(key)
    if (entry) {
      // the last in order is the youngest
      this.entries.delete(key)
      this.entries.set(key, entry)
      return entry
    }
    if (this.entries.has(key)) return undefined
    entry = make()
    this.entries.set(key, entry)
    this.bytes += entry?.bytes ?? 0
    this.shrink(entry)
    return entry
  }

  private shrink(last: T | undefined): void {
    for (const [key, entry] of this.entries) {
      if (this.bytes <= this.room) return
      if (!entry || entry === last) continue
      this.entries.delete(key)
      this.bytes -= entry.bytes
      entry.dispose()
    }
  }
}
