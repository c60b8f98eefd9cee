import { basename, join } from 'node:path'
import { type Command, Option } from 'commander'
import { writeFileSafely } from '../system/write_file.js'
import type { LogRow } from '../tools/parse_log.js'
import { readLogFile } from './log_file.js'
import { type Output, print, printJson, printText, resultFile } from './output.js'

interface ParseLogOptions {
  table?: 'train' | 'test'
  delimiter: string
  json?: boolean
}

export function addParseLog(program: Command, output: Output): void {
  program
    .command('parse-log')
    .description(
      "Tables of a training log, Caffe's or ours: iteration, seconds, learning rate and every output, for training and for tests.",
    )
    .argument('<log>', 'what train printed')
    .argument('[folder]', 'write <log>.train and <log>.test there, instead of printing')
    .addOption(new Option('--table <which>', 'one of the two tables (default: both)').choices(['train', 'test']))
    .option('--delimiter <text>', 'what stands between two columns', ',')
    .option('--json', 'print both tables as one JSON object')
    .action((log, folder, options: ParseLogOptions) => parseLogFile(log, folder, options, output))
    .addHelpText(
      'after',
      `
Examples:
  ristretto parse-log train.log .
  ristretto parse-log train.log --table test > test.csv
  ristretto parse-log train.log --json`,
    )
}

async function parseLogFile(
  log: string,
  folder: string | undefined,
  options: ParseLogOptions,
  output: Output,
): Promise<void> {
  if (folder !== undefined && !options.json) await resultFile(output, join(folder, basename(log)))
  const { train, test } = await readLogFile(log)
  const tables = { train: table(train), test: table(test) }
  const names = options.table ? [options.table] : (['train', 'test'] as const)
  if (options.json) {
    printJson(output, Object.fromEntries(names.map(name => [name, objects(tables[name])])))
    return
  }
  if (folder === undefined) {
    printText(output, `${names.map(name => csv(tables[name], options.delimiter)).join('\n\n')}\n`)
    return
  }
  for (const name of names) {
    const file = join(folder, `${basename(log)}.${name}`)
    await writeFileSafely(file, new TextEncoder().encode(`${csv(tables[name], options.delimiter)}\n`))
    print(output, `${file}: ${tables[name].rows.length} rows`)
  }
}

interface Table {
  readonly columns: string[]
  readonly rows: (number | undefined)[][]
}

/** The columns of Caffe's parse_log, with its numbers; of several test nets each row says which. */
function table(rows: readonly LogRow[]): Table {
  const nets = rows.some(row => row.net > 0)
  const names = [...new Set(rows.flatMap(row => [...row.outputs.keys()]))]
  return {
    columns: ['NumIters', 'Seconds', 'LearningRate', ...(nets ? ['TestNet'] : []), ...names],
    rows: rows.map(({ iteration, seconds, rateBefore, net, outputs }) => [
      iteration,
      seconds,
      rateBefore,
      ...(nets ? [net] : []),
      ...names.map(name => outputs.get(name)),
    ]),
  }
}

function csv({ columns, rows }: Table, delimiter: string): string {
  const cell = (value: string | number | undefined): string => {
    if (typeof value === 'number') return Number.isNaN(value) ? 'nan' : String(value).replace('Infinity', 'inf')
    const text = value ?? ''
    return text.includes(delimiter) || text.includes('"') ? `"${text.replaceAll('"', '""')}"` : text
  }
  return [columns, ...rows].map(row => row.map(cell).join(delimiter)).join('\n')
}

/** Rows as objects; JSON knows no NaN and infinity, which become null. */
const objects = ({ columns, rows }: Table): Record<string, number>[] =>
  rows.map(row => Object.fromEntries(columns.flatMap((column, i) => (row[i] === undefined ? [] : [[column, row[i]]]))))
