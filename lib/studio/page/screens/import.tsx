import { useState } from 'preact/hooks'
import { type PretrainedForm, StudioError } from '../../api/index.js'
import { useDesk } from '../desk.js'
import { download } from '../hooks.js'
import { type Dropped, DropZone } from '../parts/drop_zone.js'
import { AreaField, TextField } from '../parts/fields.js'
import { Button, Choice, Failure, Panel } from '../parts/ui.js'
import { go, jobRoute } from '../routes.js'
import { texts } from '../texts.js'

type What = 'archive' | 'parts' | 'project'

/** Models and projects from elsewhere. */
export function Import() {
  const desk = useDesk()
  const [what, setWhat] = useState<What>('archive')
  const [name, setName] = useState('')
  const [main, setMain] = useState<readonly Dropped[]>([])
  const [net, setNet] = useState('')
  const [labels, setLabels] = useState('')
  const [mean, setMean] = useState<readonly Dropped[]>([])
  const [progress, setProgress] = useState<number>()
  const [error, setError] = useState<unknown>()
  const send = (files: readonly Dropped[]): Promise<string> =>
    desk.studio.upload(files, { onProgress: (bytes, total) => setProgress(total ? bytes / total : 0) })

  const bring = async (): Promise<void> => {
    setError(undefined)
    setProgress(0)
    try {
      const upload = await send(main)
      if (what === 'project') {
        const jobs = await desk.studio.importProject(upload)
        desk.put(...jobs)
        desk.say(texts.importing.came(jobs.length))
        go({ screen: 'home' })
        return
      }
      const source: PretrainedForm['source'] =
        what === 'archive'
          ? { archive: { upload } }
          : {
              net,
              weights: { upload },
              labels: labels || undefined,
              mean: mean.length ? { upload: await send(mean) } : undefined,
            }
      const [job] = await desk.studio.create('pretrained', { name, source })
      desk.put(job)
      go(jobRoute(job.id))
    } catch (failure) {
      setError(failure)
    } finally {
      setProgress(undefined)
    }
  }
  const ready = main.length > 0 && (what === 'project' || (name !== '' && (what === 'archive' || net !== '')))
  return (
    <main class="screen narrow">
      <div class="screen-head">
        <h1>{texts.importing.title}</h1>
      </div>
      <form
        onSubmit={event => {
          event.preventDefault()
          void bring()
        }}
      >
        <Panel title={texts.importing.what}>
          <Choice
            label={texts.importing.what}
            value={what}
            onChange={value => {
              setWhat(value)
              setMain([])
            }}
            options={(['archive', 'parts', 'project'] as const).map(value => ({
              value,
              label: texts.importing.kinds[value].title,
            }))}
          />
          <p class="muted">{texts.importing.kinds[what].note}</p>
          {what === 'parts' && (
            <>
              <AreaField label={texts.importing.net} rows={8} value={net} onInput={setNet} />
              <label class="button plain">
                {texts.importing.netFile}
                <input
                  class="hidden"
                  type="file"
                  accept=".prototxt,.txt"
                  onChange={event => void event.currentTarget.files?.[0]?.text().then(setNet)}
                />
              </label>
            </>
          )}
          <DropZone
            label={texts.importing.kinds[what].drop}
            files={main}
            progress={progress}
            onFiles={files => {
              setMain(files)
              if (!name) setName(files[0].path.replace(/\.(zip|tar\.gz|tgz|caffemodel)$/, ''))
            }}
          />
          {what === 'parts' && (
            <>
              <AreaField
                label={texts.importing.labels}
                hint={texts.importing.labelsHint}
                value={labels}
                onInput={setLabels}
              />
              <DropZone label={texts.importing.mean} files={mean} onFiles={setMean} />
            </>
          )}
          {what !== 'project' && <TextField label={texts.form.name} value={name} required onInput={setName} />}
          {error !== undefined && <Failure error={error} />}
          {error instanceof StudioError && error.faults.length > 0 && (
            <ul class="hints">
              {error.faults.map(fault => (
                <li key={fault.path}>
                  <code>{fault.path}</code> {fault.message}
                </li>
              ))}
            </ul>
          )}
          <div class="actions">
            <Button look="primary" submit busy={progress !== undefined} disabled={!ready}>
              {texts.importing.title}
            </Button>
          </div>
        </Panel>
      </form>
      <Panel title={texts.importing.saveProject}>
        <p>{texts.importing.saveProjectText}</p>
        <Button
          icon="down"
          onClick={() => void desk.attempt(async () => download(await desk.studio.project(), 'project.zip'))}
        >
          {texts.importing.saveProject}
        </Button>
      </Panel>
    </main>
  )
}
