import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Row } from './cases.js'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** 'InnerProduct' → 'inner_product', 'LSTMUnit' → 'lstm_unit': the rule of file names. */
const fileName = (type: string): string =>
  type
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()

/** A layer's own test file, by its type or the name of the file. */
const ownTestFile = (type: string): string | undefined =>
  [fileName(type), type.toLowerCase()]
    .map(name => `test/layers/${name}.test.ts`)
    .find(path => existsSync(join(root, path)))

/** A layer's own test file under vitest, with its gradient checks: one row, for the host engines that are named. */
export function ownTests(type: string, engines: readonly string[]): Promise<Row> | undefined {
  const file = ownTestFile(type)
  return file === undefined ? undefined : run(file, engines)
}

async function run(file: string, engines: readonly string[]): Promise<Row> {
  const folder = await mkdtemp(join(tmpdir(), 'ristretto-try-'))
  try {
    const report = join(folder, 'report.json')
    const vitest = join(root, 'node_modules/vitest/vitest.mjs')
    const args = [vitest, 'run', file, '--reporter=json', `--outputFile.json=${report}`]
    const begun = performance.now()
    const said = await new Promise<string>(resolve => {
      const env = { ...process.env, RISTRETTO_ENGINES: engines.join(',') }
      const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'ignore', 'pipe'] })
      let text = ''
      child.stderr.on('data', (part: Buffer) => {
        text += part
      })
      child.on('close', () => resolve(text))
    })
    const json = await readFile(report, 'utf8').catch(() => undefined)
    const failure = (lines: readonly string[]): Row => {
      const ms = performance.now() - begun
      return { engine: engines.join(', '), what: file, cases: lines.length, passed: 0, ms, failures: lines }
    }
    if (json === undefined) return failure([said.trim() || 'vitest says nothing'])
    const { testResults } = JSON.parse(json) as { testResults: Report[] }
    const broken = testResults.filter(({ message, assertionResults }) => message && assertionResults.length === 0)
    if (broken.length > 0) return failure(broken.map(({ message }) => message))
    const tests = testResults
      .flatMap(({ assertionResults }) => assertionResults)
      .filter(({ status }) => status !== 'skipped')
    const failed = tests.filter(({ status }) => status !== 'passed')
    const failures = failed.map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages[0]?.split('\n')[0]}`)
    return { ...failure(failures), cases: tests.length, passed: tests.length - failed.length }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** What is read of vitest's report. */
interface Report {
  readonly message: string
  readonly assertionResults: readonly {
    readonly fullName: string
    readonly status: string
    readonly failureMessages: readonly string[]
  }[]
}
