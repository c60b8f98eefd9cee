import type { ProjectContext } from '../core/job_context.js'
import { JOBS } from '../core/job_files.js'

/** A path to another job of the project, as prototxts in a job's folder write it. */
const NEIGHBOUR = /^\.\.\/([0-9]{8}-[0-9]{4}-[a-z0-9]{4}\/.+)$/

/** The net itself, in which every path to another job of the project is one that nets find. */
export function inProject<T>(message: T, context: Pick<ProjectContext, 'place'>): T {
  if (typeof message !== 'object' || message === null || ArrayBuffer.isView(message)) return message
  const fields = message as Record<string, unknown>
  for (const [name, value] of Object.entries(fields)) {
    const found = typeof value === 'string' ? NEIGHBOUR.exec(value) : undefined
    if (found) fields[name] = context.place(`${JOBS}/${found[1]}`)
    else inProject(value, context)
  }
  return message
}
