import { useEffect, useMemo, useState } from 'preact/hooks'
import { type Inspection, type InspectRequest, type JobId, type ModelForm, StudioError } from '../../api/index.js'
import { useDesk } from '../desk.js'
import { useCopy, useLoad, useSettled } from '../hooks.js'
import { emptyForm, jobsMade, withoutGaps } from '../model_form.js'
import { Editor } from '../parts/editor/editor.js'
import { Button, Choice, Empty, Failure, LinkButton, Panel, Waiting } from '../parts/ui.js'
import { addressOf, go, jobRoute } from '../routes.js'
import { texts } from '../texts.js'
import { LayerFiles } from './layer_files.js'
import { ModelSettings } from './model_settings.js'
import { NetGraphPanel } from './net_graph.js'
import { NetSource } from './net_source.js'

type Stage = InspectRequest['stage']

/** A net, how it is trained, layers of one's own; what it looks like while it is written. */
export function NewModel(props: { from?: JobId; dataset?: JobId; weights?: JobId }) {
  const desk = useDesk()
  const [form, setForm] = useState<ModelForm>(() => emptyForm(props.dataset ?? ''))
  const [tab, setTab] = useState<'net' | 'layers'>('net')
  const [stage, setStage] = useState<Stage>('train')
  const [line, setLine] = useState<{ line: number }>()
  const [layer, setLayer] = useState<string>()
  const [custom, setCustom] = useState(false)
  const [faults, setFaults] = useState<StudioError>()
  const [busy, setBusy] = useState(false)
  const set = (some: Partial<ModelForm>): void => setForm(last => ({ ...last, ...some }))
  const datasets = [...desk.jobs.value.values()].filter(job => job.kind === 'dataset')

  const copying = useCopy(props.from, from =>
    desk.attempt(async () => {
      const { kind, form: cloned } = await desk.studio.clone(from)
      if (kind !== 'model') return
      setForm(cloned as ModelForm)
      setCustom(true)
    }),
  )
  // with one dataset there is nothing to choose
  useEffect(() => {
    if (!form.dataset && datasets.length === 1) set({ dataset: datasets[0].id })
  }, [datasets.length])

  const { inspection, looking, lookAgain } = useInspection(form, stage)
  const create = async (): Promise<void> => {
    setBusy(true)
    setFaults(undefined)
    try {
      const jobs = await desk.studio.create('model', withoutGaps(form))
      desk.put(...jobs)
      go(jobs.length === 1 ? jobRoute(jobs[0].id) : { screen: 'home' })
      if (jobs.length > 1) desk.say(texts.newModel.made(jobs.length))
    } catch (error) {
      if (error instanceof StudioError) setFaults(error)
      desk.complain(error)
    } finally {
      setBusy(false)
    }
  }
  const many = jobsMade(form)
  if (desk.ready.value && datasets.length === 0)
    return (
      <main class="screen">
        <h1>{texts.newModel.title}</h1>
        <Empty icon="data" title={texts.newModel.noDataset}>
          <LinkButton look="primary" icon="plus" href={addressOf({ screen: 'new-dataset' })}>
            {texts.newDataset.title}
          </LinkButton>
        </Empty>
      </main>
    )
  if (copying)
    return (
      <main class="screen">
        <h1>{texts.newModel.title}</h1>
        <Waiting lines={8} />
      </main>
    )
  const errors = inspection.value?.marks.filter(mark => mark.severity === 'error').length ?? 0
  return (
    <main class="screen">
      <form
        onSubmit={event => {
          event.preventDefault()
          void create()
        }}
      >
        <div class="screen-head">
          <h1>{texts.newModel.title}</h1>
          <div class="create">
            <input
              aria-label={texts.form.name}
              placeholder={texts.form.name}
              required
              value={form.name}
              onInput={event => set({ name: event.currentTarget.value })}
            />
            <input
              aria-label={texts.form.group}
              placeholder={texts.form.group}
              value={form.group ?? ''}
              onInput={event => set({ group: event.currentTarget.value || undefined })}
            />
            <Button look="primary" submit busy={busy} disabled={!form.net || !form.dataset || !form.name}>
              {many > 1 ? texts.newModel.createMany(many) : texts.form.create}
            </Button>
          </div>
        </div>
        {faults && <Faults error={faults} />}
        <div class="columns new-model">
          <ModelSettings
            form={form}
            datasets={datasets}
            onChange={set}
            faults={faults}
            sound={!looking && errors === 0 && inspection.value !== undefined}
          />
          <div class="stack net-side">
            <Panel
              title={texts.newModel.net}
              actions={
                form.net !== '' && (
                  <Choice
                    label={texts.newModel.tabs}
                    value={tab}
                    onChange={setTab}
                    options={[
                      { value: 'net', label: texts.newModel.tabNet },
                      {
                        value: 'layers',
                        label: texts.newModel.tabLayers(Object.keys(form.layers ?? {}).length),
                      },
                    ]}
                  />
                )
              }
            >
              {tab === 'net' ? (
                <>
                  <NetSource
                    form={form}
                    weights={props.weights}
                    open={!custom}
                    onChosen={some => set(some)}
                    onCustom={() => setCustom(!custom)}
                    onOwn={() => {
                      setCustom(true)
                      if (!form.net) set({ net: texts.newModel.ownNet })
                    }}
                  />
                  {custom && form.net !== '' && (
                    <>
                      <Editor
                        label={texts.newModel.editor}
                        language="prototxt"
                        value={form.net}
                        marks={inspection.value?.marks}
                        line={line}
                        onInput={net => set({ net })}
                        onLine={at => setLayer(layerAt(inspection.value, at) ?? layer)}
                      />
                      <p class={errors ? 'marks bad' : 'marks'} aria-live="polite">
                        {looking ? texts.newModel.looking : texts.newModel.marks(errors)}
                      </p>
                      <Marks inspection={inspection.value} onLine={at => setLine({ line: at })} />
                    </>
                  )}
                </>
              ) : (
                <LayerFiles layers={form.layers ?? {}} onChange={layers => set({ layers })} />
              )}
            </Panel>
          </div>
          <NetGraphPanel
            inspection={inspection}
            looking={looking}
            empty={form.net === ''}
            stage={stage}
            onStage={setStage}
            chosen={layer}
            onChoose={setLayer}
            onLook={lookAgain}
            onLine={at => {
              setTab('net')
              setCustom(true)
              setLine({ line: at })
            }}
          />
        </div>
      </form>
    </main>
  )
}

/** What the net looks like, when the typing pauses. */
function useInspection(form: ModelForm, stage: Stage) {
  const { studio } = useDesk()
  const request = useMemo(
    (): InspectRequest => ({
      net: form.net,
      stage,
      dataset: form.dataset || undefined,
      layers: form.layers,
      crop: form.crop,
      batch: typeof form.batch === 'number' ? form.batch : form.batch?.[0],
    }),
    [form.net, stage, form.dataset, form.layers, form.crop, form.batch],
  )
  const settled = useSettled(request, 350)
  const answer = useLoad<{ of: InspectRequest; inspection: Inspection }>(
    settled.net.trim()
      ? async signal => ({ of: settled, inspection: await studio.inspect(settled, signal) })
      : undefined,
    [settled],
  )
  const inspection = { ...answer, value: answer.value?.inspection }
  // the last answer is shown until there is another: it may be about an older text
  const looking = answer.loading || answer.value?.of !== request
  return { inspection, looking: looking && answer.error === undefined, lookAgain: answer.reload }
}

/** The layer whose message a line is in: the last that begins at or above it. */
function layerAt(inspection: Inspection | undefined, line: number): string | undefined {
  let found: { layer: string; line: number } | undefined
  for (const node of inspection?.graph?.nodes ?? [])
    if (node.line !== undefined && node.line <= line && node.line > (found?.line ?? 0))
      found = { layer: node.layer, line: node.line }
  return found?.layer
}

/** The same marks as in the text, to read one after the other. */
function Marks({ inspection, onLine }: { inspection: Inspection | undefined; onLine: (line: number) => void }) {
  if (!inspection?.marks.length) return null
  return (
    <ul class="mark-list" aria-label={texts.newModel.markList}>
      {inspection.marks.slice(0, 20).map(mark => (
        <li key={`${mark.line} ${mark.column} ${mark.message}`} class={mark.severity}>
          {mark.line !== undefined && (
            <button type="button" class="link" onClick={() => onLine(mark.line!)}>
              {texts.newModel.line(mark.line)}
            </button>
          )}
          <span>{mark.message}</span>
        </li>
      ))}
    </ul>
  )
}

function Faults({ error }: { error: StudioError }) {
  return error.faults.length ? (
    <ul class="failure list" role="alert">
      {error.faults.map(fault => (
        <li key={fault.path + fault.message}>
          <code>
            {fault.path}
            {fault.line !== undefined && `:${fault.line}`}
          </code>{' '}
          {fault.message}
        </li>
      ))}
    </ul>
  ) : (
    <Failure error={error} />
  )
}
