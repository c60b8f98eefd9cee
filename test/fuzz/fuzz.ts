/** Damaged input of every kind: drives child processes and watches over them. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ChildReport } from './child.js'

export interface FuzzOptions {
  readonly seed: number
  readonly from?: number
  readonly cases: number
  /** Name of the one target to run, whatever a case would choose. */
  readonly only?: string
  readonly processes?: number
  readonly log?: (line: string) => void
  /** The program that runs the cases, and the time in ms after which one of them counts as hanging. */
  readonly child?: string
  readonly hang?: number
}

export interface FuzzReport extends ChildReport {
  /** Number of cases that ran. */
  cases: number
}

/** Far above MAX_TIME. */
const HANG = 20_000
/** A case that computes has hung when it has computed for so long; one that waits, after so many times as long. */
const PATIENCE = 15
/** Cases of one process. */
const BLOCK = 3000

const CHILD = fileURLToPath(new URL('child.ts', import.meta.url))

export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { from = 0, cases, processes = 1, log = () => {} } = options
  const folder = mkdtempSync(join(tmpdir(), 'ristretto-fuzz-'))
  const report: FuzzReport = { outcomes: {}, failures: [], rss: [0, 0], cases: 0 }
  const size = Math.max(1, Math.min(BLOCK, Math.ceil(cases / processes)))
  let next = from
  const worker = async (w: number) => {
    while (next < from + cases) {
      let start = next
      const end = Math.min(from + cases, start + size)
      next = end
      while (start < end) {
        const part = await runBlock(join(folder, String(w)), options, start, end)
        add(report, part.report)
        start = part.done
      }
      log(`${report.cases} of ${cases} cases, ${report.failures.length} failures`)
    }
  }
  try {
    await Promise.all(Array.from({ length: processes }, (_, w) => worker(w)))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return report
}

/** Cases start … end−1, or as many of them as a child lives for. */
async function runBlock(
  base: string,
  options: FuzzOptions,
  start: number,
  end: number,
): Promise<{ report: ChildReport; done: number }> {
  const { seed, only, child = CHILD, hang = HANG } = options
  const files = [`${base}.progress`, `${base}.report`]
  for (const file of files) rmSync(file, { force: true })
  const args = [
    '--import',
    'tsx',
    '--expose-gc',
    child,
    String(seed),
    String(start),
    String(end),
    ...files,
    ...(only ? [only] : []),
  ]
  const process = spawn(globalThis.process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [process.stdout, process.stderr]) stream.on('data', data => (output += data))
  let seen = ''
  let since = performance.now()
  let computed = 0
  let hung = false
  const watchdog = setInterval(() => {
    const now = readOr(files[0])
    if (now !== seen) {
      seen = now
      since = performance.now()
      computed = cpuTime(process.pid!)
      return
    }
    // a process that has not come to its first case is only starting
    const limit = seen ? hang : HANG
    if (cpuTime(process.pid!) - computed > limit || performance.now() - since > PATIENCE * limit) {
      hung = true
      process.kill('SIGKILL')
    }
  }, 500)
  const code = await new Promise<string>(resolve =>
    process.on('close', (code, signal) => resolve(String(signal ?? code))),
  )
  clearInterval(watchdog)
  const report: ChildReport = JSON.parse(readOr(files[1]) || '{"outcomes":{},"failures":[],"rss":[0,0]}')
  if (globalThis.process.env.FUZZ_VERBOSE) globalThis.process.stdout.write(output)
  else if (output)
    report.failures.push({
      case: start,
      target: 'all',
      file: '',
      message: `something was printed: ${output.slice(0, 2000)}`,
    })
  if (code === '0') return { report, done: end }
  const last = readOr(files[0])
  if (!last) throw new Error(`the fuzzing process did not get as far as its first case: ${output}`)
  const number = Number(last)
  const what = hung ? `it hangs: no end after ${hang / 1000} s` : `the process ended with ${code}`
  report.failures.push({ case: number, target: '', file: '', message: what })
  return { report, done: number + 1 }
}

/** What a process has computed, in ms: other programs do not make it longer. Where it cannot be told, its waiting counts. */
function cpuTime(pid: number): number {
  // after the name in parentheses; hundredths of a second in user and system mode
  const fields = readOr(`/proc/${pid}/stat`).replace(/^.*\)/s, '').trim().split(' ')
  return 10 * (Number(fields[11]) + Number(fields[12])) || 0
}

function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function add(total: FuzzReport, part: ChildReport): void {
  for (const [target, counts] of Object.entries(part.outcomes))
    for (const [kind, count] of Object.entries(counts)) {
      const into = (total.outcomes[target] ??= {})
      into[kind] = (into[kind] ?? 0) + count
      total.cases += count
    }
  total.failures.push(...part.failures)
  if (part.rss[1] - part.rss[0] >= total.rss[1] - total.rss[0]) total.rss = part.rss
}
