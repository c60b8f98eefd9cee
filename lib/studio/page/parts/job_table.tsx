import { useState } from 'preact/hooks'
import type { JobId, JobSummary } from '../../api/index.js'
import { useDesk } from '../desk.js'
import { count, duration, epochs, figure, moment, output } from '../format.js'
import { isUntrusted } from '../jobs.js'
import { addressOf, jobRoute } from '../routes.js'
import { texts } from '../texts.js'
import { Icon } from './icons.js'
import { JobMenu } from './job_menu.js'
import { StateBadge } from './state_badge.js'
import { Button, Progress } from './ui.js'

/** Rows at a time: thousands would keep a browser busy. */
const ROWS = 100

/** Jobs, a row each; on a narrow screen a card each. */
export function JobTable(props: {
  readonly jobs: readonly JobSummary[]
  readonly chosen?: ReadonlySet<JobId>
  readonly onChosen?: (chosen: ReadonlySet<JobId>) => void
}) {
  const [rows, setRows] = useState(ROWS)
  const shown = props.jobs.slice(0, rows)
  const { onChosen, chosen } = props
  return (
    <>
      <table class="table jobs">
        <thead>
          <tr>
            {onChosen && (
              <th scope="col" class="pick">
                <span class="hidden">{texts.jobs.choose}</span>
              </th>
            )}
            <th scope="col">{texts.jobs.name}</th>
            <th scope="col">{texts.jobs.dataset}</th>
            <th scope="col">{texts.jobs.state}</th>
            <th scope="col" class="number">
              {texts.jobs.epoch}
            </th>
            <th scope="col" class="number">
              {texts.jobs.loss}
            </th>
            <th scope="col" class="number">
              {texts.jobs.best}
            </th>
            <th scope="col" class="number">
              {texts.jobs.time}
            </th>
            <th scope="col">{texts.jobs.created}</th>
            <th scope="col">
              <span class="hidden">{texts.jobs.actions}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map(job => (
            <Row
              key={job.id}
              job={job}
              chosen={chosen?.has(job.id) ?? false}
              onChosen={
                onChosen &&
                (on => {
                  const next = new Set(chosen)
                  if (on) next.add(job.id)
                  else next.delete(job.id)
                  onChosen(next)
                })
              }
            />
          ))}
        </tbody>
      </table>
      {props.jobs.length > rows && (
        <p class="more-rows">
          <span class="muted">{texts.jobs.shown(count(rows), count(props.jobs.length))}</span>
          <Button onClick={() => setRows(rows + ROWS * 5)}>{texts.jobs.more}</Button>
        </p>
      )}
    </>
  )
}

function Row({ job, chosen, onChosen }: { job: JobSummary; chosen: boolean; onChosen?: (on: boolean) => void }) {
  const desk = useDesk()
  const dataset = job.parents.dataset ? desk.jobs.value.get(job.parents.dataset) : undefined
  const active = job.state === 'running' || job.state === 'interrupted'
  return (
    <tr class={chosen ? 'chosen' : ''}>
      {onChosen && (
        <td class="pick">
          {job.kind === 'model' && (
            <input
              type="checkbox"
              checked={chosen}
              aria-label={texts.jobs.chooseOne(job.name)}
              onChange={event => onChosen(event.currentTarget.checked)}
            />
          )}
        </td>
      )}
      <th scope="row" class="job-name">
        <span class={`kind ${job.kind}`} title={texts.kind[job.kind]}>
          <Icon name={KIND_ICONS[job.kind]} />
        </span>
        <a href={addressOf(jobRoute(job.id))}>{job.name || job.id}</a>
        {job.starred && (
          <span class="starred" title={texts.jobs.starred}>
            <Icon name="star" filled />
          </span>
        )}
        {job.group && <span class="chip">{job.group}</span>}
      </th>
      <td data-label={texts.jobs.dataset} class={dataset ? '' : 'none'}>
        {dataset && <a href={addressOf(jobRoute(dataset.id))}>{dataset.name}</a>}
      </td>
      <td data-label={texts.jobs.state} class="job-state">
        <StateBadge state={job.state} untrusted={isUntrusted(job)} />
        {active && (
          <Progress value={job.progress} label={texts.jobs.progress(job.name)} live={job.state === 'running'} />
        )}
      </td>
      <td data-label={texts.jobs.epoch} class={job.epochs === undefined ? 'number none' : 'number'}>
        {job.epochs !== undefined && `${epochs(job.epoch ?? 0)} / ${epochs(job.epochs)}`}
      </td>
      <td data-label={texts.jobs.loss} class={job.loss === undefined ? 'number none' : 'number'}>
        {job.loss !== undefined && figure(job.loss, 3)}
      </td>
      <td data-label={texts.jobs.best} class={job.best ? 'number' : 'number none'}>
        {job.best && (
          <span title={texts.jobs.bestAt(job.best.output, job.best.epoch)}>
            {output(job.best.output, job.best.value)}
          </span>
        )}
      </td>
      <td data-label={texts.jobs.time} class="number">
        {duration(job.seconds)}
        {job.eta !== undefined && active && <span class="muted"> {texts.jobs.left(duration(job.eta))}</span>}
      </td>
      <td data-label={texts.jobs.created} class="muted nowrap">
        {moment(job.created)}
      </td>
      <td class="job-menu">
        <JobMenu job={job} />
      </td>
    </tr>
  )
}

const KIND_ICONS = { dataset: 'data', model: 'net', evaluation: 'grid', pretrained: 'down' } as const
