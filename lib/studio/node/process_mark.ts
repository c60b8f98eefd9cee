import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** A process as a file tells of it: its number, and when it began, so that a later one of the same number is another. */
export interface ProcessMark {
  readonly pid: number
  /** Ticks since the machine began, by Linux; left out by a process that may not look, and where nobody tells. */
  readonly start?: string
  /** When the file was written, in milliseconds since 1970. */
  readonly at: number
}

/** Clocks of kernel and program differ by less than so many milliseconds. */
const SLACK = 1500
/** Of a second. */
const TICKS = 100

/** When a process began; undefined where there is none, or only what is left of it. Empty where nobody tells. */
function startOf(pid: number): string | undefined {
  if (process.platform === 'linux') {
    try {
      // the name in parentheses may hold anything
      const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const [state, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ')
      return state === 'Z' || state === 'X' ? undefined : rest[18]
    } catch {
      return undefined
    }
  }
  try {
    process.kill(pid, 0)
    return ''
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? '' : undefined
  }
}

function isAlive({ pid, start, at }: ProcessMark): boolean {
  const found = startOf(pid)
  if (found === undefined || found === '') return found === ''
  if (start !== undefined) return found === start
  // it wrote the file itself, so it was there before; a later one of its number was not
  const booted = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]) * 1000
  return booted + (Number(found) / TICKS) * 1000 <= at + SLACK
}

export function readMark(file: string): ProcessMark | undefined {
  try {
    const mark = JSON.parse(readFileSync(file, 'utf8')) as Partial<ProcessMark>
    return Number.isSafeInteger(mark.pid) && typeof mark.at === 'number' ? (mark as ProcessMark) : undefined
  } catch {
    return undefined
  }
}

/** The living process that a file tells of. Not for a process that the permission model keeps from looking. */
export function livingMark(file: string): ProcessMark | undefined {
  const mark = readMark(file)
  return mark && isAlive(mark) ? mark : undefined
}

/** Whether the process that a mark was read of still runs. */
export const stillLives = (mark: ProcessMark): boolean => isAlive(mark)

/**
 * Write this process into a file that only one process can be in; false if there is one in it, dead or alive: see
 * `clearDead`.
 */
export function claimFile(file: string): boolean {
  const start = startOf(process.pid)
  const mark: ProcessMark = { pid: process.pid, at: Date.now(), ...(start ? { start } : {}) }
  const own = `${file}.tmp-${process.pid}`
  writeFileSync(own, JSON.stringify(mark))
  try {
    linkSync(own, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(own, { force: true })
  }
}

/** Take a process that has ended out of the file. A living one stays, even if it came just now. */
export function clearDead(file: string): void {
  if (livingMark(file)) return
  const aside = `${file}.tmp-${process.pid}-dead`
  try {
    renameSync(file, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  if (livingMark(aside)) linkSync(aside, file)
  rmSync(aside, { force: true })
}

/** Take this process out of the file again. */
export function releaseFile(file: string): void {
  if (readMark(file)?.pid === process.pid) rmSync(file, { force: true })
}
