/** Starts members in module workers, and gives what they end with. */
import { startWorkers } from '../../lib/index.js'

async function train(workers: number, solver: string) {
  const ended: unknown[] = []
  let joined = 0
  const members = await startWorkers('/member.js', workers, {
    onMessage(message) {
      if ((message as { joined?: string }).joined === undefined) ended.push(message)
      else if (++joined === workers) members.post({ solver })
    },
  })
  try {
    await members.finished
    return { ended }
  } catch (error) {
    return { error: (error as Error).message }
  }
}
Object.assign(globalThis, { train })
