import type { JobSummary } from '../../api/index.js'
import { useDesk } from '../desk.js'
import { canResume, canStop } from '../jobs.js'
import { go } from '../routes.js'
import { texts } from '../texts.js'
import { Button, Menu } from './ui.js'

/** What can be done with a job from anywhere. */
export function JobMenu({ job, onRemoved }: { job: JobSummary; onRemoved?: () => void }) {
  const desk = useDesk()
  const { studio } = desk
  return (
    <Menu label={texts.jobs.actionsOf(job.name)}>
      {canStop(job) && (
        <Button look="quiet" icon="stop" onClick={() => void desk.attempt(() => studio.stop(job.id))}>
          {texts.jobs.stop}
        </Button>
      )}
      {canResume(job) && (
        <Button look="quiet" icon="play" onClick={() => void desk.attempt(() => studio.resume(job.id))}>
          {texts.jobs.resume}
        </Button>
      )}
      <Button
        look="quiet"
        icon="star"
        onClick={() => void desk.attempt(async () => desk.put(await studio.change(job.id, { starred: !job.starred })))}
      >
        {job.starred ? texts.jobs.unstar : texts.jobs.star}
      </Button>
      {(job.kind === 'model' || job.kind === 'dataset') && (
        <Button look="quiet" icon="copy" onClick={() => cloneTo(job)}>
          {texts.jobs.clone}
        </Button>
      )}
      <Button
        look="danger quiet"
        icon="trash"
        onClick={() => void desk.remove(job).then(gone => gone && onRemoved?.())}
      >
        {texts.jobs.remove}
      </Button>
    </Menu>
  )
}

/** A form filled in as this job's was. */
export function cloneTo(job: Pick<JobSummary, 'id' | 'kind'>): void {
  go({ screen: job.kind === 'dataset' ? 'new-dataset' : 'new-model', from: job.id })
}
