import { useEffect, useRef, useState } from 'preact/hooks'
import type { Job, JobEvent, Metrics } from '../../api/index.js'
import { useDesk } from '../desk.js'
import { bytes, count, epochs, figure, output } from '../format.js'
import { useLoad } from '../hooks.js'
import { isOpen } from '../jobs.js'
import { Chart } from '../parts/chart.js'
import { Log } from '../parts/log.js'
import { Snapshots } from '../parts/snapshots.js'
import { Empty, Facts, Failure, LinkButton, Panel, Progress, Waiting } from '../parts/ui.js'
import { addressOf, jobRoute } from '../routes.js'
import { texts } from '../texts.js'
import { type Curves, curvesOf, lossLines, rateLine, withEvents } from '../training_lines.js'

/** Points a series that are asked for: twice what a wide screen can show. */
const POINTS = 4000
/** How often new points reach the chart, in milliseconds. */
const BEAT = 250
/** How long after a snapshot the list is read again: by then what need not stay is removed. */
const SNAPSHOT_BEAT = 1000

/** A training as it goes: curves, rate, snapshots, log. */
export function Training({ job, reload }: { job: Job; reload: () => void }) {
  const { curves, error, again, zoom } = useCurves(job)
  const hints = useHints(job)
  useNewSnapshots(job, reload)
  const lines = curves ? lossLines(curves) : []
  return (
    <>
      {isOpen(job.state) && (
        <Progress value={job.progress} label={texts.jobs.progress(job.name)} live={job.state === 'running'} />
      )}
      <div class="columns training">
        <div class={curves ? 'stack' : 'stack curves-to-come'}>
          <Panel title={texts.training.curves}>
            {error !== undefined && <Failure error={error} again={again} />}
            {!curves && error === undefined && <Waiting lines={7} />}
            {curves &&
              (lines.length ? (
                <Chart
                  title={texts.training.curves}
                  lines={lines}
                  xLabel={texts.training.iteration}
                  height={340}
                  onZoom={zoom}
                  marks={[
                    ...job.snapshots.map(snapshot => ({
                      x: snapshot.iter,
                      label: snapshot.best ? texts.training.best : '',
                      strong: snapshot.best,
                    })),
                    ...curves.starts.map(x => ({ x, label: texts.training.resumed, strong: true })),
                  ]}
                />
              ) : (
                <Empty icon="chart" title={texts.training.noPoints}>
                  {job.state === 'queued' && <p>{texts.training.waits}</p>}
                </Empty>
              ))}
          </Panel>
          {curves && rateLine(curves).length > 0 && (
            <Panel title={texts.training.rate}>
              <Chart
                title={texts.training.rate}
                lines={rateLine(curves)}
                xLabel={texts.training.iteration}
                height={130}
                plain
                below={lines.some(line => line.axis === 'right')}
              />
            </Panel>
          )}
        </div>
        <div class="stack">
          <Panel title={texts.training.now}>
            <Facts
              facts={[
                [texts.training.iteration, `${count(job.iter ?? 0)}${job.maxIter ? ` / ${count(job.maxIter)}` : ''}`],
                job.loss !== undefined && [texts.jobs.loss, figure(job.loss, 4)],
                ...Object.entries(job.outputs ?? {}).map(
                  ([name, value]) => [`val ${name}`, output(name, value)] as const,
                ),
                job.best && [
                  texts.training.bestOf(job.best.output),
                  texts.training.bestValue(output(job.best.output, job.best.value), epochs(job.best.epoch)),
                ],
                curves?.speed !== undefined &&
                  job.state === 'running' && [texts.training.speed, texts.training.perSecond(figure(curves.speed, 3))],
                curves?.memory !== undefined && [texts.training.memory, bytes(curves.memory)],
                job.attempt > 1 && [
                  texts.training.attempts,
                  texts.training.attemptsText(job.attempt, curves?.starts ?? []),
                ],
              ]}
            />
          </Panel>
          <Panel
            title={texts.training.snapshots}
            actions={
              job.snapshots.length > 0 && (
                <LinkButton href={addressOf(jobRoute(job.id, 'try'))} icon="pen">
                  {texts.training.tryIt}
                </LinkButton>
              )
            }
          >
            <Snapshots job={job} onChanged={reload} />
          </Panel>
          {hints.length > 0 && (
            <Panel title={texts.training.hints(hints.length)}>
              <ul class="hints">
                {hints.map(hint => (
                  <li key={hint}>{hint}</li>
                ))}
              </ul>
            </Panel>
          )}
        </div>
      </div>
      <Log job={job} />
    </>
  )
}

/** The job is read again when there are other snapshots, however quickly they come. */
function useNewSnapshots(job: Job, reload: () => void): void {
  const desk = useDesk()
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const stop = desk.follow(job.id, event => {
      if (event.kind !== 'snapshot') return
      timer ??= setTimeout(() => {
        timer = undefined
        reload()
      }, SNAPSHOT_BEAT)
    })
    return () => {
      stop()
      clearTimeout(timer)
    }
  }, [job.id])
}

function useHints(job: Job): readonly string[] {
  const desk = useDesk()
  const [hints, set] = useState<readonly string[]>([])
  useEffect(
    () =>
      desk.follow(job.id, event => {
        if (event.kind === 'hint') set(last => (last.includes(event.text) ? last : [...last, event.text]))
      }),
    [job.id],
  )
  return hints
}

/** Curves that are read once and then follow the events; a zoom reads its stretch in full. */
function useCurves(job: Job) {
  const desk = useDesk()
  const [stretch, zoom] = useState<{ from: number; to: number }>()
  const [curves, setCurves] = useState<Curves>()
  const waiting = useRef<JobEvent[]>([])
  const { value, error, reload } = useLoad<Metrics>(
    () => desk.studio.metrics(job.id, { points: POINTS, ...stretch }),
    [job.id, stretch, desk.resets.value],
  )
  useEffect(() => {
    if (value) setCurves(last => curvesOf(value, last))
  }, [value])
  useEffect(() => {
    const stop = desk.follow(job.id, event => {
      waiting.current.push(event)
    })
    const timer = setInterval(() => {
      if (!waiting.current.length) return
      setCurves(last => {
        if (!last) return last
        const events = waiting.current
        waiting.current = []
        // within a stretch that is over nothing happens
        return withEvents(last, stretch ? events.filter(event => event.kind === 'start') : events)
      })
    }, BEAT)
    return () => {
      stop()
      clearInterval(timer)
    }
  }, [job.id, stretch])
  return { curves, error, again: reload, zoom }
}
