import { useEffect, useRef, useState } from 'preact/hooks'
import type { DatasetResult, Job, JobId, Prediction, SetName, TestOneRequest } from '../../api/index.js'
import { useDesk } from '../desk.js'
import { figure, output, percent } from '../format.js'
import { download, useLoad } from '../hooks.js'
import { canTry } from '../jobs.js'
import { type Dropped, DropZone } from '../parts/drop_zone.js'
import { Check, NumberField, SelectField } from '../parts/fields.js'
import { LayerView } from '../parts/layer_view.js'
import { Pad } from '../parts/pad.js'
import { Stored } from '../parts/picture_grid.js'
import { Bar, Button, Choice, Empty, Failure, LinkButton, Panel, Waiting } from '../parts/ui.js'
import { addressOf, go, jobRoute } from '../routes.js'
import { texts } from '../texts.js'

type Way = 'file' | 'pad' | 'set'
/** A pad without a dataset to go by draws pictures of this size. */
const PAD_SIDE = 28

/** A trained model: a picture through it, what every layer did, many pictures, its archive. */
export function ModelScreen({ job, reload }: { job: Job; reload: () => void }) {
  const desk = useDesk()
  const best = job.snapshots.find(snapshot => snapshot.best)?.iter ?? job.snapshots.at(-1)?.iter
  const [iter, setIter] = useState(best)
  const dataset = useDataset(job.parents.dataset)
  const [request, setRequest] = useState<TestOneRequest>()
  const [details, setDetails] = useState(true)
  const [stage, setStage] = useState<NonNullable<TestOneRequest['stage']>>('deploy')
  if (!canTry(job)) return <Empty icon="camera" title={texts.model.notYet} />
  const evaluate = (set: SetName): void =>
    void desk.attempt(async () => {
      const [made] = await desk.studio.create('evaluation', { model: job.id, iter, on: { set } })
      desk.put(made)
      reload()
      go(jobRoute(made.id))
    })
  const sets = dataset ? (Object.keys(dataset.sets) as SetName[]) : []
  return (
    <>
      <div class="filters model-bar">
        {job.snapshots.length > 0 && (
          <SelectField
            label={texts.model.snapshot}
            value={String(iter ?? '')}
            onChange={value => setIter(Number(value))}
            options={[...job.snapshots].reverse().map(snapshot => ({
              value: String(snapshot.iter),
              label: texts.model.snapshotName(
                Math.round(snapshot.epoch * 100) / 100,
                snapshot.best,
                Object.entries(snapshot.outputs).map(([name, value]) => output(name, value))[0],
              ),
            }))}
          />
        )}
        <div class="actions">
          <Button
            icon="down"
            onClick={() =>
              void desk.attempt(async () => download(await desk.studio.archive(job.id, iter), `${job.name}.zip`))
            }
          >
            {texts.model.archive}
          </Button>
          {job.kind === 'model' && (
            <Button
              icon="star"
              onClick={() =>
                void desk.attempt(async () => {
                  const form = { name: job.name, source: { model: job.id, iter } }
                  const [made] = await desk.studio.create('pretrained', form)
                  desk.put(made)
                  desk.say(texts.model.madePretrained(made.name))
                })
              }
            >
              {texts.model.makePretrained}
            </Button>
          )}
          <LinkButton icon="plus" href={addressOf({ screen: 'new-model', weights: job.id })}>
            {texts.pretrained.begin}
          </LinkButton>
          {sets.map(set => (
            <Button key={set} icon="grid" onClick={() => evaluate(set)}>
              {texts.model.evaluate(texts.sets[set])}
            </Button>
          ))}
        </div>
      </div>
      <TestOne
        job={job}
        dataset={dataset}
        request={request && { ...request, iter, details, stage }}
        onRequest={setRequest}
        options={
          <>
            <Check label={texts.model.details} checked={details} onChange={setDetails} />
            <label class="inline">
              {texts.model.stage}
              <select value={stage} onChange={event => setStage(event.currentTarget.value as typeof stage)}>
                <option value="deploy">deploy</option>
                <option value="val">val</option>
                <option value="train">train</option>
              </select>
            </label>
          </>
        }
      />
    </>
  )
}

function useDataset(id: JobId | undefined): DatasetResult | undefined {
  const { studio } = useDesk()
  const { value } = useLoad(id ? () => studio.job(id) : undefined, [id])
  return value?.result?.kind === 'dataset' ? value.result : undefined
}

function TestOne(props: {
  job: Job
  dataset: DatasetResult | undefined
  request: TestOneRequest | undefined
  onRequest: (request: TestOneRequest | undefined) => void
  options: preact.ComponentChildren
}) {
  const { job, dataset, request, onRequest } = props
  const [way, setWay] = useState<Way>(job.parents.dataset ? 'set' : 'file')
  const [files, setFiles] = useState<readonly Dropped[]>([])
  const { prediction, error, busy } = usePrediction(job, request)
  const asked = job.parents.dataset
  return (
    <div class="columns test-one">
      <Panel title={texts.model.testOne}>
        <Choice
          label={texts.model.testOne}
          value={way}
          onChange={setWay}
          options={[
            { value: 'file', label: texts.model.fromFile },
            { value: 'pad', label: texts.model.fromPad },
            { value: 'set', label: texts.model.fromSet, disabled: !asked },
          ]}
        />
        {way === 'file' && (
          <DropZone
            label={texts.model.drop}
            accept="image/*"
            files={files}
            onFiles={dropped => {
              setFiles(dropped.slice(0, 1))
              void dropped[0]?.file
                .arrayBuffer()
                .then(buffer => onRequest({ picture: { file: new Uint8Array(buffer) } }))
            }}
          />
        )}
        {way === 'pad' && (
          <Pad
            width={dataset?.width ?? PAD_SIDE}
            height={dataset?.height ?? PAD_SIDE}
            channels={dataset?.channels ?? 1}
            onDraw={picture => onRequest({ picture })}
          />
        )}
        {way === 'set' && asked && <FromSet dataset={asked} result={dataset} onRequest={onRequest} />}
        <div class="options">{props.options}</div>
      </Panel>
      <div class="stack">
        <Panel title={texts.model.prediction}>
          <div aria-live="polite" aria-busy={busy}>
            {error !== undefined && <Failure error={error} />}
            {!request && <Empty icon="pen" title={texts.model.noPicture} />}
            {request && !prediction && error === undefined && <Waiting lines={4} />}
            {prediction && <Classes prediction={prediction} />}
          </div>
        </Panel>
      </div>
      {prediction?.rows && (
        <Panel class="wide" title={texts.model.layers(prediction.rows.length)}>
          <LayerView rows={prediction.rows} />
        </Panel>
      )}
    </div>
  )
}

function Classes({ prediction }: { prediction: Prediction }) {
  return (
    <>
      <ol class="classes">
        {prediction.classes.map(({ label, name, score }, place) => (
          <li key={label} class={place === 0 ? 'first' : ''}>
            <span class="class-name">{name}</span>
            <Bar value={score} />
            <span class="number">{score >= 0 && score <= 1 ? percent(score) : figure(score, 4)}</span>
          </li>
        ))}
      </ol>
      <p class="muted">{texts.model.took(figure(prediction.milliseconds, 3))}</p>
    </>
  )
}

/** A picture of the model's own dataset, by its number. */
function FromSet(props: {
  dataset: JobId
  result: DatasetResult | undefined
  onRequest: (request: TestOneRequest) => void
}) {
  const sets = props.result ? (Object.keys(props.result.sets) as SetName[]) : []
  const [set, setSet] = useState<SetName>('val')
  const [item, setItem] = useState(0)
  const name = sets.includes(set) ? set : sets[0]
  const records = (name && props.result?.sets[name]?.records) ?? 0
  useEffect(() => {
    if (name && item < records) props.onRequest({ picture: { dataset: props.dataset, set: name, item } })
  }, [props.dataset, name, item, records])
  if (!name) return <Waiting />
  return (
    <div class="from-set">
      <div class="picture-large">
        <Stored dataset={props.dataset} set={name} item={item} title={texts.model.item(item)} />
      </div>
      <SelectField
        label={texts.dataset.set}
        value={name}
        onChange={setSet}
        options={sets.map(value => ({ value, label: texts.sets[value] }))}
      />
      <NumberField
        label={texts.model.number(records)}
        value={item}
        min={0}
        max={records - 1}
        step={1}
        onInput={value => value !== undefined && value >= 0 && value < records && setItem(Math.floor(value))}
      />
      <Button icon="dice" onClick={() => setItem(Math.floor(Math.random() * records))}>
        {texts.model.another}
      </Button>
    </div>
  )
}

/** The answer to the newest request: one is on its way at a time, and what came between is skipped. */
function usePrediction(job: Job, request: TestOneRequest | undefined) {
  const { studio } = useDesk()
  const [state, set] = useState<{ prediction?: Prediction; error?: unknown; busy: boolean }>({ busy: false })
  const next = useRef<TestOneRequest | undefined>(undefined)
  const busy = useRef(false)
  const gone = useRef(false)
  useEffect(() => () => void (gone.current = true), [])
  useEffect(() => {
    next.current = request
    if (!request || busy.current) return
    const work = async (): Promise<void> => {
      busy.current = true
      while (next.current && !gone.current) {
        const now = next.current
        next.current = undefined
        set(last => ({ ...last, busy: true }))
        try {
          const prediction = await studio.testOne(job.id, now)
          if (!gone.current) set({ prediction, busy: false })
        } catch (error) {
          if (!gone.current) set({ error, busy: false })
        }
      }
      busy.current = false
    }
    void work()
  }, [job.id, request?.picture, request?.iter, request?.details, request?.stage])
  return state
}
