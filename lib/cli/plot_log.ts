import { basename } from 'node:path'
import { type Command, Option } from 'commander'
import { RistrettoError } from '../errors.js'
import { type Chart, chartOf } from '../plot/chart.js'
import { svgChart } from '../plot/svg_chart.js'
import { terminalChart } from '../plot/terminal_chart.js'
import { writeFileSafely } from '../system/write_file.js'
import { readLogFile } from './log_file.js'
import { list, whole } from './options.js'
import { type Output, print, resultFile } from './output.js'

interface PlotLogOptions {
  output?: string
  x: 'iterations' | 'seconds'
  fields?: string[]
  logScale?: boolean
  width?: number
  height?: number
}

export function addPlotLog(program: Command, output: Output): void {
  program
    .command('plot-log')
    .description(
      "Draw the losses, accuracies and other outputs in training logs, Caffe's or ours: in the terminal, or as an SVG picture.",
    )
    .argument('<logs...>', 'what train printed; several runs share one picture')
    .option('--output <file>', 'write an SVG picture instead')
    .addOption(
      new Option('--x <axis>', 'what curves run over').choices(['iterations', 'seconds']).default('iterations'),
    )
    .option(
      '--fields <names>',
      'outputs to draw, separated by commas; lr is the learning rate (default: all but lr)',
      list,
    )
    .option('--log-scale', 'losses on a logarithmic axis')
    .option(
      '--width <n>',
      'characters (default: those of the terminal), or pixels of the SVG (default: 800)',
      whole(20),
    )
    .option('--height <n>', 'lines (default: 12), or pixels of the SVG (default: 260), of each panel', whole(4))
    .action((logs, options: PlotLogOptions) => plotLog(logs, options, output))
    .addHelpText(
      'after',
      `
Examples:
  ristretto plot-log train.log
  ristretto plot-log train.log --output training.svg --log-scale
  ristretto plot-log sgd.log adam.log --fields accuracy --x seconds`,
    )
}

async function plotLog(logs: string[], options: PlotLogOptions, output: Output): Promise<void> {
  const { x, fields, logScale: logarithmic = false, width, height } = options
  if (options.output !== undefined) await resultFile(output, options.output)
  const runs = await Promise.all(logs.map(async file => ({ name: basename(file), log: await readLogFile(file) })))
  const chart = chartOf(runs, { x, fields, logarithmic })
  if (!chart.panels.length) {
    const rows = runs.flatMap(({ log }) => [...log.train, ...log.test])
    if (x === 'seconds' && rows.every(row => Number.isNaN(row.seconds)))
      throw new RistrettoError(`${logs.join(', ')}: the lines have no times; leave out --x seconds`)
    const known = [...new Set(rows.flatMap(row => [...row.outputs.keys()])), 'lr']
    throw new RistrettoError(
      `${logs.join(', ')}: no output is named ${fields?.join(' or ')}; there are ${known.join(', ')}`,
    )
  }
  if (options.output === undefined) {
    const color = output.out.isTTY === true && !process.env['NO_COLOR']
    printChart(chart, { width: width ?? Math.min(output.out.columns ?? 80, 160), height: height ?? 12, color }, output)
    return
  }
  await writeFileSafely(
    options.output,
    new TextEncoder().encode(svgChart(chart, Math.max(200, width ?? 800), Math.max(120, height ?? 260))),
  )
  print(output, `${options.output}: ${chart.panels.map(panel => panel.title).join(', ')}`)
}

function printChart(chart: Chart, options: Parameters<typeof terminalChart>[1], output: Output): void {
  // names in it are printable, and its colours are meant
  output.out.write(`${terminalChart(chart, options).join('\n')}\n`)
}
