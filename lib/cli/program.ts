import { createRequire } from 'node:module'
import { Command, CommanderError } from 'commander'
import { systemError } from '../errors.js'
import { printableLines } from '../system/escape.js'
import { nearestName } from '../system/names.js'
import { errorText } from './error_text.js'
import { normalizeArguments, unknownFlag } from './gflags.js'
import { type Output, printText } from './output.js'

/** Exit codes: done, failed while running, used wrongly. */
export const exitCodes = { ok: 0, error: 1, usage: 2 } as const

type Add = (program: Command, output: Output) => void

/**
 * The commands, in the order of the help: one file and one line each. A command line imports the one that it names:
 * what the others need takes time, memory and open files.
 */
const commands: Record<string, () => Promise<Add>> = {
  studio: async () => (await import('./studio.js')).addStudio,
  new: async () => (await import('./new_project.js')).addNew,
  train: async () => (await import('./train.js')).addTrain,
  test: async () => (await import('./test.js')).addTest,
  'find-lr': async () => (await import('./find_lr.js')).addFindLr,
  time: async () => (await import('./time.js')).addTime,
  classify: async () => (await import('./classify.js')).addClassify,
  detect: async () => (await import('./detect.js')).addDetect,
  archive: async () => (await import('./archive.js')).addArchive,
  show: async () => (await import('./show.js')).addShow,
  'extract-features': async () => (await import('./extract_features.js')).addExtractFeatures,
  'make-dataset': async () => (await import('./make_dataset.js')).addMakeDataset,
  'convert-mnist': async () => (await import('./convert_mnist.js')).addConvertMnist,
  'convert-imageset': async () => (await import('./convert_imageset.js')).addConvertImageset,
  'convert-annoset': async () => (await import('./convert_annoset.js')).addConvertAnnoset,
  'compute-image-mean': async () => (await import('./compute_image_mean.js')).addComputeImageMean,
  convert: async () => (await import('./convert.js')).addConvert,
  'upgrade-net': async () => (await import('./upgrade_net.js')).addUpgradeNet,
  'upgrade-solver': async () => (await import('./upgrade_solver.js')).addUpgradeSolver,
  draw: async () => (await import('./draw.js')).addDraw,
  'parse-log': async () => (await import('./parse_log.js')).addParseLog,
  'plot-log': async () => (await import('./plot_log.js')).addPlotLog,
  summarize: async () => (await import('./summarize.js')).addSummarize,
  check: async () => (await import('./check.js')).addCheck,
  'check-layer': async () => (await import('./check_layer.js')).addCheckLayer,
  'device-query': async () => (await import('./device_query.js')).addDeviceQuery,
}

/** The command that the words name; all of them where they name none, for the help and for the nearest name. */
async function addsOf(argv: readonly string[]): Promise<Add[]> {
  const word = argv.find(word => !word.startsWith('-')) ?? ''
  const named = Object.hasOwn(commands, word) ? [commands[word]] : Object.values(commands)
  const adds: Add[] = []
  try {
    // one after the other: together they would hold all their files open
    for (const add of named) adds.push(await add())
  } catch (error) {
    throw systemError(
      "the command's own files cannot be read (if too many are open, raise the number that may be: ulimit -n 256)",
      error,
    )
  }
  return adds
}

/** Run one command line; resolves to the exit code. */
export async function run(argv: readonly string[], output: Output): Promise<number> {
  let program: Command | undefined
  try {
    program = createProgram(output, await addsOf(argv))
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
    // a worker's errors are its supervisor's to print
    if (await isWorker()) throw error
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    const debug = program?.opts()['debug'] === true
    const color = output.err.isTTY === true && !process.env['NO_COLOR']
    output.err.write(`${errorText(error, { debug, color })}\n`)
    return exitCodes.error
  }
}

/** Whether this is a thread of a program that has started it. */
async function isWorker(): Promise<boolean> {
  const { isMainThread, workerData } = await import('node:worker_threads')
  return !isMainThread && (workerData as { ristrettoGroup?: unknown } | null)?.ristrettoGroup !== undefined
}

function refuse(command: Command, flag: string): never {
  const flags = command.options.flatMap(({ long }) => (long ? [long] : []))
  const near = nearestName(flag, flags)
  return command.error(
    `error: unknown option '${flag}'${near.close ? `\n(Did you mean ${near.name}?)` : `; ristretto ${command.name()} --help lists them`}`,
  )
}

function createProgram(output: Output, adds: readonly Add[]): Command {
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
  for (const add of adds) add(program, output)
  return program
}
