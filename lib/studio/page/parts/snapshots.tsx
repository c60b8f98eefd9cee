import type { Job } from '../../api/index.js'
import { useDesk } from '../desk.js'
import { bytes, count, epochs, output } from '../format.js'
import { texts } from '../texts.js'
import { Button } from './ui.js'

const outputsOf = (outputs: Readonly<Record<string, number>>): string[] =>
  Object.entries(outputs).map(([name, value]) => output(name, value))

/** Snapshots of a training: the best is marked, and any can be kept. */
export function Snapshots({ job, onChanged }: { job: Job; onChanged: () => void }) {
  const desk = useDesk()
  if (!job.snapshots.length) return <p class="muted">{texts.training.noSnapshots}</p>
  return (
    <ol class="snapshots">
      {[...job.snapshots].reverse().map(snapshot => (
        <li key={snapshot.iter} class={snapshot.best ? 'best' : ''}>
          <Button
            look="quiet"
            icon="star"
            class={snapshot.starred ? 'starred' : ''}
            aria-pressed={snapshot.starred}
            label={texts.training.keep(snapshot.iter)}
            onClick={() =>
              void desk.attempt(async () => {
                await desk.studio.star(job.id, snapshot.iter, !snapshot.starred)
                onChanged()
              })
            }
          />
          <span class="snapshot-name">
            {texts.training.epochNumber(epochs(snapshot.epoch))}
            {snapshot.best && <span class="chip best">{texts.training.best}</span>}
            <span class="snapshot-at muted">
              {texts.training.at(count(snapshot.iter))} · {bytes(snapshot.bytes)}
            </span>
          </span>
          <span class="number" title={outputsOf(snapshot.outputs).join(', ')}>
            {outputsOf(snapshot.outputs)[0]}
          </span>
        </li>
      ))}
    </ol>
  )
}
