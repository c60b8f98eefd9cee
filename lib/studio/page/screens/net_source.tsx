import { useEffect, useState } from 'preact/hooks'
import type { JobId, JobSummary, ModelForm } from '../../api/index.js'
import { useDesk } from '../desk.js'
import { output } from '../format.js'
import { Button, Choice, Empty } from '../parts/ui.js'
import { texts } from '../texts.js'

type From = 'standard' | 'previous' | 'pretrained' | 'own'
const FROM: readonly From[] = ['standard', 'previous', 'pretrained', 'own']
/** Where the net of a pretrained model may stand. */
const NET_FILES = ['net.prototxt', 'train_val.prototxt', 'deploy.prototxt']

/** Where the net's text comes from. */
export function NetSource(props: {
  form: ModelForm
  weights?: JobId
  open: boolean
  onChosen: (some: Partial<ModelForm>) => void
  onCustom: () => void
  onOwn: () => void
}) {
  const desk = useDesk()
  const { studio } = desk
  const [from, setFrom] = useState<From>(props.weights ? 'pretrained' : 'standard')
  const [chosen, setChosen] = useState('')
  const [busy, setBusy] = useState(false)
  const jobs = [...desk.jobs.value.values()]
  const { form } = props

  const choose = async (name: string, read: () => Promise<Partial<ModelForm>>): Promise<void> => {
    setBusy(true)
    const some = await desk.attempt(read)
    setBusy(false)
    if (!some) return
    setChosen(name)
    props.onChosen(some)
  }
  const standard = (name: string, title: string): Promise<void> =>
    choose(name, async () => {
      const { net, form: suits } = await studio.standardNet(name, form.dataset)
      return { ...suits, net, weights: undefined, ...(form.name ? {} : { name: title }) }
    })
  const previous = (job: JobSummary): Promise<void> =>
    choose(job.id, async () => {
      const cloned = (await studio.clone(job.id)).form as ModelForm
      return { ...cloned, name: form.name || job.name, dataset: form.dataset || cloned.dataset }
    })
  const pretrained = (job: JobSummary): Promise<void> =>
    choose(job.id, async () => {
      if (job.kind === 'model') {
        const cloned = (await studio.clone(job.id)).form as ModelForm
        return { net: cloned.net, layers: cloned.layers, weights: { job: job.id } }
      }
      const files = (await studio.files(job.id)).map(file => file.path)
      const path = NET_FILES.find(file => files.includes(file)) ?? files.find(file => file.endsWith('.prototxt'))
      if (!path) throw new Error(texts.newModel.noNet(job.name))
      return { net: await studio.text(job.id, path), weights: { job: job.id } }
    })
  useEffect(() => {
    const job = props.weights ? desk.jobs.value.get(props.weights) : undefined
    if (job) void pretrained(job)
  }, [props.weights, desk.ready.value])

  const card = (key: string, title: string, note: string, pick: () => Promise<void>) => (
    <li key={key}>
      <button
        type="button"
        class="card"
        aria-pressed={chosen === key}
        disabled={busy || !form.dataset}
        onClick={() => void pick()}
      >
        <strong>{title}</strong>
        <span>{note}</span>
      </button>
    </li>
  )
  const models = jobs.filter(job => job.kind === 'model')
  const weighted = jobs.filter(job => job.kind === 'pretrained' || (job.kind === 'model' && job.best))
  return (
    <div class="net-source">
      <div class="filters">
        <Choice
          label={texts.newModel.from}
          value={from}
          onChange={value => {
            setFrom(value)
            if (value === 'own') props.onOwn()
          }}
          options={FROM.map(value => ({ value, label: texts.newModel.froms[value] }))}
        />
        {form.net !== '' && (
          <Button icon={props.open ? 'pen' : 'upward'} onClick={props.onCustom} aria-expanded={!props.open}>
            {props.open ? texts.newModel.customize : texts.newModel.hideText}
          </Button>
        )}
      </div>
      {!form.dataset && from !== 'own' && <p class="muted">{texts.newModel.datasetFirst}</p>}
      {(props.open || form.net === '') && (
        <ul class="cards">
          {from === 'standard' &&
            desk.info.value?.standardNets.map(({ name, title, note }) =>
              card(name, title, note, () => standard(name, title)),
            )}
          {from === 'previous' &&
            models.map(job =>
              card(job.id, job.name, job.best ? output(job.best.output, job.best.value) : texts.states[job.state], () =>
                previous(job),
              ),
            )}
          {from === 'pretrained' &&
            weighted.map(job =>
              card(job.id, job.name, job.kind === 'model' ? texts.newModel.fromBest : texts.kind.pretrained, () =>
                pretrained(job),
              ),
            )}
        </ul>
      )}
      {from === 'previous' && !models.length && <Empty icon="net" title={texts.newModel.noPrevious} />}
      {from === 'pretrained' && !weighted.length && <Empty icon="down" title={texts.newModel.noPretrained} />}
      {form.weights && (
        <p class="chip-line">
          {texts.newModel.weightsOf(desk.jobs.value.get(form.weights.job)?.name ?? form.weights.job)}
          <Button look="quiet" onClick={() => props.onChosen({ weights: undefined })}>
            {texts.newModel.withoutWeights}
          </Button>
        </p>
      )}
    </div>
  )
}
