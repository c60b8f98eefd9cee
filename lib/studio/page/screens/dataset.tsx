import { useState } from 'preact/hooks'
import type { DatasetItem, DatasetResult, EvaluatedQuery, Job, JobId, SetName, Studio } from '../../api/index.js'
import { useDesk } from '../desk.js'
import { bytes, count, figure } from '../format.js'
import { useLoad } from '../hooks.js'
import { SelectField } from '../parts/fields.js'
import { ClassHistogram } from '../parts/histogram.js'
import { BlobPicture, PictureGrid } from '../parts/picture_grid.js'
import { Dialog, Empty, Facts, Failure, Pager, Panel, Waiting } from '../parts/ui.js'
import { texts } from '../texts.js'
import { Skipped } from './new_dataset.js'

const PER_PAGE = 60

/** What a dataset consists of: figures, the mean picture, how many of each class, and its pictures. */
export function DatasetScreen({ job }: { job: Job }) {
  const result = job.result?.kind === 'dataset' ? job.result : undefined
  const sets = result ? (Object.keys(result.sets) as SetName[]) : []
  const [set, setSet] = useState<SetName>('train')
  const [label, setLabel] = useState<number>()
  const [judge, setJudge] = useState('')
  const shown = sets.includes(set) ? set : sets[0]
  if (!result) return <Empty icon="data" title={texts.dataset.notYet} />
  return (
    <>
      <div class="columns dataset">
        <Panel title={texts.dataset.about}>
          <div class="dataset-about">
            <Mean id={job.id} />
            <Facts
              facts={[
                ...sets.map(
                  name => [texts.sets[name], texts.dataset.records(count(result.sets[name]!.records))] as const,
                ),
                [texts.dataset.size, `${result.channels} × ${result.height} × ${result.width}`],
                [texts.dataset.mean, result.mean.map(value => figure(value, 4)).join(', ')],
                [texts.dataset.disk, bytes(result.bytes)],
              ]}
            />
          </div>
          {result.notes.map(note => (
            <p key={note} class="muted">
              {note}
            </p>
          ))}
          {result.leftOut.length > 0 && <Skipped files={result.leftOut} />}
        </Panel>
        {shown && (
          <Panel title={texts.dataset.histogram(texts.sets[shown])}>
            <div class="scroll tall">
              <ClassHistogram
                label={texts.dataset.histogram(texts.sets[shown])}
                classes={result.classes}
                counts={result.sets[shown]!.histogram}
                chosen={label}
                onPick={picked => setLabel(picked === label ? undefined : picked)}
              />
            </div>
          </Panel>
        )}
      </div>
      {shown && (
        <Browse
          key={`${shown} ${label} ${judge}`}
          id={job.id}
          result={result}
          set={shown}
          sets={sets}
          label={label}
          onSet={setSet}
          onLabel={setLabel}
          judge={judge}
          onJudge={setJudge}
        />
      )}
    </>
  )
}

function Mean({ id }: { id: JobId }) {
  const { studio } = useDesk()
  const { value, error } = useLoad(() => studio.meanPicture(id), [id])
  return (
    <figure class="mean">
      {error ? (
        <span class="picture-none">{texts.noPicture}</span>
      ) : (
        <BlobPicture blob={value} title={texts.dataset.meanPicture} />
      )}
      <figcaption>{texts.dataset.meanPicture}</figcaption>
    </figure>
  )
}

interface Shown extends DatasetItem {
  /** The class that a model took it for. */
  readonly said?: number
}

/** The pictures of an evaluation as those of its dataset, the one with the greatest loss first. */
async function hardest(
  studio: Studio,
  evaluation: JobId,
  query: EvaluatedQuery,
): Promise<{ total: number; items: readonly Shown[] }> {
  const { total, items } = await studio.evaluated(evaluation, { ...query, order: 'hardest' })
  const shown = items.flatMap(({ name, label = -1, prediction, picture }): Shown[] =>
    picture ? [{ set: picture.set, item: picture.item, name, label, said: prediction }] : [],
  )
  return { total, items: shown }
}

function Browse(props: {
  id: JobId
  result: DatasetResult
  set: SetName
  sets: readonly SetName[]
  label: number | undefined
  onSet: (set: SetName) => void
  onLabel: (label: number | undefined) => void
  /** The evaluation whose order is shown; '' as stored. */
  judge: JobId | ''
  onJudge: (evaluation: JobId | '') => void
}) {
  const { studio, jobs } = useDesk()
  const [page, setPage] = useState(0)
  const [large, setLarge] = useState<Shown>()
  const { value, error, reload } = useLoad((): Promise<{ total: number; items: readonly Shown[] }> => {
    const query = { label: props.label, page, perPage: PER_PAGE }
    return props.judge ? hardest(studio, props.judge, query) : studio.items(props.id, { ...query, set: props.set })
  }, [props.id, props.set, props.label, props.judge, page])
  const judges = [...jobs.value.values()].filter(
    ({ kind, state, parents }) => kind === 'evaluation' && state === 'done' && parents.dataset === props.id,
  )
  const className = (label: number): string => props.result.classes[label] ?? String(label)
  return (
    <Panel
      title={texts.dataset.browse}
      actions={
        value && (
          <Pager label={texts.dataset.browse} page={page} perPage={PER_PAGE} total={value.total} onPage={setPage} />
        )
      }
    >
      <div class="filters">
        {/* an evaluation is of one set */}
        {!props.judge && (
          <SelectField
            label={texts.dataset.set}
            value={props.set}
            onChange={props.onSet}
            options={props.sets.map(set => ({ value: set, label: texts.sets[set] }))}
          />
        )}
        <SelectField
          label={texts.dataset.class}
          value={props.label === undefined ? '' : String(props.label)}
          onChange={value => props.onLabel(value === '' ? undefined : Number(value))}
          options={[
            { value: '', label: texts.dataset.allClasses },
            ...props.result.classes.map((name, label) => ({ value: String(label), label: name })),
          ]}
        />
        {judges.length > 0 && (
          <SelectField
            label={texts.dataset.order}
            value={props.judge}
            onChange={props.onJudge}
            options={[
              { value: '', label: texts.dataset.stored },
              ...judges.map(({ id, name }) => ({ value: id, label: texts.dataset.hardest(name) })),
            ]}
          />
        )}
        {value && <span class="muted">{texts.dataset.records(count(value.total))}</span>}
      </div>
      {error !== undefined && <Failure error={error} again={reload} />}
      {!value && error === undefined && <Waiting lines={5} />}
      {value?.total === 0 && <Empty icon="grid" title={texts.dataset.noneOfClass} />}
      {value && value.total > 0 && (
        <PictureGrid
          label={texts.dataset.browse}
          items={value.items.map(item => ({
            key: String(item.item),
            title: item.name,
            caption:
              item.said === undefined || item.said === item.label
                ? className(item.label)
                : texts.dataset.said(className(item.label), className(item.said)),
            good: item.said === undefined ? undefined : item.said === item.label,
            picture: { dataset: props.id, set: item.set, item: item.item },
          }))}
          onPick={({ key }) => setLarge(value.items.find(item => String(item.item) === key))}
        />
      )}
      <Dialog title={large?.name ?? ''} open={large !== undefined} onClose={() => setLarge(undefined)}>
        {large && (
          <div class="picture-large">
            <PictureGrid
              label={large.name}
              items={[
                {
                  key: 'large',
                  title: large.name,
                  caption: className(large.label),
                  picture: { dataset: props.id, set: large.set, item: large.item },
                },
              ]}
            />
          </div>
        )}
      </Dialog>
    </Panel>
  )
}
