import { availableParallelism } from 'node:os'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { loadLayers } from './load_layers.js'
import { type Output, warn } from './output.js'

/** Options of every command that runs a net. */
export interface RunOptions {
  engine?: string
  threads?: number
  seed?: number
  layers?: string[]
  outputs?: string
}

/** Options that pick the layers of a net by its include and exclude rules. */
export interface StateOptions {
  level?: number
  stage?: string[]
}

/** Parses names with commas between them. */
export function list(text: string): string[] {
  const names = text.split(',').filter(Boolean)
  if (!names.length) throw new InvalidArgumentError('It must be a name, or several with commas between them.')
  return names
}

/** The one flag whose mentions add up. */
export const layersOption = (): Option =>
  new Option('--layers <files>', 'modules with custom layers, separated by commas, or one at each --layers').argParser(
    (text: string, before: string[] = []) => [...before, ...list(text)],
  )

/** A parser of whole numbers from `least` on. */
export const whole =
  (least: number) =>
  (text: string): number => {
    const value = /^-?\d+$/.test(text.trim()) ? Number(text) : Number.NaN
    if (!Number.isSafeInteger(value) || value < least)
      throw new InvalidArgumentError(`It must be a whole number from ${least} on.`)
    return value
  }

/** Parses a finite number. */
export function number(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.')
  return value
}

export function addRunOptions(command: Command): Command {
  return command
    .option('--engine <name>', 'where kernels run: wasm, native (system BLAS), gpu or js (default: wasm)')
    .option(
      '--threads <n>',
      `compute threads (default: the cores this process may use, ${availableParallelism()})`,
      whole(1),
    )
    .option('--seed <n>', 'seed of every random stream (default: drawn)', whole(0))
    .option('--outputs <folder>', 'folder below which HDF5Output layers and snapshots may write')
    .addOption(layersOption())
}

export function addStateOptions(command: Command): Command {
  return command
    .option('--level <n>', 'level of the net state', whole(Number.MIN_SAFE_INTEGER))
    .option('--stage <names>', 'stages of the net state, separated by commas', list)
}

export const phaseOption = (phase: 'TRAIN' | 'TEST'): Option =>
  new Option('--phase <phase>', 'phase of the net state')
    .choices(['TRAIN', 'TEST'])
    .default(phase)
    .argParser(text => {
      if (!/^(train|test)$/i.test(text)) throw new InvalidArgumentError('Allowed choices are TRAIN, TEST.')
      return text.toUpperCase()
    })

/** Register the modules named by --layers; every notice goes to `log`. */
export async function registerLayers(options: RunOptions, output: Output): Promise<void> {
  for (const file of options.layers ?? []) for (const notice of await loadLayers(file)) warn(output, `${notice}`)
}
