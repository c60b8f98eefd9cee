import { useState } from 'preact/hooks'
import type { DatasetResult, Job, SetName, TestOneRequest } from '../../api/index.js'
import { useDesk } from '../desk.js'
import { epochs, output } from '../format.js'
import { download } from '../hooks.js'
import { canTry } from '../jobs.js'
import { Check, SelectField } from '../parts/fields.js'
import { LayerView } from '../parts/layer_view.js'
import { PictureSource, useDataset } from '../parts/picture_source.js'
import { Classes, usePrediction } from '../parts/prediction.js'
import { Button, Empty, Failure, LinkButton, Panel, Waiting } from '../parts/ui.js'
import { addressOf, go, jobRoute } from '../routes.js'
import { texts } from '../texts.js'

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
      const [made] = await desk.studio.create('evaluation', {
        name: texts.model.evaluationName(job.name, texts.sets[set]),
        ...{ model: job.id, iter, on: { set } },
      })
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
                epochs(snapshot.epoch),
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

function TestOne(props: {
  job: Job
  dataset: DatasetResult | undefined
  request: TestOneRequest | undefined
  onRequest: (request: TestOneRequest | undefined) => void
  options: preact.ComponentChildren
}) {
  const { job, dataset, request, onRequest } = props
  const { prediction, error, busy } = usePrediction(job.id, request)
  return (
    <div class="columns test-one">
      <Panel title={texts.model.testOne}>
        <PictureSource
          dataset={job.parents.dataset}
          result={dataset}
          onPicture={picture => onRequest(picture && { picture })}
        />
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
