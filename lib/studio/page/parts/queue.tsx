import { useState } from 'preact/hooks'
import type { JobId } from '../../api/index.js'
import { useDesk } from '../desk.js'
import { addressOf, jobRoute } from '../routes.js'
import { texts } from '../texts.js'
import { Button, Panel } from './ui.js'

/** Jobs that wait, in the order in which they start: moved by drag, or by their buttons. */
export function Queue() {
  const desk = useDesk()
  const [order, setOrder] = useState<readonly JobId[]>([])
  const [held, setHeld] = useState<JobId>()
  const place = (id: JobId): number => (order.includes(id) ? order.indexOf(id) : order.length)
  const waiting = [...desk.jobs.value.values()]
    .filter(job => job.state === 'queued')
    .sort((a, b) => place(a.id) - place(b.id) || a.created - b.created || (a.id < b.id ? -1 : 1))
  const paused = desk.info.value?.paused ?? false
  if (!waiting.length && !paused) return null
  const move = (id: JobId, to: number): void => {
    const ids = waiting.map(job => job.id).filter(other => other !== id)
    ids.splice(to, 0, id)
    setOrder(ids)
    void desk.attempt(() => desk.studio.order(ids))
  }
  const pause = (): void =>
    void desk.attempt(async () => {
      await desk.studio.pause(!paused)
      desk.info.value = await desk.studio.info()
    })
  return (
    <Panel
      class="queue"
      title={texts.queue.title(waiting.length)}
      actions={
        <Button icon={paused ? 'play' : 'pause'} onClick={pause}>
          {paused ? texts.queue.go : texts.queue.pause}
        </Button>
      }
    >
      {paused && <p class="muted">{texts.queue.paused}</p>}
      <ol class="queue-list">
        {waiting.map((job, at) => (
          <li
            key={job.id}
            draggable
            class={held === job.id ? 'held' : ''}
            onDragStart={() => setHeld(job.id)}
            onDragEnd={() => setHeld(undefined)}
            onDragOver={event => event.preventDefault()}
            onDrop={event => {
              event.preventDefault()
              if (held) move(held, at)
            }}
          >
            <a href={addressOf(jobRoute(job.id))}>{job.name}</a>
            <span class="actions">
              <Button
                icon="upward"
                look="quiet"
                label={texts.queue.earlier(job.name)}
                disabled={at === 0}
                onClick={() => move(job.id, at - 1)}
              />
              <Button
                icon="downward"
                look="quiet"
                label={texts.queue.later(job.name)}
                disabled={at === waiting.length - 1}
                onClick={() => move(job.id, at + 1)}
              />
            </span>
          </li>
        ))}
      </ol>
    </Panel>
  )
}
