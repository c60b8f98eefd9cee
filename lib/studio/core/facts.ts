import { FormatError } from '../../errors.js'
import type { DatasetSummary } from '../../tools/dataset/summary.js'

/** What nets and forms go by of a dataset: parts of its summary.json. */
export type DatasetFacts = Pick<DatasetSummary, 'classes' | 'channels' | 'height' | 'width' | 'sets' | 'mean'> &
  Partial<Pick<DatasetSummary, 'resize'>>

/** A summary.json, as far as it is needed here. A FormatError for what is none. */
export function readFacts(text: string, file = 'summary.json'): DatasetFacts {
  let value: Partial<DatasetSummary> | null
  try {
    value = JSON.parse(text) as Partial<DatasetSummary> | null
  } catch (error) {
    throw new FormatError(`${file}: it is no JSON: ${(error as Error).message}`, { cause: error })
  }
  const whole = (n: unknown, least: number): boolean => Number.isSafeInteger(n) && (n as number) >= least
  const { classes, channels, height, width, mean, sets } = value ?? {}
  const fits =
    Array.isArray(classes) &&
    classes.every(name => typeof name === 'string') &&
    (channels === 1 || channels === 3) &&
    whole(height, 1) &&
    whole(width, 1) &&
    Array.isArray(mean) &&
    mean.length === channels &&
    mean.every(Number.isFinite) &&
    typeof sets === 'object' &&
    sets !== null &&
    Object.values(sets).every(set => whole(set?.records, 0))
  if (!fits) throw new FormatError(`${file}: this is no summary of a dataset`)
  return value as DatasetSummary
}
