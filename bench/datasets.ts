/**
 * Pictures a second of makeDataset: small grey PNGs (28 × 28), PNGs and JPEGs of 256 × 256 that become 64 × 64, from a
 * folder and from a zip, on one thread and on several. Also CPU time a picture, which a busy machine changes less.
 *
 *   npx tsx bench/datasets.ts [pictures] [threads]
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { zipSync } from 'fflate'
import { encodeImage } from '../lib/data/encode_image.js'
import type { PlanarImage } from '../lib/data/image.js'
import { importDeflate } from '../lib/data/inflate.js'
import { writePng } from '../lib/data/png.js'
import { RandomStream } from '../lib/rng.js'
import { makeDataset } from '../lib/tools/make_dataset.js'
import { table } from './table.js'

const count = Number(process.argv[2] ?? 6000)
const most = Number(process.argv[3] ?? 2)
const folder = await mkdtemp(join(tmpdir(), 'bench-datasets-'))
const deflate = await importDeflate()
const random = new RandomStream(1, 'pictures')

/** A ring on black, of another size and place each time, with some noise in it. */
function ring(channels: number, side: number): PlanarImage {
  const data = new Uint8Array(channels * side * side)
  const [x0, y0] = [side * (0.4 + 0.2 * random.uniform()), side * (0.4 + 0.2 * random.uniform())]
  for (let i = 0; i < data.length; i++) {
    const [x, y] = [i % side, Math.floor(i / side) % side]
    const r = Math.hypot(x - x0, y - y0) / side
    data[i] = r > 0.15 && r < 0.35 ? 180 + ((x * 7 + y * 13 + i) % 60) : 0
  }
  return { channels, height: side, width: side, data }
}

interface Case {
  readonly name: string
  readonly pictures: number
  readonly type: 'png' | 'jpg'
  readonly file: () => Promise<Uint8Array>
  readonly options: { gray?: boolean; size?: number }
}
const cases: Case[] = [
  {
    name: 'PNG 28×28 grey',
    pictures: count,
    type: 'png',
    file: async () => writePng(ring(1, 28), deflate),
    options: { gray: true },
  },
  {
    name: 'PNG 256×256 → 64×64',
    pictures: Math.ceil(count / 20),
    type: 'png',
    file: async () => writePng(ring(3, 256), deflate),
    options: { size: 64 },
  },
  {
    name: 'JPEG 256×256 → 64×64',
    pictures: Math.ceil(count / 20),
    type: 'jpg',
    file: () => encodeImage(ring(3, 256), 'jpg'),
    options: { size: 64 },
  },
]

const rows: string[][] = []
try {
  for (const { name, pictures, type, file, options } of cases) {
    const files: Record<string, Uint8Array> = {}
    for (let i = 0; i < pictures; i++) files[`${i % 10}/${i}.${type}`] = await file()
    const root = join(folder, name)
    for (const [path, bytes] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), bytes)
    }
    writeFileSync(`${root}.zip`, zipSync(files))
    for (const [kind, source] of [
      ['folder', root],
      ['zip', `${root}.zip`],
    ])
      for (const threads of [1, most]) {
        const cpu = process.cpuUsage()
        const begun = performance.now()
        await makeDataset(source, { ...options, output: join(folder, 'out'), overwrite: true, threads })
        const seconds = (performance.now() - begun) / 1000
        const { user, system } = process.cpuUsage(cpu)
        rows.push([
          name,
          kind,
          String(threads),
          (pictures / seconds).toFixed(0),
          `${((user + system) / pictures).toFixed(0)} µs`,
        ])
      }
  }
} finally {
  await rm(folder, { recursive: true })
}
console.log(table(['pictures', 'from', 'threads', 'pictures/s', 'CPU a picture'], rows))
