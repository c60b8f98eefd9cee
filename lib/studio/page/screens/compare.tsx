import { useMemo, useState } from 'preact/hooks'
import type { Comparison, JobId, JobSummary, Metrics, TestOneRequest } from '../../api/index.js'
import { useDesk } from '../desk.js'
import { isShare, output } from '../format.js'
import { useLoad } from '../hooks.js'
import { canTry } from '../jobs.js'
import { Chart } from '../parts/chart.js'
import { SelectField } from '../parts/fields.js'
import { PictureSource, useDataset } from '../parts/picture_source.js'
import { Classes, usePrediction } from '../parts/prediction.js'
import type { Line } from '../parts/series.js'
import { StateBadge } from '../parts/state_badge.js'
import { Choice, Empty, Failure, LinkButton, Panel, Waiting } from '../parts/ui.js'
import { addressOf, jobRoute } from '../routes.js'
import { texts } from '../texts.js'

type Over = 'iteration' | 'time' | 'epoch'

/** Several trainings over each other, and only the settings in which they differ. */
export function Compare({ ids }: { ids: readonly JobId[] }) {
  const desk = useDesk()
  const key = ids.join(',')
  const comparison = useLoad(ids.length > 1 ? () => desk.studio.compare(ids) : undefined, [key])
  const metrics = useLoad(
    ids.length > 1 ? () => Promise.all(ids.map(id => desk.studio.metrics(id, { points: 2000 }))) : undefined,
    [key, desk.resets.value],
  )
  const jobs = ids.map(id => desk.jobs.value.get(id))
  const name = (id: JobId): string => desk.jobs.value.get(id)?.name ?? id
  return (
    <main class="screen">
      <div class="screen-head">
        <h1>{texts.compare.title}</h1>
      </div>
      {ids.length < 2 && (
        <Empty icon="chart" title={texts.compare.choose}>
          <LinkButton href={addressOf({ screen: 'home' })}>{texts.home.title}</LinkButton>
        </Empty>
      )}
      {(comparison.error ?? metrics.error) !== undefined && (
        <Failure
          error={comparison.error ?? metrics.error}
          again={() => {
            comparison.reload()
            metrics.reload()
          }}
        />
      )}
      {ids.length > 1 && (
        <>
          <Panel title={texts.compare.curves}>
            {metrics.value ? <Curves ids={ids} metrics={metrics.value} name={name} /> : <Waiting lines={6} />}
          </Panel>
          <Panel title={texts.compare.differing}>
            {comparison.value ? (
              <Differing comparison={comparison.value} jobs={jobs} name={name} />
            ) : (
              <Waiting lines={3} />
            )}
          </Panel>
          <SamePicture jobs={jobs.filter(job => job !== undefined).filter(canTry)} />
          {comparison.value?.nets.map(net => (
            <details key={net.job} class="panel log">
              <summary>
                <h2>{texts.compare.net(name(ids[0]), name(net.job))}</h2>
              </summary>
              <Diff text={net.text} />
            </details>
          ))}
        </>
      )}
    </main>
  )
}

function Curves(props: { ids: readonly JobId[]; metrics: readonly Metrics[]; name: (id: JobId) => string }) {
  const [over, setOver] = useState<Over>('iteration')
  const names = [...new Set(props.metrics.flatMap(({ series }) => Object.keys(series)))]
  const first = names.find(each => each.startsWith('val') && isShare(each)) ?? names[0] ?? ''
  const [picked, setPicked] = useState('')
  const shown = names.includes(picked) ? picked : first
  const lines = props.metrics.flatMap((metrics, at): Line[] => {
    const series = metrics.series[shown]
    if (!series) return []
    return [
      {
        label: props.name(props.ids[at]),
        x: series.iters.map(along(over, metrics)),
        y: series.values,
        axis: isShare(shown) ? 'right' : 'left',
        color: at,
        dots: shown.startsWith('val'),
      },
    ]
  })
  if (!names.length) return <Empty icon="chart" title={texts.training.noPoints} />
  return (
    <>
      <div class="filters">
        <SelectField
          label={texts.compare.what}
          value={shown}
          onChange={setPicked}
          options={names.map(value => ({ value, label: value }))}
        />
        <Choice
          label={texts.compare.over}
          value={over}
          onChange={setOver}
          options={(['iteration', 'time', 'epoch'] as const).map(value => ({
            value,
            label: texts.compare.overs[value],
          }))}
        />
      </div>
      <Chart
        title={`${texts.compare.curves}: ${shown}`}
        lines={lines}
        xLabel={texts.compare.overs[over]}
        height={340}
      />
    </>
  )
}

/** Where an iteration is on the axis: seconds are known where losses are. */
function along(over: Over, metrics: Metrics): (iter: number) => number {
  if (over === 'iteration') return iter => iter
  if (over === 'epoch') return iter => Math.round((iter / Math.max(1, metrics.iterationsPerEpoch)) * 1000) / 1000
  const iters = metrics.series.loss?.iters ?? []
  return iter => {
    let low = 0
    let high = iters.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (iters[middle] < iter) low = middle + 1
      else high = middle
    }
    return metrics.seconds[Math.min(low, metrics.seconds.length - 1)] ?? 0
  }
}

function Differing(props: {
  comparison: Comparison
  jobs: readonly (JobSummary | undefined)[]
  name: (id: JobId) => string
}) {
  const { comparison, jobs } = props
  return (
    <div class="scroll" role="group" tabIndex={0} aria-label={texts.compare.differing}>
      <table class="table compare">
        <thead>
          <tr>
            <th scope="col">{texts.compare.setting}</th>
            {comparison.jobs.map((id, at) => (
              <th key={id} scope="col">
                <span class={`key series-${at % 8}`} aria-hidden="true" />
                <a href={addressOf(jobRoute(id))}>{props.name(id)}</a>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">{texts.jobs.state}</th>
            {jobs.map((job, at) => (
              <td key={comparison.jobs[at]}>{job && <StateBadge state={job.state} />}</td>
            ))}
          </tr>
          <tr>
            <th scope="row">{texts.jobs.best}</th>
            {jobs.map((job, at) => (
              <td key={comparison.jobs[at]}>{job?.best ? output(job.best.output, job.best.value) : '–'}</td>
            ))}
          </tr>
          {comparison.differing.map(({ path, values }) => (
            <tr key={path} class="differs">
              <th scope="row">
                <code>{path}</code>
              </th>
              {values.map((value, at) => (
                <td key={comparison.jobs[at]}>{value || '–'}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {comparison.differing.length === 0 && <p class="muted">{texts.compare.same}</p>}
    </div>
  )
}

/** One picture, and what each of the models says of it. */
function SamePicture({ jobs }: { jobs: readonly JobSummary[] }) {
  const [picture, setPicture] = useState<TestOneRequest['picture']>()
  const dataset = jobs.every(job => job.parents.dataset === jobs[0].parents.dataset)
    ? jobs[0]?.parents.dataset
    : undefined
  const result = useDataset(dataset)
  if (!jobs.length) return null
  return (
    <Panel title={texts.compare.picture}>
      <div class="same-picture">
        <div class="stack">
          <PictureSource dataset={dataset} result={result} onPicture={setPicture} />
        </div>
        {jobs.map(job => (
          <Says key={job.id} job={job} picture={picture} />
        ))}
      </div>
    </Panel>
  )
}

function Says({ job, picture }: { job: JobSummary; picture: TestOneRequest['picture'] | undefined }) {
  const request = useMemo(() => picture && { picture }, [picture])
  const { prediction, error, busy } = usePrediction(job.id, request)
  return (
    <section aria-label={job.name} aria-live="polite" aria-busy={busy}>
      <h3>{job.name}</h3>
      {error !== undefined && <Failure error={error} />}
      {prediction ? (
        <Classes prediction={prediction} most={3} />
      ) : (
        error === undefined && (request ? <Waiting lines={3} /> : <p class="muted">{texts.model.noPicture}</p>)
      )}
    </section>
  )
}

/** Lines that came and went. */
function Diff({ text }: { text: string }) {
  return (
    <pre class="text diff" tabIndex={0}>
      {text.split('\n').map((line, at) => (
        <span key={at} class={line.startsWith('+') ? 'came' : line.startsWith('-') ? 'went' : ''}>
          {line}
          {'\n'}
        </span>
      ))}
    </pre>
  )
}
