import { useMemo, useState } from 'preact/hooks'
import type { JobId, JobKind, JobState } from '../../api/index.js'
import { useDesk } from '../desk.js'
import { countKinds, type Filter, passing } from '../jobs.js'
import { JobTable } from '../parts/job_table.js'
import { Queue } from '../parts/queue.js'
import { Button, Choice, Empty, Failure, LinkButton, Waiting } from '../parts/ui.js'
import { addressOf, go } from '../routes.js'
import { texts } from '../texts.js'

const NOTHING: Filter = { kind: '', text: '', group: '', state: '' }
const STATES: readonly JobState[] = ['running', 'queued', 'interrupted', 'stopped', 'done', 'failed']

/** All jobs: what there is, what runs, what comes next. */
export function Home() {
  const desk = useDesk()
  const [filter, setFilter] = useState<Filter>(NOTHING)
  const [chosen, setChosen] = useState<ReadonlySet<JobId>>(new Set())
  const all = desk.jobs.value
  const shown = useMemo(() => passing(all.values(), filter), [all, filter])
  const counts = useMemo(() => countKinds(all.values()), [all])
  const groups = useMemo(() => [...new Set([...all.values()].map(job => job.group).filter(Boolean))].sort(), [all])
  const comparable = shown.filter(job => chosen.has(job.id) && job.kind === 'model')

  if (!desk.ready.value)
    return (
      <main class="screen">
        <h1 class="hidden">{texts.home.title}</h1>
        {desk.failure.value ? (
          <Failure error={desk.failure.value} again={() => void desk.load()} />
        ) : (
          <Waiting lines={8} />
        )}
      </main>
    )
  if (all.size === 0)
    return (
      <main class="screen">
        <Welcome />
      </main>
    )
  const kind = (value: JobKind | '', label: string, items: number) => ({
    value,
    label: (
      <>
        {label} <span class="tally">{items}</span>
      </>
    ),
  })
  return (
    <main class="screen">
      <div class="screen-head">
        <h1>{texts.home.title}</h1>
        <Choice
          label={texts.home.kind}
          value={filter.kind}
          onChange={value => setFilter({ ...filter, kind: value })}
          options={[
            kind('', texts.home.all, all.size),
            kind('model', texts.kinds.models, counts.model),
            kind('dataset', texts.kinds.datasets, counts.dataset),
            kind('evaluation', texts.kinds.evaluations, counts.evaluation),
            kind('pretrained', texts.kinds.pretrained, counts.pretrained),
          ]}
        />
      </div>
      <div class="filters">
        <input
          type="search"
          class="grow"
          value={filter.text}
          placeholder={texts.home.filter}
          aria-label={texts.home.filter}
          onInput={event => setFilter({ ...filter, text: event.currentTarget.value })}
        />
        {groups.length > 0 && (
          <label class="inline">
            {texts.home.group}
            <select value={filter.group} onChange={event => setFilter({ ...filter, group: event.currentTarget.value })}>
              <option value="">{texts.home.all}</option>
              {groups.map(group => (
                <option key={group} value={group}>
                  {group}
                </option>
              ))}
            </select>
          </label>
        )}
        <label class="inline">
          {texts.home.state}
          <select
            value={filter.state}
            onChange={event => setFilter({ ...filter, state: event.currentTarget.value as JobState | '' })}
          >
            <option value="">{texts.home.all}</option>
            {STATES.map(state => (
              <option key={state} value={state}>
                {texts.states[state]}
              </option>
            ))}
          </select>
        </label>
        <Button
          icon="chart"
          disabled={comparable.length < 2}
          onClick={() => go({ screen: 'compare', ids: comparable.map(job => job.id) })}
        >
          {texts.home.compare(comparable.length)}
        </Button>
      </div>
      <Queue />
      {shown.length ? (
        <JobTable jobs={shown} chosen={chosen} onChosen={setChosen} />
      ) : (
        <Empty icon="search" title={texts.home.nothingFound}>
          <Button onClick={() => setFilter(NOTHING)}>{texts.home.showAll}</Button>
        </Empty>
      )}
    </main>
  )
}

/** The first time: what to do, in its order. */
function Welcome() {
  return (
    <div class="welcome">
      <h1>{texts.welcome.title}</h1>
      <p class="lead">{texts.welcome.lead}</p>
      <ol class="steps">
        {texts.welcome.steps.map(([title, text]) => (
          <li key={title}>
            <h2>{title}</h2>
            <p>{text}</p>
          </li>
        ))}
      </ol>
      <div class="actions">
        <LinkButton look="primary" icon="plus" href={addressOf({ screen: 'new-dataset' })}>
          {texts.newDataset.title}
        </LinkButton>
        <LinkButton icon="up" href={addressOf({ screen: 'import' })}>
          {texts.importing.title}
        </LinkButton>
      </div>
    </div>
  )
}
