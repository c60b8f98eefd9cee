import { spawnSync } from 'node:child_process'
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

/** What the system tells of a process; a part is left out where nobody tells it. */
interface Seen {
  readonly start?: string
  /** Program and arguments. */
  readonly command?: string
}

/** A process as the system sees it; undefined where there is none, or only what is left of it. */
function look(pid: number): Seen | undefined {
  if (process.platform === 'linux') {
    try {
      // the name in parentheses may hold anything
      const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const [state, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ')
      if (state === 'Z' || state === 'X') return undefined
      return { start: rest[18], command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ') }
    } catch {
      return undefined
    }
  }
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return undefined
  }
  return {}
}

/** The program and arguments of a process, where /proc does not tell: undefined where nothing does, as on Windows. */
function commandOf(pid: number): string | undefined {
  if (process.platform === 'win32') return undefined
  const { status, stdout } = spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

/**
 * Whether the process of a mark runs a program with these arguments, by what the system says of it: a mark lies where its job
 * can write, and may name any process. Undefined where nobody tells.
 */
export function runsCommand({ pid }: ProcessMark, words: readonly string[]): boolean | undefined {
  const command = look(pid)?.command ?? commandOf(pid)
  return command?.includes(` ${words.join(' ')}`)
}

function isAlive({ pid, start, at }: ProcessMark): boolean {
  const found = look(pid)
  if (found?.start === undefined) return found !== undefined
  if (start !== undefined) return found.start === start
  // it wrote the file itself, so it was there before; a later one of its number was not
  const booted = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]) * 1000
  return booted + (Number(found.start) / TICKS) * 1000 <= at + SLACK
}

export function readMark(file: string): ProcessMark | undefined {
  try {
    const mark = JSON.parse(readFileSync(file, 'utf8')) as Partial<ProcessMark>
    // 0 and what is below it names groups of processes
    return Number.isSafeInteger(mark.pid) && mark.pid! > 0 && typeof mark.at === 'number'
      ? (mark as ProcessMark)
      : undefined
  } catch {
    return undefined
  }
}

/**
 * The living process that a file tells of. Not for a process that the permission model keeps from looking.
 * @param words what its command must have; of another process the file tells falsely
 */
export function livingMark(file: string, words?: readonly string[]): ProcessMark | undefined {
  const mark = readMark(file)
  if (!mark || !isAlive(mark)) return undefined
  return words && runsCommand(mark, words) === false ? undefined : mark
}

/** Whether the process that a mark was read of still runs. */
export const stillLives = (mark: ProcessMark): boolean => isAlive(mark)

/**
 * Write this process into a file that only one process can be in; false if there is one in it, dead or alive: see
 * `clearDead`.
 */
export function claimFile(file: string): boolean {
  const start = look(process.pid)?.start
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

/** Take a process that has ended, or is another one, out of the file. A living one stays, even if it came just now. */
export function clearDead(file: string, words?: readonly string[]): void {
  if (livingMark(file, words)) return
  const aside = `${file}.tmp-${process.pid}-dead`
  try {
    renameSync(file, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  if (livingMark(aside, words)) linkSync(aside, file)
  rmSync(aside, { force: true })
}

/** Take this process out of the file again. */
export function releaseFile(file: string): void {
  if (readMark(file)?.pid === process.pid) rmSync(file, { force: true })
}
