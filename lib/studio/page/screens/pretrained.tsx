import type { Job, PretrainedForm } from '../../api/index.js'
import { canTry } from '../jobs.js'
import { LinkButton, Panel } from '../parts/ui.js'
import { addressOf, jobRoute } from '../routes.js'
import { texts } from '../texts.js'

/** A model from elsewhere: what can be done with it. */
export function Pretrained({ job }: { job: Job }) {
  const { source } = job.form as PretrainedForm
  return (
    <Panel title={texts.pretrained.title}>
      <p>
        {'archive' in source
          ? texts.pretrained.archive
          : 'model' in source
            ? texts.pretrained.model
            : texts.pretrained.parts}
      </p>
      {canTry(job) && (
        <div class="actions">
          <LinkButton icon="pen" look="primary" href={addressOf(jobRoute(job.id, 'try'))}>
            {texts.job.try}
          </LinkButton>
          <LinkButton icon="plus" href={addressOf({ screen: 'new-model', weights: job.id })}>
            {texts.pretrained.begin}
          </LinkButton>
        </div>
      )}
    </Panel>
  )
}
