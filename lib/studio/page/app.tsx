import { render } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { Studio } from '../api/index.js'
import { Desk, DeskContext, useDesk } from './desk.js'
import { bytes } from './format.js'
import { Icon } from './parts/icons.js'
import { bringRest, lazy } from './parts/lazy.js'
import { ThemeButton } from './parts/theme_button.js'
import { Button, Empty, LinkButton } from './parts/ui.js'
import { addressOf, followAddress, type Route, route } from './routes.js'
import { Home } from './screens/home.js'
import { texts } from './texts.js'
import { followTheme } from './theme.js'

const JobScreen = lazy(() => import('./screens/job.js').then(screen => screen.JobScreen))
const NewModel = lazy(() => import('./screens/new_model.js').then(screen => screen.NewModel))
const NewDataset = lazy(() => import('./screens/new_dataset.js').then(screen => screen.NewDataset))
const Compare = lazy(() => import('./screens/compare.js').then(screen => screen.Compare))
const Import = lazy(() => import('./screens/import.js').then(screen => screen.Import))

/** When the screens that were not asked for are fetched, in milliseconds. */
const REST = 2500

/** Show a studio in an element; the signal takes it away again. */
export function startPage(studio: Studio, host: HTMLElement, signal: AbortSignal = new AbortController().signal): Desk {
  const desk = new Desk(studio)
  followTheme(signal)
  followAddress(signal)
  desk.start(signal)
  render(
    <DeskContext.Provider value={desk}>
      <App />
    </DeskContext.Provider>,
    host,
  )
  const rest = setTimeout(() => void bringRest(), REST)
  signal.addEventListener('abort', () => {
    clearTimeout(rest)
    render(null, host)
  })
  return desk
}

function App() {
  const now = route.value
  const screen = useRef<HTMLDivElement>(null)
  const first = useRef(true)
  const key = keyOf(now)
  useEffect(() => {
    document.title = `${titleOf(now)} · ${texts.name}`
    // who reads by ear begins at the new screen
    if (!first.current) screen.current?.focus({ preventScroll: true })
    if (!first.current) scrollTo(0, 0)
    first.current = false
  }, [key])
  return (
    <>
      <button type="button" class="skip" onClick={() => screen.current?.focus()}>
        {texts.skip}
      </button>
      <Head />
      <div id="screen" ref={screen} tabIndex={-1} class="page">
        <Screen key={key} route={now} />
      </div>
      <Notices />
    </>
  )
}

/** Screens with the same key keep what is in them. */
const keyOf = (now: Route): string => (now.screen === 'job' ? `job ${now.id}` : addressOf(now))

function titleOf(now: Route): string {
  switch (now.screen) {
    case 'new-dataset':
      return texts.newDataset.title
    case 'new-model':
      return texts.newModel.title
    case 'compare':
      return texts.compare.title
    case 'import':
      return texts.importing.title
    case 'job':
      return texts.job.title
    default:
      return texts.home.title
  }
}

function Screen({ route: now }: { route: Route }) {
  switch (now.screen) {
    case 'home':
      return <Home />
    case 'new-dataset':
      return <NewDataset from={now.from} />
    case 'new-model':
      return <NewModel from={now.from} dataset={now.dataset} weights={now.weights} />
    case 'job':
      return <JobScreen id={now.id} view={now.view} />
    case 'compare':
      return <Compare ids={now.ids} />
    case 'import':
      return <Import />
    case 'unknown':
      return (
        <main class="screen">
          <h1>{texts.unknown.title}</h1>
          <Empty icon="search" title={texts.unknown.text(now.path)}>
            <LinkButton href="#/">{texts.home.title}</LinkButton>
          </Empty>
        </main>
      )
  }
}

function Head() {
  const desk = useDesk()
  const info = desk.info.value
  const busy = desk.running.value + desk.queued.value
  const at = (screen: Route['screen']): 'page' | undefined => (route.value.screen === screen ? 'page' : undefined)
  return (
    <header class="top">
      <a class="brand" href="#/" aria-current={at('home')}>
        <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
          <path d="M4 8h13v5.5A5.5 5.5 0 0 1 11.5 19h-2A5.5 5.5 0 0 1 4 13.5V8Zm13 1.5h1.4a2.6 2.6 0 0 1 0 5.2H17M8 2.5c-1 1.2 1 2 0 3.2M12.5 2.5c-1 1.2 1 2 0 3.2M3 21.5h15" />
        </svg>
        <span>{texts.name}</span>
      </a>
      {info && (
        <p class="project" title={info.mode === 'server' ? texts.head.server : texts.head.browser}>
          {info.mode === 'browser' ? (
            <span class="chip">{texts.head.browserChip}</span>
          ) : (
            <span class="project-name">{info.project}</span>
          )}
          {!info.threads && (
            <span class="chip" title={texts.head.oneThreadWhy}>
              {texts.head.oneThread}
            </span>
          )}
        </p>
      )}
      <p class="busy" aria-live="polite">
        {busy > 0 && (
          <>
            <span class="pulse" aria-hidden="true" />
            {texts.head.busy(desk.running.value, desk.queued.value)}
          </>
        )}
      </p>
      <nav aria-label={texts.head.main}>
        {info?.space && (
          <span class="space muted" title={texts.head.space}>
            {texts.head.free(bytes(info.space.free))}
          </span>
        )}
        <a class="button primary" href={addressOf({ screen: 'new-dataset' })} aria-current={at('new-dataset')}>
          <Icon name="plus" />
          {texts.head.dataset}
        </a>
        <a class="button primary" href={addressOf({ screen: 'new-model' })} aria-current={at('new-model')}>
          <Icon name="plus" />
          {texts.head.model}
        </a>
        <a class="button plain" href={addressOf({ screen: 'import' })} aria-current={at('import')}>
          <Icon name="up" />
          {texts.head.import}
        </a>
        <ThemeButton />
      </nav>
    </header>
  )
}

function Notices() {
  const desk = useDesk()
  return (
    <div class="notices" role="status" aria-live="polite">
      {desk.ready.value && desk.lost.value && (
        <div class="notice bad">
          <Icon name="warning" />
          <span>{texts.head.lost(desk.lost.value)}</span>
        </div>
      )}
      {desk.notices.value.map(notice => (
        <div key={notice.id} class={notice.bad ? 'notice bad' : 'notice'}>
          <Icon name={notice.bad ? 'warning' : 'check'} />
          <span>{notice.text}</span>
          {notice.action && (
            <Button
              onClick={() => {
                notice.action?.run()
                desk.dismiss(notice.id)
              }}
            >
              {notice.action.label}
            </Button>
          )}
          <Button look="quiet" icon="cross" label={texts.close} onClick={() => desk.dismiss(notice.id)} />
        </div>
      ))}
    </div>
  )
}
