/** Looks at jobs, nets and pictures in a process of its own: `node inspector_process.js <project>`, told what to do by its parent. */
import { toThrown } from '../core/thrown.js'
import { looking } from '../jobs/looking.js'
import type { Answer, Call } from './inspector_messages.js'
import { nodeProject } from './project_context.js'

const project = nodeProject(process.argv[2])
type Method = (context: typeof project, ...args: readonly unknown[]) => Promise<unknown>
const methods = new Map(Object.entries(looking) as [string, Method][])

async function answer({ id, method, args }: Call): Promise<Answer> {
  try {
    const call = methods.get(method)
    if (!call) throw new Error(`there is nothing called '${method}'`)
    return { id, result: await call(project, ...args) }
  } catch (error) {
    return { id, error: toThrown(error) }
  }
}

// without a parent there is nobody to look for
process.on('disconnect', () => process.exit(0))
process.on('SIGINT', () => {})
process.on('message', async (call: Call) => {
  const answered = await answer(call)
  if (process.connected) process.send?.(answered)
})
