import { setTimeout as pause } from 'node:timers/promises'
import { engines, Lane } from './lanes.js'
import { type Job, median, type Pace, Refusal, type Refused, type Times } from './protocol.js'

export interface Measured {
  readonly engine: string
  readonly threads: number
  readonly detail: string
  readonly deviation: number | undefined
  /** Medians, in ms. */
  readonly times: Times
  /** The shortest pass, in ms: what least else disturbed. */
  readonly least: Times
  readonly n: number
}

export interface Plan extends Pace {
  readonly rounds: number
  /** Leave engines out that take seconds a training pass. */
  readonly quick: boolean
}

/** A pass that takes longer than this, in ms, is measured FEWEST times only. */
const LONG = 2000
const FEWEST = 5
/** Between samples, in ms: threads of the engine before go to sleep. */
const PAUSE = 5

/**
 * Run jobs one after the other; within a job the engines take turns, one sample each a round. What cannot run goes to
 * `refused`.
 */
export async function measure(
  jobs: readonly Job[],
  places: readonly (readonly [engine: string, threads: number])[],
  plan: Plan,
  refused: Refused[],
): Promise<Measured[][]> {
  const lanes = places.map(([engine, threads]) => new Lane(engine, threads))
  const results: Measured[][] = []
  try {
    for (const job of jobs) results.push(await measureJob(job, lanes, plan, refused))
  } finally {
    for (const lane of lanes) await lane.stop()
  }
  return results
}

async function measureJob(job: Job, lanes: readonly Lane[], plan: Plan, refused: Refused[]): Promise<Measured[]> {
  const refuse = (lane: Lane, error: unknown) => {
    if (!(error instanceof Refusal)) throw error
    refused.push({ ...job, engine: lane.engine, threads: lane.threads, reason: error.message })
  }
  const running: {
    lane: Lane
    detail: string
    deviation: number | undefined
    pass: number
    samples: Times[]
    least: Times[]
  }[] = []
  for (const lane of lanes) {
    try {
      if (plan.quick && job.mode === 'train' && engines[lane.engine].slow && !lane.refuses(job))
        throw new Refusal('it takes seconds a pass: left out with --quick')
      const { detail, deviation, pass } = await lane.prepare(job, plan)
      running.push({ lane, detail, deviation, pass, samples: [], least: [] })
    } catch (error) {
      refuse(lane, error)
    }
  }
  for (let round = 0; round < plan.rounds; round++)
    for (const entry of [...running]) {
      if (entry.pass > LONG && round >= FEWEST) continue
      await pause(PAUSE)
      try {
        const { times, least } = await entry.lane.sample()
        entry.samples.push(times)
        entry.least.push(least)
      } catch (error) {
        running.splice(running.indexOf(entry), 1)
        refuse(entry.lane, error)
      }
    }
  const results: Measured[] = []
  for (const { lane, detail, deviation, samples, least } of running)
    try {
      await lane.release()
      results.push({
        engine: lane.engine,
        threads: lane.threads,
        detail,
        deviation,
        times: each(samples, median),
        least: each(least, values => Math.min(...values)),
        n: samples.length,
      })
    } catch (error) {
      refuse(lane, error)
    }
  return results
}

function each(samples: readonly Times[], of: (values: readonly number[]) => number): Times {
  const keys = Object.keys(samples[0]) as (keyof Times)[]
  return Object.fromEntries(keys.map(key => [key, of(samples.map(sample => sample[key]!))]))
}
