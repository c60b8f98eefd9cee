import type { Command } from 'commander'
import type { TaggedLog } from '../net/options.js'
import { Net } from '../net.js'
import { mustExist } from './input_file.js'
import {
  addRunOptions,
  addStateOptions,
  list,
  phaseOption,
  type RunOptions,
  registerLayers,
  type StateOptions,
  whole,
} from './options.js'
import type { Output } from './output.js'

/** What `openNet` goes by. */
interface OpenOptions extends RunOptions, StateOptions {
  phase: 'TRAIN' | 'TEST'
}

/** Options of the commands that run a net over batches of its own data. */
export interface BatchOptions extends OpenOptions {
  model: string
  weights?: string[]
  iterations: number
  json?: boolean
}

/** @param defaults what differs between the commands */
export function addBatchOptions(
  command: Command,
  defaults: { phase: 'TRAIN' | 'TEST'; needsWeights: boolean; iterations: string; json: string },
): Command {
  const { phase, needsWeights, iterations, json } = defaults
  const weights = ['--weights <files>', '.caffemodel files, separated by commas', list] as const
  command.requiredOption('--model <file>', 'net prototxt')
  if (needsWeights) command.requiredOption(...weights)
  else command.option(...weights)
  command.option('--iterations <n>', iterations, whole(1), 50).addOption(phaseOption(phase)).option('--json', json)
  return addRunOptions(addStateOptions(command))
}

/** The net that a command was told to run, with its weights. `log` is told which layers got some. */
export async function openNet(
  model: string,
  weights: readonly string[],
  options: OpenOptions,
  output: Output,
  log: TaggedLog,
): Promise<Net> {
  await registerLayers(options, output)
  for (const file of weights) await mustExist(file)
  const { engine, threads, seed, phase, level, stage: stages, outputs } = options
  const net = await Net.create(model, { engine, threads, seed, phase, level, stages, outputs, taggedLog: log })
  try {
    await copyAll(net, weights, log)
  } catch (error) {
    net.dispose()
    throw error
  }
  return net
}

/** Load weights, each file's lines under its name. */
export async function copyAll(net: Net, weights: readonly string[], log: TaggedLog): Promise<void> {
  for (const file of weights) {
    log(`Weights of ${file}`)
    await net.copyFrom(file)
  }
}
