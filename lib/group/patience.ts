/** How long a member waits for the others without a word, in ms. */
const WARN_AFTER = 60_000
/** Longest from one look to the next that counts as waiting, in ms. */
const LONGEST_LOOK = 2000

/** How members wait for each other. */
export interface GroupOptions {
  /** End with an error when the others have not come for so many seconds; default: warn after a minute, never end. */
  timeout?: number
  /** Told who has not come for a minute; the library prints nothing by itself. */
  log?: (line: string) => void
}

/** Looks at the clock while somebody waits: warns once a wait, and says when it has lasted too long. */
export class Patience {
  private waited = 0
  private last = 0
  private warned = false

  constructor(private readonly options: GroupOptions) {}

  /** A wait begins. */
  begin(): void {
    this.waited = 0
    this.last = performance.now()
    this.warned = false
  }

  /** Still waiting; `missing` names who has not come. Returns why the wait is to end, if it is. */
  look(missing: () => string): string | undefined {
    const { timeout, log } = this.options
    const now = performance.now()
    // a process that was stopped itself does not blame the others
    this.waited += Math.min(now - this.last, LONGEST_LOOK)
    this.last = now
    const { waited } = this
    if (timeout !== undefined && waited > timeout * 1000)
      return `${missing()} not come for ${timeout} s, which is as long as --group-timeout (the option timeout of joinGroup) allows`
    if (waited > WARN_AFTER && !this.warned) {
      this.warned = true
      log?.(`${missing()} not come for ${WARN_AFTER / 1000} s: stopped, swapping, or slower than the others?`)
    }
    return undefined
  }
}
