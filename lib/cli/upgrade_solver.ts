import type { Command } from 'commander'
import { FormatError } from '../errors.js'
import { printSolver } from '../proto/print.js'
import { parseSolver } from '../proto/text.js'
import { upgradeSolver } from '../proto/upgrade_solver.js'
import { writeFileSafely } from '../system/write_file.js'
import { readBytes, textOf } from './input_file.js'
import { type Output, print, printText, resultFile } from './output.js'

export function addUpgradeSolver(program: Command, output: Output): void {
  program
    .command('upgrade-solver')
    .alias('upgrade-solver-proto-text')
    .description('Bring the solver prototxt of an older Caffe version up to date: its solver_type becomes a type.')
    .argument('<input>', 'the old file')
    .argument('[output]', 'the new file; left out, it is printed')
    .action((input, file) => upgrade(input, file, output))
    .addHelpText(
      'after',
      `
Example:
  ristretto upgrade-solver old_solver.prototxt solver.prototxt`,
    )
}

async function upgrade(input: string, file: string | undefined, output: Output): Promise<void> {
  if (file !== undefined) await resultFile(output, file)
  const text = textOf(await readBytes(input))
  if (text === undefined) throw new FormatError(`${input}: a solver is a prototxt, this file is no text`)
  const old = parseSolver(text, { file: input })
  const solver = upgradeSolver(old)
  if (file === undefined) {
    printText(output, printSolver(solver))
    return
  }
  await writeFileSafely(file, new TextEncoder().encode(printSolver(solver)))
  if (solver === old) print(output, `${input} is in the latest form already`)
  print(output, `Wrote upgraded SolverParameter text proto to ${file}`)
}
