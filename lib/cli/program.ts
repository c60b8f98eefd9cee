import { createRequire } from 'node:module'
import { Command, CommanderError } from 'commander'
import { printableLines } from '../system/escape.js'
import { nearestName } from '../system/names.js'
import { addCheckLayer } from './check_layer.js'
import { addClassify } from './classify.js'
import { addComputeImageMean } from './compute_image_mean.js'
import { addConvertImageset } from './convert_imageset.js'
import { addConvertMnist } from './convert_mnist.js'
import { addDeviceQuery } from './device_query.js'
import { addDraw } from './draw.js'
import { errorText } from './error_text.js'
import { addExtractFeatures } from './extract_features.js'
import { normalizeArguments, unknownFlag } from './gflags.js'
import { type Output, printText } from './output.js'
import { addParseLog } from './parse_log.js'
import { addPlotLog } from './plot_log.js'
import { addSummarize } from './summarize.js'
import { addTest } from './test.js'
import { addTime } from './time.js'
import { addTrain } from './train.js'
import { addUpgradeNet } from './upgrade_net.js'
import { addUpgradeSolver } from './upgrade_solver.js'

/** Exit codes: done, failed while running, used wrongly. */
export const exitCodes = { ok: 0, error: 1, usage: 2 } as const

/** The commands, in the order of the help: one file and one line each. */
const commands = [
  ...[addTrain, addTest, addTime, addClassify, addExtractFeatures],
  ...[addConvertMnist, addConvertImageset, addComputeImageMean],
  ...[addUpgradeNet, addUpgradeSolver, addDraw, addParseLog, addPlotLog],
  ...[addSummarize, addCheckLayer, addDeviceQuery],
]

/** Run one command line; resolves to the exit code. */
export async function run(argv: readonly string[], output: Output): Promise<number> {
  const program = createProgram(output)
  try {
    if (!argv.length) {
      output.err.write(program.helpInformation())
      return exitCodes.usage
    }
    const words = normalizeArguments(program, argv)
    const unknown = unknownFlag(program, words)
    if (unknown) refuse(unknown.command, unknown.flag)
    await program.parseAsync(words, { from: 'user' })
    return exitCodes.ok
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    const debug = program.opts()['debug'] === true
    const color = output.err.isTTY === true && !process.env['NO_COLOR']
    output.err.write(`${errorText(error, { debug, color })}\n`)
    return exitCodes.error
  }
}

function refuse(command: Command, flag: string): never {
  const flags = command.options.flatMap(({ long }) => (long ? [long] : []))
  const near = nearestName(flag, flags)
  return command.error(
    `error: unknown option '${flag}'${near.close ? `\n(Did you mean ${near.name}?)` : `; ristretto ${command.name()} --help lists them`}`,
  )
}

function createProgram(output: Output): Command {
  const { version } = createRequire(import.meta.url)('ristretto/package.json') as { version: string }
  const program = new Command('ristretto')
    .description('Caffe, concentrated: train, test and time nets described by prototxts.')
    .version(version, '--version')
    .option('--debug', 'show where an error comes from')
    .configureOutput({
      writeOut: text => printText(output, text),
      writeErr: text => output.err.write(printableLines(text)),
    })
    // names alone leave room for what the commands do
    .configureHelp({ showGlobalOptions: true, subcommandTerm: command => command.name() })
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      `
Example:
  ristretto train --solver lenet_solver.prototxt

gflags spelling works too: -solver x, --solver=x, --sigint_effect stop. ristretto <command> --help shows more.`,
    )
  for (const add of commands) add(program, output)
  return program
}
