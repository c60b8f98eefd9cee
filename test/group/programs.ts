/** Training as users start it: processes and threads. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundled } from '../bundled.js'
import { goldenPath } from '../golden.js'

export const main = await bundled('lib/cli/main.ts')
const layers = await bundled('test/group/layers.ts')

/** How members are started. */
export type Launcher = 'threads' | 'openmpi' | 'mpich'
const runs = (program: string): boolean => spawnSync(program, ['--version']).status === 0
const launchers: readonly Launcher[] = [
  ...(runs('mpirun.openmpi') ? ['openmpi' as const] : []),
  ...(runs('mpirun.mpich') ? ['mpich' as const] : []),
]
/** Those that there are on this machine. */
export const mpiLaunchers = launchers

const NET = `name: "members"
  layer { name: "data" type: "Data" top: "data" top: "label" transform_param { scale: 0.00390625 crop_size: 12 mirror: true }
    data_param { source: "${goldenPath('io/mnist_200_lmdb')}" batch_size: 7 backend: LMDB } }
  layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 3 kernel_size: 3 weight_filler { type: "xavier" } } }
  layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "conv" }
  layer { name: "scale" type: "Scale" bottom: "conv" top: "conv" scale_param { bias_term: true } }
  layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip" inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
  layer { name: "drop" type: "Dropout" bottom: "ip" top: "ip" }
  layer { name: "trouble" type: "Trouble" bottom: "ip" top: "ip2" }
  layer { name: "onehot" type: "OneHot" bottom: "label" top: "onehot" }
  layer { name: "loss" type: "MyEuclidean" bottom: "ip2" bottom: "onehot" top: "loss" }`

/** A solver in `folder`, whose snapshots begin with `name`; its path. */
export function writeSolver(folder: string, name: string, extra: string): string {
  writeFileSync(join(folder, 'net.prototxt'), NET)
  const file = join(folder, `${name}.prototxt`)
  writeFileSync(
    file,
    `net: "${join(folder, 'net.prototxt')}" base_lr: 0.01 momentum: 0.9 weight_decay: 0.001 lr_policy: "inv" gamma: 0.01
     power: 0.75 random_seed: 4 snapshot_prefix: "${join(folder, name)}" ${extra}`,
  )
  return file
}

export interface Run {
  readonly child: ChildProcess
  out(): string
  err(): string
  readonly ended: Promise<number | null>
}

/** Start a training of `members`. */
export function start(launcher: Launcher, members: number, args: readonly string[], trouble = ''): Run {
  const train = [main, 'train', '--layers', layers, ...args]
  const [program, argv] =
    launcher === 'threads'
      ? [process.execPath, [...train, '--workers', `${members}`]]
      : [
          `mpirun.${launcher}`,
          [...(launcher === 'openmpi' ? ['--oversubscribe'] : []), '-n', `${members}`, process.execPath, ...train],
        ]
  const child = spawn(program, argv, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      TROUBLE: trouble,
      OMPI_ALLOW_RUN_AS_ROOT: '1',
      OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
      ...(trouble === 'heap' && { NODE_OPTIONS: '--max-old-space-size=96' }),
    },
  })
  let out = ''
  let err = ''
  child.stdout.on('data', chunk => (out += chunk))
  child.stderr.on('data', chunk => (err += chunk))
  const ended = new Promise<number | null>(resolve => child.on('close', resolve))
  return { child, out: () => out, err: () => err, ended }
}

/** Train to the end; throws what was printed where that is no good end. */
export async function train(
  launcher: Launcher,
  members: number,
  args: readonly string[],
  trouble = '',
): Promise<string> {
  const run = start(launcher, members, args, trouble)
  const code = await run.ended
  if (code !== 0) throw new Error(`exit code ${code}\n${run.out()}\n${run.err()}`)
  return run.out()
}

/** Processes that have this in their command line: members, and not their launcher. */
export function processesOf(folder: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter(pid => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        return command.includes(folder) && !/mpirun|mpiexec|hydra|orted/.test(command)
      } catch {
        return false
      }
    })
    .map(Number)
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 20))
}
