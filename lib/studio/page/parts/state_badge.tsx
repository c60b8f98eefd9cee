import type { JobState } from '../../api/index.js'
import { texts } from '../texts.js'
import { Icon, type IconName } from './icons.js'

const ICONS: Record<JobState, IconName> = {
  queued: 'clock',
  running: 'play',
  interrupted: 'warning',
  stopped: 'stop',
  done: 'check',
  failed: 'cross',
}

/** A state by colour, icon and word. */
export function StateBadge({ state, untrusted = false }: { state: JobState; untrusted?: boolean }) {
  return (
    <span class={`badge ${untrusted ? 'waits' : state}`}>
      <Icon name={untrusted ? 'lock' : ICONS[state]} />
      {untrusted ? texts.states.untrusted : texts.states[state]}
    </span>
  )
}
