import { basename } from 'node:path'
import type { Command } from 'commander'
import type { Chart } from '../plot/chart.js'
import { svgChart } from '../plot/svg_chart.js'
import { terminalChart } from '../plot/terminal_chart.js'
import { g6 } from '../system/format.js'
import { writeFileSafely } from '../system/write_file.js'
import { findRate, type RateSearch } from '../tools/find_rate.js'
import { addGpuFlag } from './gpu_flag.js'
import {
  addRunOptions,
  addStateOptions,
  list,
  number,
  type RunOptions,
  registerLayers,
  type StateOptions,
  whole,
} from './options.js'
import { type Output, print, printJson, resultFile } from './output.js'
import { ProgressBar } from './progress.js'

interface FindLrOptions extends RunOptions, StateOptions {
  solver: string
  weights?: string[]
  from: number
  to: number
  iterations: number
  output?: string
  json?: boolean
}

export function addFindLr(program: Command, output: Output): void {
  const command = program
    .command('find-lr')
    .usage('--solver <file> [options]')
    .description(
      'Find a learning rate to start with: train a little while the rate rises, and draw the loss against it.',
    )
    .requiredOption('--solver <file>', 'solver prototxt; its net is trained, nothing is tested or saved')
    .option('--weights <files>', '.caffemodel files to start from, separated by commas', list)
    .option('--from <rate>', 'the first rate', number, 1e-6)
    .option('--to <rate>', 'the last rate', number, 1)
    .option('--iterations <n>', 'how many iterations to go from the first to the last', whole(10), 100)
    .option('--output <file>', 'write an SVG picture instead of drawing in the terminal')
    .option('--json', 'print the points as one JSON object')
  addStateOptions(addGpuFlag(addRunOptions(command), output)).action((options: FindLrOptions) =>
    findLr(options, output),
  )
  command.addHelpText(
    'after',
    `
Examples:
  ristretto find-lr --solver lenet_solver.prototxt
  ristretto find-lr --solver lenet_solver.prototxt --from 1e-5 --to 10 --iterations 300 --output rates.svg`,
  )
}

async function findLr(options: FindLrOptions, output: Output): Promise<void> {
  const { engine, threads, seed, outputs, level, stage: stages, weights, from, to, iterations, json } = options
  if (options.output !== undefined) await resultFile(output, options.output)
  await registerLayers(options, output)
  const bar = output.out.isTTY && !json ? new ProgressBar(output, 'Searching', iterations, ['rate', 'loss']) : undefined
  let done = 0
  let search: RateSearch
  try {
    search = await findRate(options.solver, {
      ...{ engine, threads, seed, outputs, level, stages, weights, from, to, iterations },
      onPoint: ({ rate, smoothed }) => bar?.update(++done, { rate: g6(rate), loss: g6(smoothed) }),
    })
  } finally {
    bar?.stop()
  }
  if (options.output !== undefined)
    await writeFileSafely(
      options.output,
      new TextEncoder().encode(svgChart(chartOfRates(search, basename(options.solver)))),
    )
  if (json) return printJson(output, search)
  if (options.output === undefined) {
    const color = output.out.isTTY === true && !process.env['NO_COLOR']
    const size = { width: Math.min(output.out.columns ?? 80, 160), height: 16, color }
    // names in it are printable, and its colours are meant
    output.out.write(`${terminalChart(chartOfRates(search, basename(options.solver)), size).join('\n')}\n`)
  } else print(output, `${options.output}: ${search.points.length} iterations`)
  for (const line of verdict(search, to)) print(output, line)
}

/** What the curve says, in words. */
function verdict({ suggestion, lowest, end, points }: RateSearch, to: number): string[] {
  if (suggestion === undefined)
    return ['The loss fell by no more than batches differ: try more --iterations, then look at the data and the net.']
  const last = g6(points[points.length - 1].rate)
  return [
    `Falls fastest at ${g6(suggestion)}: a base_lr to start with.`,
    end === 'diverged'
      ? `Lowest at ${g6(lowest)}, blown up at ${last}: stay well below.`
      : `Lowest at ${g6(lowest)}; it had not blown up at ${last}${lowest > to / 2 ? `: --to ${g6(10 * to)} would show more` : ''}.`,
  ]
}

function chartOfRates({ points }: RateSearch, title: string): Chart {
  // where it blows up, the part that matters would be a flat line
  const first = points.slice(0, 10).map(({ loss }) => loss)
  const top = Math.max(...first) + 0.5 * Math.max(...first.map(Math.abs))
  const isCut = points.some(({ loss }) => loss > top)
  const curve = (name: string, value: 'loss' | 'smoothed') => ({
    name,
    kind: 'train' as const,
    run: 0,
    points: points.map(point => [point.rate, Math.min(point[value], top)] as const),
  })
  return {
    title,
    xLabel: 'learning rate',
    logarithmicX: true,
    panels: [
      {
        title: isCut ? `loss (what is above ${g6(top)} is drawn there)` : 'loss',
        logarithmic: false,
        series: [curve('each batch', 'loss'), curve('smoothed', 'smoothed')],
      },
    ],
  }
}
