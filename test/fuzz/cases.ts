/** One numbered case: which reader, which file, which damage. Everything follows from (seed, number). */
import { RistrettoError } from '../../lib/errors.js'
import { RandomStream } from '../../lib/rng.js'
import { mutate } from './mutate.js'
import { type Target, targets } from './targets.js'

export interface Case {
  readonly number: number
  readonly target: Target
  /** Name of the file that was damaged. */
  readonly file: string
  readonly bytes: Uint8Array
}

const total = targets.reduce((sum, target) => sum + target.weight, 0)

export function makeCase(seed: number, number: number, only?: string): Case {
  const random = new RandomStream(seed, 'fuzz')
  random.iteration = number
  let at = random.integer(total)
  const chosen = targets.find(target => (at -= target.weight) < 0)!
  const target = targets.find(target => target.name === only) ?? chosen
  const files = target.seeds()
  const { name, bytes } = files[random.integer(files.length)]
  const other = files[random.integer(files.length)]
  return { number, target, file: name, bytes: mutate(bytes, other.bytes, random, target.form) }
}

/** CPU time that one case may take, in ms. */
export const MAX_TIME = 2000
/** Bytes by which one case may raise the most that the process has ever used. */
export const MAX_GROWTH = 400 * 2 ** 20
/** Longest message: an error may quote what it has found, but not all of it. */
const MAX_MESSAGE = 20_000

/** How a case ended: a failure is a bug. */
export interface Outcome {
  readonly kind: 'value' | 'FormatError' | 'NetError' | 'EngineError' | 'RistrettoError' | 'failure'
  readonly message?: string
}

export async function runCase({ target, bytes }: Case, maxTime = MAX_TIME): Promise<Outcome> {
  const cpu = process.cpuUsage()
  const peak = process.resourceUsage().maxRSS
  let outcome: Outcome
  try {
    await target.run(bytes)
    outcome = { kind: 'value' }
  } catch (error) {
    outcome = judge(error)
  }
  const { user, system } = process.cpuUsage(cpu)
  const time = (user + system) / 1000
  if (time > maxTime) return { kind: 'failure', message: `it took ${Math.round(time)} ms, allowed are ${maxTime}` }
  // maxRSS is in kilobytes
  const growth = (process.resourceUsage().maxRSS - peak) * 1024
  if (growth > MAX_GROWTH)
    return {
      kind: 'failure',
      message: `it took ${Math.round(growth / 2 ** 20)} MiB, allowed are ${MAX_GROWTH / 2 ** 20}`,
    }
  return outcome
}

function judge(error: unknown): Outcome {
  if (!(error instanceof RistrettoError))
    return { kind: 'failure', message: `not a typed error: ${(error as Error)?.stack ?? error}` }
  if (!error.message) return { kind: 'failure', message: `an error without a message: ${error.stack}` }
  if (error.message.length > MAX_MESSAGE)
    return { kind: 'failure', message: `a message of ${error.message.length} characters` }
  return { kind: error.name as Outcome['kind'], message: error.message }
}
