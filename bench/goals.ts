import { nets } from './nets/index.js'
import type { Row } from './protocol.js'
import { table } from './table.js'

/** GFLOPS of a product of 1024×1024 matrices, by engine and number of threads. */
export type Peak = Record<string, Record<number, number>>

/** Forward and backward on 2 threads, in ms, and the 1024³ GFLOPS of the machine that the goals were set on. */
const REFERENCE = { threads: 2, 'onnxruntime-web': 57, OpenBLAS: 354, oneDNN: 387, 'onnxruntime-node': 285 }
const TRAINING: Record<string, Record<'wasm' | 'native', { readonly hold: number; readonly reach: number }>> = {
  lenet: { wasm: { hold: 10.5, reach: 8 }, native: { hold: 7, reach: 5.5 } },
  cifar10_quick: { wasm: { hold: 75, reach: 55 }, native: { hold: 42, reach: 32 } },
  caffenet: { wasm: { hold: 430, reach: 350 }, native: { hold: 220, reach: 160 } },
  googlenet: { wasm: { hold: 115, reach: 85 }, native: { hold: 65, reach: 50 } },
  squeezenet: { wasm: { hold: 26, reach: 19 }, native: { hold: 17, reach: 13 } },
}
/** How many times as fast as the peer, on as many threads. */
const INFERENCE = [
  { engine: 'wasm', peer: 'onnxruntime-web', times: 1.7, batches: [1, 16] },
  { engine: 'wasm', peer: 'tfjs-wasm', times: 2, batches: [1, 16] },
  { engine: 'native', peer: 'onnxruntime-node', times: 1, batches: [1, 16] },
]
/** One thread's time over that of two, for nets that train with more than one item: CaffeNet waits for memory. */
const SCALING = { others: 1.8, caffenet: 1.6 }

/**
 * The goals beside what was measured. Goals in ms are scaled by the 1024³ products of the same minutes; `blas` is the
 * native engine's library.
 */
export function goalsText(rows: readonly Row[], peaks: Record<string, Peak>, blas = ''): string {
  const names = Object.keys(nets).filter(net => !nets[net].noGoal)
  const find = (net: string, mode: Row['mode'], engine: string, threads: number, batch = nets[net].batch) =>
    rows.find(
      row =>
        row.net === net && row.mode === mode && row.engine === engine && row.threads === threads && row.batch === batch,
    )?.ms
  const parts: string[] = []

  for (const engine of ['wasm', 'native'] as const) {
    const lines = Object.entries(TRAINING).flatMap(([net, goals]) => {
      const ms = find(net, 'train', engine, REFERENCE.threads)
      const scale = scaleOf(engine, peaks[net] ?? {}, blas)
      if (ms === undefined || !scale) return []
      const [hold, reach] = [goals[engine].hold * scale.factor, goals[engine].reach * scale.factor]
      const verdict = ms <= reach ? 'reached' : ms <= hold ? 'held' : `short: ${(ms / hold).toFixed(2)}× hold`
      return [[nets[net].title, ms, hold, reach, verdict, scale.factor, scale.why]]
    })
    if (lines.length)
      parts.push(
        `Goals for training on ${engine}, ${REFERENCE.threads} threads, ms`,
        table(['net', 'measured', 'hold', 'reach', '', 'scaled by', 'as 1024³ has GFLOPS'], lines),
      )
  }

  const speeds = INFERENCE.flatMap(({ engine, peer, times, batches }) =>
    names.flatMap(net =>
      batches.flatMap(batch =>
        [1, 2].flatMap(threads => {
          const [ours, theirs] = [engine, peer].map(name => find(net, 'inference', name, threads, batch))
          if (ours === undefined || theirs === undefined) return []
          const factor = theirs / ours
          return [
            [
              nets[net].title,
              batch,
              threads,
              `${engine} : ${peer}`,
              `${factor.toFixed(2)}×`,
              `≥ ${times}×`,
              factor >= times ? 'held' : 'short',
            ],
          ]
        }),
      ),
    ),
  )
  if (speeds.length)
    parts.push('Goals for inference', table(['net', 'batch', 'threads', '', 'measured', 'goal', ''], speeds))

  const scaling = ['wasm', 'native'].flatMap(engine =>
    names.flatMap(net => {
      const [one, two] = [1, 2].map(threads => find(net, 'train', engine, threads))
      if (one === undefined || two === undefined || nets[net].batch === 1) return []
      const goal = net === 'caffenet' ? SCALING.caffenet : SCALING.others
      return [
        [nets[net].title, engine, `${(one / two).toFixed(2)}×`, `≥ ${goal}×`, one / two >= goal ? 'held' : 'short'],
      ]
    }),
  )
  if (scaling.length)
    parts.push('Goals for training on 2 threads against 1', table(['net', 'engine', 'measured', 'goal', ''], scaling))
  return parts.join('\n')
}

/** How much longer than on the reference machine things may take here. */
function scaleOf(engine: 'wasm' | 'native', peak: Peak, blas: string): { factor: number; why: string } | undefined {
  const ratio = (name: string, reference: number) => {
    const measured = peak[name]?.[REFERENCE.threads]
    return measured
      ? { factor: reference / measured, why: `${name} ${measured.toFixed(0)} here, ${reference} there` }
      : undefined
  }
  if (engine === 'wasm') return ratio('onnxruntime-web', REFERENCE['onnxruntime-web'])
  return (
    ratio('native', blas.includes('oneDNN') ? REFERENCE.oneDNN : REFERENCE.OpenBLAS) ??
    ratio('onnxruntime-node', REFERENCE['onnxruntime-node'])
  )
}
