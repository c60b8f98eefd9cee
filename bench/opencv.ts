/**
 * MobileNet-SSD on a picture of 300×300, beside OpenCV's dnn with the same weights: values, then times in turns.
 *
 *   npx tsx bench/opencv.ts [--engine wasm | native] [--threads N] [--passes N] [--layers]
 *
 * Needs a python3 with cv2 before version 5 (Debian: python3-opencv). Times are of the processor, summed over threads, so that what else
 * runs on the machine does not count, and of the wall.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { Net, parseNet, printNet } from '../lib/index.js'
import { RandomStream } from '../lib/rng.js'
import { mobileNetSsd } from './nets/mobilenet_ssd.js'
import { median } from './protocol.js'

const { values: options } = parseArgs({
  options: {
    engine: { type: 'string', default: 'wasm' },
    threads: { type: 'string', default: '1' },
    passes: { type: 'string', default: '20' },
    layers: { type: 'boolean', default: false },
    python: { type: 'string', default: '/usr/bin/python3' },
  },
})
const threads = Number(options.threads)
const folder = mkdtempSync(join(tmpdir(), 'bench-opencv-'))
const files = { prototxt: join(folder, 'net.prototxt'), model: join(folder, 'net.caffemodel') }
/** Compared; the first is the net's output. */
const compared = ['detection_out', 'scores', 'mbox_loc', 'mbox_priorbox']

interface Pass {
  readonly wall: number
  readonly cpu: number
  readonly layers?: Record<string, number>
}

const description = parseNet(mobileNetSsd())
const net = await Net.create(description, {
  phase: 'TEST',
  engine: options.engine,
  threads,
  seed: 1,
  optimize: 'inference',
  keep: compared,
})
const random = new RandomStream(1, 'picture')
const data = Float32Array.from({ length: 3 * 300 * 300 }, () => 2 * random.uniform() - 1)
writeFileSync(files.prototxt, printNet(description))
const whole = await Net.create(description, { phase: 'TEST', engine: 'wasm', threads, seed: 1 })
writeFileSync(files.model, await whole.toBytes())
whole.dispose()
writeFileSync(join(folder, 'input.f32'), new Uint8Array(data.buffer))

const python = spawn(options.python, [new URL('opencv_process.py', import.meta.url).pathname], {
  stdio: ['pipe', 'pipe', 'inherit'],
})
const lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]()
const ask = async (line: string): Promise<unknown> => {
  python.stdin.write(`${line}\n`)
  const { value, done } = await lines.next()
  if (done) throw new Error(`${options.python} has ended: it has to have cv2`)
  return JSON.parse(value as string)
}

try {
  const job = {
    ...files,
    threads,
    input: join(folder, 'input.f32'),
    shape: [1, 3, 300, 300],
    outputs: compared,
    folder,
  }
  const { version } = (await ask(JSON.stringify(job))) as { version: string }
  const outputs = await net.forward({ data }, { blobs: compared })
  console.log(`OpenCV ${version}; ${net.engine.name}, ${net.engine.detail}`)
  for (const name of compared) {
    const bytes = readFileSync(join(folder, `${name}.f32`))
    const theirs = rows(name, new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4))
    const ours = rows(name, outputs[name].data as Float32Array)
    const largest = ours.reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i])), 0)
    console.log(
      `${name}: ${ours.length} values here, ${theirs.length} there, largest difference ${largest.toExponential(1)}`,
    )
  }
  const here: Pass[] = []
  const there: Pass[] = []
  for (let pass = 0; pass < Number(options.passes) + 3; pass++) {
    const start = [performance.now(), process.cpuUsage()] as const
    await net.forward({ data })
    const cpu = process.cpuUsage(start[1])
    const own = { wall: performance.now() - start[0], cpu: (cpu.user + cpu.system) / 1000 }
    const other = (await ask(options.layers ? 'layers' : 'pass')) as Pass
    // the first passes make ready
    if (pass < 3) continue
    here.push(own)
    there.push(other)
  }
  for (const what of ['cpu', 'wall'] as const) {
    const [own, other] = [here, there].map(passes => median(passes.map(pass => pass[what])))
    console.log(`${what}: ${own.toFixed(1)} ms here, ${other.toFixed(1)} ms there: ${(other / own).toFixed(2)}×`)
  }
  if (options.layers) {
    for (const [name, time] of await ownLayers()) if (time > 0.05) console.log(`  here ${name}: ${time.toFixed(2)} ms`)
    const names = Object.keys(there[0].layers!)
    const times = names.map(name => [name, median(there.map(pass => pass.layers![name]))] as const)
    for (const [name, time] of times.filter(([, time]) => time > 0.05))
      console.log(`  there ${name}: ${time.toFixed(2)} ms`)
  }
} finally {
  python.kill()
  net.dispose()
  rmSync(folder, { recursive: true, force: true })
}

/** Median time of each layer here; those that are computed with others stand with them. */
async function ownLayers(): Promise<[name: string, time: number][]> {
  const passes: Map<string, number>[] = []
  let own = new Map<string, number>()
  let start = 0
  net.beforeForward(() => {
    start = performance.now()
  })
  net.afterForward(name => {
    own.set(name, performance.now() - start)
  })
  for (let pass = 0; pass < Number(options.passes); pass++) {
    own = new Map()
    await net.forward({ data })
    passes.push(own)
  }
  return [...own.keys()].map(name => [name, median(passes.map(times => times.get(name) ?? 0))])
}

/** Rows of detections in one order: OpenCV's go by score over all labels. */
function rows(name: string, values: Float32Array): Float32Array {
  if (name !== 'detection_out') return values
  const list = Array.from({ length: values.length / 7 }, (_, i) => values.subarray(7 * i, 7 * i + 7))
  list.sort((a, b) => a[1] - b[1] || b[2] - a[2])
  return Float32Array.from(list.flatMap(row => [...row]))
}
