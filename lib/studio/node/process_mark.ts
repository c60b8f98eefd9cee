import { linkSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'

/** A process as a file tells of it: its number, and when it began, so that a later one of the same number is another. */
export interface ProcessMark {
  readonly pid: number
  /** Ticks since the machine began, by Linux; empty where nobody tells. */
  readonly start: string
}

/** When a process began; undefined where there is none, or only what is left of it. */
export function startOf(pid: number): string | undefined {
  try {
    // the name in parentheses may hold anything
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' || state === 'X' ? undefined : rest[18]
  } catch (error) {
    if (process.platform === 'linux') return undefined
    void error
  }
  try {
    process.kill(pid, 0)
    return ''
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? '' : undefined
  }
}

export const isAlive = ({ pid, start }: ProcessMark): boolean => startOf(pid) === start

export const ownMark = (): ProcessMark => ({ pid: process.pid, start: startOf(process.pid) ?? '' })

export function readMark(file: string): ProcessMark | undefined {
  try {
    const mark = JSON.parse(readFileSync(file, 'utf8')) as Partial<ProcessMark>
    return Number.isSafeInteger(mark.pid) && typeof mark.start === 'string' ? (mark as ProcessMark) : undefined
  } catch {
    return undefined
  }
}

/** The living process that a file tells of. */
export function livingMark(file: string): ProcessMark | undefined {
  const mark = readMark(file)
  return mark && isAlive(mark) ? mark : undefined
}

/**
 * Write this process into a file that only one living process can be in; false if another one is. What a process that has
 * ended left behind is replaced.
 */
export function claimFile(file: string): boolean {
  const mark = ownMark()
  const own = `${file}.tmp-${mark.pid}`
  writeFileSync(own, JSON.stringify(mark))
  try {
    for (let tries = 0; tries < 100; tries++) {
      try {
        linkSync(own, file)
        return readMark(file)?.pid === mark.pid
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      if (livingMark(file)) return false
      // two that see a dead one both move it away: who moved a living one puts it back
      const aside = `${own}-dead`
      try {
        renameSync(file, aside)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue
        throw error
      }
      if (livingMark(aside)) {
        renameSync(aside, file)
        return false
      }
      unlinkSync(aside)
    }
    return false
  } finally {
    rmSync(own, { force: true })
  }
}

/** Take this process out of the file again. */
export function releaseFile(file: string): void {
  if (readMark(file)?.pid === process.pid) rmSync(file, { force: true })
}
