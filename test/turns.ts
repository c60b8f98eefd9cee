/**
 * Devices that compute by the same text of a kernel divide what there is to compare, so that a run takes a part of the
 * time. RISTRETTO_WHOLE=1: each takes all.
 */
import type { Share } from '../lib/testing/kernel_cases/run.js'

const whole = Boolean(process.env.RISTRETTO_WHOLE)

/** The items whose turn it is on that device; all, if it is none of those that take turns. */
export const turns = <T>(items: readonly T[], device: string, devices: readonly string[]): readonly T[] =>
  whole || !devices.includes(device) ? items : items.filter((_, i) => devices[i % devices.length] === device)

/** What `compareKernel` compares on one of so many devices. */
export const share = (part: number, of: number): Share | undefined => (whole ? undefined : { part, of })
