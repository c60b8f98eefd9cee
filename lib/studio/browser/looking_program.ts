import type { ProjectContext } from '../core/job_context.js'
import { looking } from '../jobs/looking.js'
import { answerCalls, type Channel } from './calls.js'

type Method = (context: ProjectContext, ...args: readonly unknown[]) => Promise<unknown>

/** Answer what somebody asks about jobs, nets and pictures of a project. */
export function serveLooking(channel: Channel, project: ProjectContext): void {
  const methods = new Map(Object.entries(looking) as [string, Method][])
  answerCalls(channel, (method, args) => {
    const call = methods.get(method)
    if (!call) throw new Error(`there is nothing called '${method}'`)
    return call(project, ...args)
  })
}
