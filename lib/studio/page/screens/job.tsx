import { useEffect, useState } from 'preact/hooks'
import type { Job, JobId, JobSummary } from '../../api/index.js'
import { useDesk } from '../desk.js'
import { duration, epochs, moment } from '../format.js'
import { type Loaded, useLoad } from '../hooks.js'
import { canResume, canStop, canTry, isUntrusted } from '../jobs.js'
import { Icon } from '../parts/icons.js'
import { cloneTo, JobMenu } from '../parts/job_menu.js'
import { lazy } from '../parts/lazy.js'
import { StateBadge } from '../parts/state_badge.js'
import { Button, Failure, Panel, Progress, Waiting } from '../parts/ui.js'
import { addressOf, go, jobRoute } from '../routes.js'
import { texts } from '../texts.js'
import { DatasetScreen } from './dataset.js'
import { Files } from './files.js'
import { Pretrained } from './pretrained.js'
import { Training } from './training.js'
import { Trust } from './trust.js'

const EvaluationScreen = lazy(() => import('./evaluation.js').then(screen => screen.EvaluationScreen))
const ModelScreen = lazy(() => import('./model.js').then(screen => screen.ModelScreen))

/** A job of any kind: its head, and what its kind shows. */
export function JobScreen({ id, view }: { id: JobId; view: 'main' | 'try' | 'files' }) {
  const desk = useDesk()
  const summary = desk.jobs.value.get(id)
  const loaded: Loaded<Job> = useLoad(
    () => desk.studio.job(id),
    [id, summary?.state, summary?.best?.iter, desk.resets.value],
  )
  // the newest of both: the list is told first
  const job = loaded.value?.id === id ? { ...loaded.value, ...summary } : undefined
  if (!job)
    return (
      <main class="screen">
        {loaded.error ? (
          <>
            <h1>{texts.job.notHere}</h1>
            <Failure error={loaded.error} again={loaded.reload} />
          </>
        ) : (
          <>
            <h1>{summary?.name ?? texts.loading}</h1>
            <Waiting lines={6} />
          </>
        )}
      </main>
    )
  return (
    <main class="screen">
      <Head job={job} view={view} reload={loaded.reload} />
      {isUntrusted(job) && <Trust job={job} onDone={loaded.reload} />}
      {job.error && job.state !== 'done' && <JobError job={job} />}
      {view === 'files' ? (
        <Files job={job} />
      ) : view === 'try' && (job.kind === 'model' || job.kind === 'pretrained') ? (
        <ModelScreen job={job} reload={loaded.reload} />
      ) : (
        <Main job={job} reload={loaded.reload} />
      )}
    </main>
  )
}

function Main({ job, reload }: { job: Job; reload: () => void }) {
  if (job.kind === 'dataset')
    return (
      <>
        <Waits job={job} />
        {job.state === 'done' && <DatasetScreen job={job} />}
        <Related job={job} />
      </>
    )
  if (job.kind === 'evaluation')
    return (
      <>
        <Waits job={job} />
        {job.state === 'done' && <EvaluationScreen job={job} />}
      </>
    )
  if (job.kind === 'pretrained')
    return (
      <>
        <Waits job={job} />
        {job.state !== 'failed' && <Pretrained job={job} />}
        <Related job={job} />
      </>
    )
  return (
    <>
      <Training job={job} reload={reload} />
      <Related job={job} />
    </>
  )
}

function Head({ job, view, reload }: { job: Job; view: 'main' | 'try' | 'files'; reload: () => void }) {
  const desk = useDesk()
  const { studio } = desk
  const dataset = job.parents.dataset ? desk.jobs.value.get(job.parents.dataset) : undefined
  const model = job.parents.model ? desk.jobs.value.get(job.parents.model) : undefined
  const act = (work: () => Promise<unknown>): void => void desk.attempt(() => work().then(reload))
  const tab = (to: typeof view, label: string) => (
    <a href={addressOf(jobRoute(job.id, to))} aria-current={view === to ? 'page' : undefined}>
      {label}
    </a>
  )
  return (
    <header class="job-head">
      <p class="crumb">
        {texts.kind[job.kind]}
        {dataset && (
          <>
            {' · '}
            <a href={addressOf(jobRoute(dataset.id))}>{dataset.name}</a>
          </>
        )}
        {model && (
          <>
            {' · '}
            <a href={addressOf(jobRoute(model.id))}>{model.name}</a>
          </>
        )}
      </p>
      <div class="screen-head">
        <div class="job-title">
          <Name job={job} />
        </div>
        <div class="job-now" aria-live="polite">
          <StateBadge state={job.state} untrusted={isUntrusted(job)} />
          <span class="muted">{nowText(job)}</span>
        </div>
        <div class="actions">
          {canStop(job) && (
            <Button icon="stop" onClick={() => act(() => studio.stop(job.id))}>
              {texts.jobs.stop}
            </Button>
          )}
          {canResume(job) && (
            <Button icon="play" look="primary" onClick={() => act(() => studio.resume(job.id))}>
              {texts.jobs.resume}
            </Button>
          )}
          {job.kind === 'model' && job.state === 'running' && (
            <Button
              icon="camera"
              onClick={() => act(() => studio.snapshot(job.id).then(() => desk.say(texts.training.snapshotAsked)))}
            >
              {texts.training.snapshotNow}
            </Button>
          )}
          {(job.kind === 'model' || job.kind === 'dataset') && (
            <Button icon="copy" onClick={() => cloneTo(job)}>
              {texts.jobs.clone}
            </Button>
          )}
          <JobMenu job={job} onRemoved={() => go({ screen: 'home' })} />
        </div>
      </div>
      <nav class="tabs" aria-label={texts.job.views}>
        {tab('main', texts.job.main[job.kind])}
        {(job.kind === 'model' || job.kind === 'pretrained') && canTry(job) && tab('try', texts.job.try)}
        {tab('files', texts.job.files)}
      </nav>
    </header>
  )
}

function nowText(job: JobSummary): string {
  const parts: string[] = []
  if (job.epochs !== undefined) parts.push(texts.job.epoch(epochs(job.epoch ?? 0), epochs(job.epochs)))
  if (job.state === 'running' && job.epochs === undefined) parts.push(texts.job.percent(job.progress))
  if (job.seconds > 0) parts.push(duration(job.seconds))
  if (job.eta !== undefined && job.state === 'running') parts.push(texts.jobs.left(duration(job.eta)))
  if (job.attempt > 1) parts.push(texts.job.attempts(job.attempt))
  return parts.join(' · ') || texts.job.made(moment(job.created))
}

/** The name, which a click makes a field; notes below it. */
function Name({ job }: { job: Job }) {
  const desk = useDesk()
  const [edit, setEdit] = useState(false)
  const [name, setName] = useState(job.name)
  const [group, setGroup] = useState(job.group)
  const [notes, setNotes] = useState(job.notes)
  useEffect(() => {
    setName(job.name)
    setGroup(job.group)
    setNotes(job.notes)
  }, [job.name, job.group, job.notes])
  if (!edit)
    return (
      <>
        <h1>
          {job.name || job.id}
          <Button icon="pen" look="quiet" label={texts.job.rename} onClick={() => setEdit(true)} />
        </h1>
        {job.notes && <p class="notes">{job.notes}</p>}
      </>
    )
  return (
    <form
      class="rename"
      onSubmit={event => {
        event.preventDefault()
        void desk.attempt(async () => {
          desk.put(await desk.studio.change(job.id, { name, group, notes }))
          setEdit(false)
        })
      }}
    >
      <h1 class="hidden">{job.name}</h1>
      <input aria-label={texts.form.name} value={name} required onInput={event => setName(event.currentTarget.value)} />
      <input
        aria-label={texts.form.group}
        placeholder={texts.form.group}
        value={group}
        onInput={event => setGroup(event.currentTarget.value)}
      />
      <textarea
        aria-label={texts.job.notes}
        placeholder={texts.job.notes}
        rows={2}
        value={notes}
        onInput={event => setNotes(event.currentTarget.value)}
      />
      <span class="actions">
        <Button submit look="primary">
          {texts.save}
        </Button>
        <Button onClick={() => setEdit(false)}>{texts.cancel}</Button>
      </span>
    </form>
  )
}

/** A job that has nothing to show yet: how far it is. */
function Waits({ job }: { job: Job }) {
  const desk = useDesk()
  const [last, setLast] = useState('')
  useEffect(
    () =>
      desk.follow(job.id, event => {
        if (event.kind === 'progress') setLast(texts.job.step(event.done, event.total, event.text))
        if (event.kind === 'log') setLast(event.text)
      }),
    [job.id],
  )
  if (job.state === 'done' || job.state === 'failed') return null
  return (
    <Panel title={texts.job.progress}>
      <Progress value={job.progress} label={texts.jobs.progress(job.name)} live={job.state === 'running'} />
      <p class="muted" aria-live="polite">
        {last || texts.states[job.state]}
      </p>
    </Panel>
  )
}

function JobError({ job }: { job: Job }) {
  return (
    <div class="failure" role="alert">
      <Icon name="warning" />
      <div>
        <strong>{texts.job.failed}</strong>
        <pre class="message">{job.error}</pre>
      </div>
    </div>
  )
}

/** Jobs that are made from this one. */
function Related({ job }: { job: Job }) {
  if (!job.children.length) return null
  return (
    <Panel title={texts.job.children[job.kind]}>
      <ul class="related">
        {job.children.map(child => (
          <li key={child.id}>
            <StateBadge state={child.state} />
            <a href={addressOf(jobRoute(child.id))}>{child.name}</a>
            <span class="muted">{texts.kind[child.kind]}</span>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
