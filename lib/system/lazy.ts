/** Something that is made when it is first wanted, and once; made again where that failed. */
export class Lazy<T> {
  private made: Promise<T> | undefined

  /** How it is made. */
  constructor(private readonly make: () => Promise<T>) {}

  /** It, or why it could not be made this time. */
  async get(): Promise<T> {
    this.made ??= this.make()
    try {
      return await this.made
    } catch (error) {
      this.made = undefined
      throw error
    }
  }

  /** Do something with it where somebody has wanted it. */
  tell(task: (it: T) => void): void {
    this.made?.then(task, () => {})
  }
}
