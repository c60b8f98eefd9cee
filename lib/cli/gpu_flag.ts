import { type Command, InvalidArgumentError } from 'commander'
import { createEngine } from '../engines/index.js'
import { EngineError, RistrettoError } from '../errors.js'
import type { RunOptions } from './options.js'
import { type Output, warn } from './output.js'

/**
 * Caffe's --gpu, which stands in every old script: `0`, `0,1` or `all`. It is --engine gpu. There is one device: where
 * Caffe would make the batch larger by training on several, that is an error; where it takes the first of several, so
 * does this.
 */
export function addGpuFlag(command: Command, output: Output, severalMeanLargerBatch = false): Command {
  return command
    .option('--gpu <ids>', "Caffe's flag: 0, or all, is --engine gpu", gpuIds)
    .hook('preAction', async (_, command) => {
      const { gpu: ids, engine, threads } = command.opts<RunOptions & { gpu?: string[] }>()
      if (!ids?.length) return
      const given = `--gpu ${ids.join(',')}`
      if (ids.length > 1 && severalMeanLargerBatch)
        command.error(
          `error: ${given}: one GPU trains here; --gpu ${ids[0]} with ${ids.length} times the iter_size in the solver trains on batches as large as ` +
            `Caffe's on ${ids.length} GPUs`,
        )
      await takeGpu(command, given, engine, threads)
      if (ids.length > 1 || !/^(0|all)$/.test(ids[0]))
        warn(output, `${given}: one GPU is used, the one that the system prefers`)
    })
}

/** classify.py's --gpu, which takes no number. */
export function addGpuSwitch(command: Command): Command {
  return command
    .option('--gpu', "classify.py's flag: the same as --engine gpu")
    .hook('preAction', async (_, command) => {
      const { gpu, engine, threads } = command.opts<RunOptions & { gpu?: boolean }>()
      if (gpu) await takeGpu(command, '--gpu', engine, threads)
    })
}

function gpuIds(text: string): string[] {
  if (!/^(all|\d+(,\d+)*)?$/.test(text)) throw new InvalidArgumentError('It must be the number of a GPU, or all.')
  return text.split(',').filter(Boolean)
}

/** Make it --engine gpu. Whoever asked for a GPU by name is not given anything else. */
async function takeGpu(
  command: Command,
  given: string,
  engine: string | undefined,
  threads: number | undefined,
): Promise<void> {
  if (engine !== undefined && !/^gpu(:|$)/.test(engine))
    command.error(`error: ${given} is --engine gpu, but --engine ${engine} is given, too: leave one of them out`)
  const name = engine ?? 'gpu'
  try {
    await createEngine(name, { threads })
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    const [first, ...why] = error.message.split('\n')
    const message = [`${given}: ${first}; leave --gpu out to run on the processor`, ...why].join('\n')
    throw new RistrettoError(message, { cause: error, causes: error.causes })
  }
  command.setOptionValue('engine', name)
}
