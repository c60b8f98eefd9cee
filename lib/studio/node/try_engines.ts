import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { environment, permissions } from './confinement.js'

/** They run wherever Node does. */
const SURE = ['wasm', 'js']
/** They need what a machine may lack: a BLAS library, a graphics driver. */
const MAYBE = ['native', 'gpu']
/** In the order in which a person is offered them. */
const ORDER = ['wasm', 'native', 'gpu', 'js']

/** Milliseconds that trying may take, and that somebody who asks waits for it. */
const LIMIT = 60_000
const PATIENCE = 1000

export interface TryOptions {
  readonly program: URL
  /** Whether jobs run under Node's permission model: what starts there is what counts. */
  readonly confined: boolean
}

export interface TriedEngines {
  /** Engines that can be made here, as far as is known after a second. */
  names(): Promise<readonly string[]>
  close(): void
}

/** Tries which engines can be made, once, when somebody first asks. */
export function tryEngines({ program, confined }: TryOptions): TriedEngines {
  const stop = new AbortController()
  let trying: Promise<readonly string[]> | undefined
  const start = () =>
    new Promise<readonly string[]>(resolve => {
      const flags = confined ? permissions({ read: [], write: [], addons: true }) : []
      const options = { env: environment(), timeout: LIMIT, signal: stop.signal }
      // one that ends the process has not started; those before it have
      execFile(process.execPath, [...flags, fileURLToPath(program), ...MAYBE], options, (_, printed) => {
        const started = new Set([...SURE, ...String(printed).split('\n')])
        resolve(ORDER.filter(name => started.has(name)))
      })
    })
  return {
    names() {
      trying ??= start()
      const soon = new Promise<readonly string[]>(resolve => setTimeout(resolve, PATIENCE, SURE).unref())
      return Promise.race([trying, soon])
    },
    close: () => stop.abort(),
  }
}
