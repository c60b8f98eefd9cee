import { crc32 } from '../../data/crc32.js'
import { importNode } from '../../system/nodejs.js'
import type { Candidate, Found, SetName } from './candidates.js'
import type { PictureForm } from './decode.js'

/** In the folder of a run that is under way: what it makes, and since when. */
export const PLAN_FILE = 'plan.json'

/** A candidate and the set that it goes to, in the order of the run. */
export interface Placed {
  readonly set: SetName
  readonly candidate: Candidate
}

/**
 * What two runs have in common whose pictures are the same if their files are. Undefined where it cannot be known
 * whether these are, and where files are stored, which do not have the planes that the mean is taken of.
 */
export function planOf(order: readonly Placed[], { identity, classes }: Found, form: PictureForm): string | undefined {
  if (form.encode) return undefined
  const text = new TextEncoder()
  let sum = crc32(text.encode(JSON.stringify(classes)))
  let length = 0
  for (const { set, candidate } of order) {
    const { source, file, label } = candidate
    const name =
      source.kind === 'path' ? source.path : source.kind === 'file' && identity !== undefined ? file : undefined
    if (name === undefined) return undefined
    const line = text.encode(`${set} ${label} ${name}\0`)
    sum = crc32(line, sum)
    length += line.length
  }
  return JSON.stringify([1, form.channels, form.size ?? null, form.resize, identity ?? null, order.length, length, sum])
}

/** The text of PLAN_FILE. */
export const planText = (plan: string): string => JSON.stringify({ plan, begun: Date.now() })

/** Since when the run of a folder was under way, if it was of this plan; undefined if it was not. */
export async function begunBy(folder: string, plan: string): Promise<number | undefined> {
  const { readFile } = await importNode('node:fs/promises')
  const { join } = await importNode('node:path')
  const { uptime } = await importNode('node:os')
  try {
    const told = JSON.parse(await readFile(join(folder, PLAN_FILE), 'utf8')) as { plan?: unknown; begun?: unknown }
    const started = Date.now() - 1000 * uptime()
    // what a machine had not written when it stopped may be missing anywhere
    if (told.plan === plan && typeof told.begun === 'number' && told.begun > started) return told.begun
  } catch {}
  return undefined
}
