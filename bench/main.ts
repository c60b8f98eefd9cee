/**
 * Everything side by side: our engines and their peers on the same nets, in turn, so that whatever else the machine
 * does meets all of them. See docs/benchmarks.md, or:
 *
 *   npm run bench -- --help
 */
import { writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { goalsText, type Peak } from './goals.js'
import { engines } from './lanes.js'
import { layersText } from './layers.js'
import { librariesText } from './libraries.js'
import { type Measured, measure } from './measure.js'
import { nets } from './nets/index.js'
import { type Job, median, type Refused, type Row } from './protocol.js'
import { type Cell, table } from './table.js'

const HELP = `npm run bench -- [options]
  --nets LIST      of ${Object.keys(nets).join(', ')} (default: all)
  --engines LIST   of ${Object.keys(engines).join(', ')} (default: all)
  --modes LIST     of train, inference (default: both)
  --threads LIST   default: 1,2 (as far as there are cores)
  --rounds N       samples of every engine, at least 5 (default: 7)
  --quick          short samples, 5 rounds, and peers left out that take seconds to train LeNet
  --json FILE      write { machine, peak, rows } there
  --layers NET     where the time goes in NET, layer by layer, instead of the comparison
BENCH_CAFFE=path of a caffe binary adds \`caffe time\`, BENCH_TORCH=path of a python3 with torch PyTorch.`

const { values: options } = parseArgs({
  options: {
    nets: { type: 'string' },
    engines: { type: 'string' },
    modes: { type: 'string', default: 'train,inference' },
    threads: { type: 'string' },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    layers: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const INFERENCE_BATCHES = [1, 16]
const PEAK_SIZE = 1024
const OURS = ['wasm', 'native']

function listOf(name: string, value: string | undefined, known: readonly string[]): string[] {
  const list = value === undefined ? [...known] : value.split(',').filter(item => item)
  for (const item of list)
    if (!known.includes(item)) throw new Error(`--${name}: there is no '${item}'; known: ${known.join(', ')}`)
  return list
}

function jobsOf(net: string, modes: readonly string[]): Job[] {
  const jobs: Job[] = modes.includes('train') ? [{ net, mode: 'train', batch: nets[net].batch }] : []
  if (modes.includes('inference')) for (const batch of INFERENCE_BATCHES) jobs.push({ net, mode: 'inference', batch })
  return jobs
}

function rowsOf(job: Job, measured: readonly Measured[]): Row[] {
  return measured.flatMap(({ engine, threads, times, least, n }) =>
    (['train', 'update', 'inference'] as const).flatMap(mode => {
      const ms = times[mode]
      return ms === undefined
        ? []
        : [{ net: job.net, mode, batch: job.batch, engine, threads, ms, least: least[mode]!, n }]
    }),
  )
}

/** A job's table: how often a peer's pass fits into ours is the last column, on as many threads as the peer has. */
function jobText(job: Job, measured: readonly Measured[]): string {
  const ours = (threads: number) => measured.find(m => m.engine === 'wasm' && m.threads === threads)?.times[job.mode]
  const training = job.mode === 'train'
  const rows = measured.map(({ engine, threads, times, least, detail, deviation, n }): Cell[] => {
    const ms = times[job.mode]!
    const wasm = ours(threads)
    return [
      engine,
      threads,
      ms,
      least[job.mode]!,
      ...(training ? [times.update] : []),
      n,
      wasm === undefined ? '' : `${(ms / wasm).toFixed(2)}×`,
      deviation === undefined ? '' : deviation.toExponential(0),
      detail,
    ]
  })
  const what = training ? 'forward + backward' : 'inference'
  const head = ['engine', 'threads', 'ms', 'least', ...(training ? ['update'] : []), 'n', '× wasm', 'deviation', '']
  return `${nets[job.net].title}, ${what}, batch ${job.batch}\n${table(head, rows)}`
}

function refusedText(refused: readonly Refused[]): string {
  const places = new Map<string, Set<string>>()
  for (const { engine, net, mode, batch, reason } of refused) {
    const key = `${engine}: ${reason}`
    places.set(key, (places.get(key) ?? new Set()).add(`${net} ${mode} ${batch}`))
  }
  const lines = [...places].map(
    ([key, jobs]) => `  ${key} [${jobs.size > 4 ? `${jobs.size} cases` : [...jobs].join(', ')}]`,
  )
  return lines.length ? `Not run\n${lines.join('\n')}\n` : ''
}

const peakOf = (matrices: readonly Measured[]): Peak => {
  const peak: Peak = {}
  for (const { engine, threads, times } of matrices)
    peak[engine] = { ...peak[engine], [threads]: (2 * PEAK_SIZE ** 3) / times.gemm! / 1e6 }
  return peak
}

function medianPeak(peaks: readonly Peak[]): Peak {
  const places = new Set(peaks.flatMap(peak => Object.keys(peak)))
  return Object.fromEntries(
    [...places].map(engine => {
      const counts = new Set(peaks.flatMap(peak => Object.keys(peak[engine] ?? {}).map(Number)))
      const of = (count: number) => median(peaks.flatMap(peak => peak[engine]?.[count] ?? []))
      return [engine, Object.fromEntries([...counts].map(count => [count, of(count)]))]
    }),
  )
}

async function main(): Promise<void> {
  if (options.help) return console.log(HELP)
  const cores = availableParallelism()
  const threads = (options.threads ?? [1, 2].filter(count => count <= cores).join()).split(',').map(Number)
  if (threads.some(count => !Number.isInteger(count) || count < 1))
    throw new Error(`--threads: ${options.threads} is no list of whole numbers`)
  const rounds = Number(options.rounds ?? (options.quick ? 5 : 7))
  if (!Number.isInteger(rounds) || rounds < 5)
    throw new Error(`--rounds must be a whole number from 5 on, not ${options.rounds}`)
  const chosen = listOf('engines', options.engines, Object.keys(engines))
  if (options.layers) {
    const [net] = listOf('layers', options.layers, Object.keys(nets))
    return console.log(
      await layersText(
        net,
        chosen.filter(engine => OURS.includes(engine)),
        threads,
        rounds,
      ),
    )
  }
  const modes = listOf('modes', options.modes, ['train', 'inference'])
  const lanes = chosen.flatMap(engine =>
    (engines[engine].oneThread ? [1] : threads).map(count => [engine, count] as const),
  )
  const pace = options.quick
    ? { sample: 40, warmUp: 5, rounds, quick: true }
    : { sample: 150, warmUp: 10, rounds, quick: false }

  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores,
    memory: totalmem(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    date: new Date().toISOString(),
    load: loadavg()[0],
  }
  console.log(`${machine.cpu}, ${cores} cores, Node ${machine.node}, load ${machine.load.toFixed(1)}\n`)
  if (machine.load > 0.5) console.log('Other programs are computing: only the ratios say something, and they little.\n')

  const refused: Refused[] = []
  const rows: Row[] = []
  // measured with every net, since what else the machine does may change
  const peaks: Record<string, Peak> = {}
  let blas: string | undefined
  for (const net of listOf('nets', options.nets, Object.keys(nets))) {
    const jobs = jobsOf(net, modes)
    const [matrices, ...results] = await measure(
      [{ net: String(PEAK_SIZE), mode: 'gemm', batch: 1 }, ...jobs],
      lanes,
      pace,
      refused,
    )
    peaks[net] = peakOf(matrices)
    blas = matrices.find(({ engine }) => engine === 'native')?.detail
    jobs.forEach((job, i) => {
      rows.push(...rowsOf(job, results[i]))
      console.log(jobText(job, results[i]))
    })
    const peak = medianPeak(Object.values(peaks))
    if (options.json)
      await writeFile(options.json, `${JSON.stringify({ machine, peak, rows, refused }, undefined, 1)}\n`)
  }
  const gflops = Object.entries(medianPeak(Object.values(peaks))).map(([engine, by]): Cell[] => [
    engine,
    ...threads.map(count => by[count]),
  ])
  const head = ['engine', ...threads.map(count => `${count} thread${count > 1 ? 's' : ''}`)]
  console.log(`Product of ${PEAK_SIZE}×${PEAK_SIZE} matrices, GFLOPS\n${table(head, gflops)}`)
  if (chosen.includes('native')) console.log(await librariesText(PEAK_SIZE, threads, pace))
  console.log(goalsText(rows, peaks, blas))
  console.log(refusedText(refused.filter(({ mode }) => mode !== 'gemm')))
  const ownFailures = refused.filter(({ engine }) => engine === 'wasm')
  if (ownFailures.length) process.exitCode = 1
}

main().catch(error => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})
