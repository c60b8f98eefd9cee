import { render } from 'preact'
import type { Programs } from '../browser/hub_config.js'
import { openLocalStudio } from '../browser/local_studio.js'
import { type ProjectLock, takeOver, tryLock } from '../browser/project_lock.js'
import { startPage } from './app.js'
import { messageOf } from './desk.js'
import { Button, Empty, Failure } from './parts/ui.js'
import { texts } from './texts.js'
import { followTheme } from './theme.js'

/** What a site without a server says in its page. */
export interface LocalSettings {
  readonly programs: Programs
  readonly version: string
}

/** Where it is noted that the page was loaded again for its headers: once is enough. */
const RELOADED = 'ristretto studio reloaded'

/** Show the project that is kept in this browser, if no other tab has it. */
export async function startLocal(settings: LocalSettings, host: HTMLElement): Promise<void> {
  followTheme(new AbortController().signal)
  if (await isolate()) return
  if (!('locks' in navigator) || !navigator.storage?.getDirectory) {
    render(<Alone title={texts.local.insecure} text={texts.local.insecureText} />, host)
    return
  }
  const lock = await tryLock()
  if (lock) await open(settings, host, lock)
  else askToTake(settings, host, texts.local.inUse, texts.local.inUseText)
}

function askToTake(settings: LocalSettings, host: HTMLElement, title: string, text: string): void {
  const take = async (): Promise<void> => {
    render(<Alone title={title} text={text} busy />, host)
    await open(settings, host, await takeOver())
  }
  render(<Alone title={title} text={text} take={() => void take()} />, host)
}

async function open(settings: LocalSettings, host: HTMLElement, lock: ProjectLock): Promise<void> {
  const { programs, version } = settings
  try {
    const { studio, close } = await openLocalStudio(absolute(programs), version)
    const shown = new AbortController()
    render(null, host)
    startPage(studio, host, shown.signal)
    void lock.lost.then(() => {
      shown.abort()
      close()
      lock.release()
      askToTake(settings, host, texts.local.taken, texts.local.takenText)
    })
  } catch (error) {
    lock.release()
    render(
      <main class="screen">
        <Failure error={new Error(texts.local.failed(messageOf(error)))} again={() => location.reload()} />
      </main>,
      host,
    )
  }
}

/** Workers start others, and each reads an address as relative to itself. */
const absolute = (programs: Programs): Programs =>
  Object.fromEntries(
    Object.entries(programs).map(([name, file]) => [name, new URL(file, location.href).href]),
  ) as unknown as Programs

/**
 * Without two headers a page has one thread. Where the host sends none, a service worker adds them, from the next load on;
 * true if that is just happening.
 */
async function isolate(): Promise<boolean> {
  if (crossOriginIsolated) {
    sessionStorage.removeItem(RELOADED)
    return false
  }
  if (!('serviceWorker' in navigator) || sessionStorage.getItem(RELOADED)) return false
  // a browser that has none, or may not keep one: one thread, and the page says so
  const found = await navigator.serviceWorker.register('service_worker.js').catch(() => undefined)
  const worker = found?.active ?? found?.waiting ?? found?.installing
  if (!worker || !(await isActive(worker))) return false
  sessionStorage.setItem(RELOADED, 'yes')
  location.reload()
  return true
}

function isActive(worker: ServiceWorker): Promise<boolean> {
  return new Promise(resolve => {
    const look = (): void => {
      if (worker.state === 'activated') resolve(true)
      if (worker.state === 'redundant') resolve(false)
    }
    worker.addEventListener('statechange', look)
    look()
  })
}

function Alone(props: { title: string; text: string; take?: () => void; busy?: boolean }) {
  return (
    <main class="screen">
      <h1>{texts.name}</h1>
      <Empty icon="warning" title={props.title}>
        <p>{props.text}</p>
        {(props.take || props.busy) && (
          <Button look="primary" busy={props.busy === true} onClick={() => props.take?.()}>
            {texts.local.take}
          </Button>
        )}
      </Empty>
    </main>
  )
}
