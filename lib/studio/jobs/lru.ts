/** Things that take time to make, by key: the ones used last are kept, the others let go. */
export class Remembered<T> {
  private readonly known = new Map<string, Promise<T>>()

  /** @param letGo is told of what is no longer kept */
  constructor(
    private readonly most: number,
    private readonly letGo: (value: T) => void = () => {},
  ) {}

  /** The value of a key, made where it is not known; what could not be made is not remembered. */
  get(key: string, make: () => Promise<T>): Promise<T> {
    const value = this.known.get(key) ?? make()
    this.known.delete(key)
    this.known.set(key, value)
    value.catch(() => this.known.get(key) === value && this.known.delete(key))
    for (const oldest of this.known.keys()) if (this.known.size > this.most) this.forget(oldest)
    return value
  }

  /** Let go of all whose keys begin so. */
  drop(start: string): void {
    for (const key of [...this.known.keys()]) if (key.startsWith(start)) this.forget(key)
  }

  private forget(key: string): void {
    this.known.get(key)?.then(this.letGo, () => {})
    this.known.delete(key)
  }
}
