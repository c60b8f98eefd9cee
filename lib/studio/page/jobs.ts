import type { JobKind, JobState, JobSummary } from '../api/index.js'

/** States in which something may still happen by itself. */
export const isOpen = (state: JobState): boolean => state === 'queued' || state === 'running' || state === 'interrupted'
export const canStop = (job: JobSummary): boolean => isOpen(job.state)
export const canResume = (job: JobSummary): boolean =>
  job.state === 'stopped' || job.state === 'interrupted' || job.state === 'failed'
export const isUntrusted = (job: JobSummary): boolean => (job.untrusted?.length ?? 0) > 0
/** Has weights that pictures can be sent through, and no code that nobody has agreed to. */
export const canTry = (job: JobSummary & { readonly snapshots?: readonly unknown[] }): boolean =>
  !isUntrusted(job) && (job.kind === 'pretrained' ? job.state === 'done' : job.kind === 'model' && hasSnapshot(job))

/** A list of jobs does not tell: what failed before its first test had none in most cases. */
const hasSnapshot = ({ snapshots, state, epoch, best }: Parameters<typeof canTry>[0]): boolean =>
  snapshots ? snapshots.length > 0 : state === 'done' || (state === 'failed' ? best !== undefined : (epoch ?? 0) > 0)

export interface Filter {
  readonly kind: JobKind | ''
  readonly text: string
  readonly group: string
  readonly state: JobState | ''
}

/** Jobs that pass, the starred ones first, else the newest. */
export function passing(jobs: Iterable<JobSummary>, filter: Filter): JobSummary[] {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean)
  const found: JobSummary[] = []
  for (const job of jobs) {
    if (filter.kind && job.kind !== filter.kind) continue
    if (filter.group && job.group !== filter.group) continue
    if (filter.state && job.state !== filter.state) continue
    if (words.length) {
      const all = `${job.name} ${job.notes} ${job.group} ${job.id}`.toLowerCase()
      if (!words.every(word => all.includes(word))) continue
    }
    found.push(job)
  }
  return found.sort((a, b) => Number(b.starred) - Number(a.starred) || b.created - a.created || (a.id < b.id ? 1 : -1))
}

export function countKinds(jobs: Iterable<JobSummary>): Readonly<Record<JobKind, number>> {
  const counts = { dataset: 0, model: 0, evaluation: 0, pretrained: 0 }
  for (const job of jobs) counts[job.kind]++
  return counts
}
