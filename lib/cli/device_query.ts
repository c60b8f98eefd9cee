import type { Command } from 'commander'
import { createEngine } from '../engines/index.js'
import { EngineError } from '../errors.js'
import { type Output, printJson, printText } from './output.js'

/** Engines by the names that --engine takes. */
const names = ['wasm', 'native', 'gpu', 'js']

export function addDeviceQuery(program: Command, output: Output): void {
  program
    .command('device-query')
    .description('Which engines run here, and on what: processor, system BLAS, GPU.')
    .option('--gpu <ids>', "Caffe's flag: accepted, all engines are listed")
    .option('--json', 'print the list as JSON')
    .action((options: { json?: boolean }) => query(options.json ?? false, output))
    .addHelpText(
      'after',
      `
Example:
  ristretto device-query --json`,
    )
}

/** An engine that starts, with the device it runs on; or why it does not start. */
interface Answer {
  engine: string
  runs: boolean
  detail: string
}

async function query(json: boolean, output: Output): Promise<void> {
  const answers: Answer[] = []
  for (const engine of names) {
    const answer = await ask(engine)
    answers.push(answer)
    if (!json) printText(output, `${answer.runs ? '✓' : '✗'} ${engine.padEnd(6)}  ${answer.detail}\n`)
  }
  if (json) printJson(output, answers)
}

async function ask(engine: string): Promise<Answer> {
  try {
    const { name, detail } = await createEngine(engine)
    return { engine, runs: true, detail: name === engine ? detail : `${name}, ${detail}` }
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    return { engine, runs: false, detail: error.message }
  }
}
