import { useState } from 'preact/hooks'
import type { Job } from '../../api/index.js'
import { useDesk } from '../desk.js'
import { useLoad } from '../hooks.js'
import { Icon } from '../parts/icons.js'
import { Button, Dialog, Failure, Waiting } from '../parts/ui.js'
import { texts } from '../texts.js'

/** Code that came with a job from elsewhere: shown, and asked for once. */
export function Trust({ job, onDone }: { job: Job; onDone: () => void }) {
  const desk = useDesk()
  const [open, setOpen] = useState(false)
  const files = job.untrusted ?? []
  const accept = (): void =>
    void desk.attempt(async () => {
      await desk.studio.trust(files.map(({ sha256 }) => sha256))
      setOpen(false)
      onDone()
    })
  return (
    <section class="banner" aria-label={texts.trust.title}>
      <Icon name="lock" />
      <div>
        <strong>{texts.trust.title}</strong>
        <p>{texts.trust.lead(files.map(({ file }) => file).join(', '))}</p>
      </div>
      <Button look="primary" onClick={() => setOpen(true)}>
        {texts.trust.look}
      </Button>
      <Dialog
        title={texts.trust.title}
        open={open}
        wide
        onClose={() => setOpen(false)}
        footer={
          <>
            <Button onClick={() => setOpen(false)}>{texts.trust.refuse}</Button>
            <Button look="danger" onClick={accept}>
              {texts.trust.accept}
            </Button>
          </>
        }
      >
        <p>{texts.trust.what}</p>
        <p class="muted">{desk.info.value?.mode === 'browser' ? texts.trust.sandbox : texts.trust.seatBelt}</p>
        {files.map(({ file, sha256 }) => (
          <Code key={sha256} job={job} file={file} sha256={sha256} />
        ))}
      </Dialog>
    </section>
  )
}

function Code({ job, file, sha256 }: { job: Job; file: string; sha256: string }) {
  const { studio } = useDesk()
  const { value, error } = useLoad(
    () => studio.text(job.id, file.includes('/') ? file : `layers/${file}`),
    [job.id, file],
  )
  return (
    <section class="code-file" aria-label={file}>
      <h3>{file}</h3>
      <p class="hash">SHA-256 {sha256}</p>
      {error !== undefined && <Failure error={error} />}
      {value === undefined && error === undefined && <Waiting />}
      {value !== undefined && (
        <pre class="text" tabIndex={0}>
          {value}
        </pre>
      )}
    </section>
  )
}
