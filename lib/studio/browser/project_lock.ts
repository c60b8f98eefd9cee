/** Several pages may be open; one of them has the project. */
const NAME = 'ristretto-studio'

/** Milliseconds that the page that has the project is given to let go of it. */
const PATIENCE = 10_000

export interface ProjectLock {
  /** Resolves when another page has taken the project, or asks for it: let go of it then, and release. */
  readonly lost: Promise<void>
  release(): void
}

/** Take the project for this page; undefined where another one has it. */
export const tryLock = (): Promise<ProjectLock | undefined> => request({ ifAvailable: true })

/** Ask the page that has the project to let go of it; one that does not answer has it no more. */
export async function takeOver(patience = PATIENCE): Promise<ProjectLock> {
  const asking = new BroadcastChannel(NAME)
  asking.postMessage('give')
  asking.close()
  try {
    return (await request({ signal: AbortSignal.timeout(patience) }))!
  } catch (error) {
    if ((error as Error).name !== 'TimeoutError' && (error as Error).name !== 'AbortError') throw error
    return (await request({ steal: true }))!
  }
}

function request(options: LockOptions): Promise<ProjectLock | undefined> {
  return new Promise((resolve, reject) => {
    let release: () => void = () => {}
    let lose: () => void = () => {}
    const released = new Promise<void>(done => (release = done))
    const lost = new Promise<void>(done => (lose = done))
    const channel = new BroadcastChannel(NAME)
    navigator.locks
      .request(NAME, options, lock => {
        if (!lock) return resolve(undefined)
        channel.addEventListener('message', ({ data }) => {
          if (data === 'give') lose()
        })
        resolve({ lost, release })
        return released
      })
      .catch(error => {
        // where it was held: another page has taken it
        lose()
        reject(error)
      })
      .finally(() => channel.close())
  })
}
