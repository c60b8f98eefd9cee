import { useState } from 'preact/hooks'
import type { DatasetResult, Job, JobId, SetName } from '../../api/index.js'
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
          key={`${shown} ${label}`}
          id={job.id}
          result={result}
          set={shown}
          sets={sets}
          label={label}
          onSet={setSet}
          onLabel={setLabel}
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

function Browse(props: {
  id: JobId
  result: DatasetResult
  set: SetName
  sets: readonly SetName[]
  label: number | undefined
  onSet: (set: SetName) => void
  onLabel: (label: number | undefined) => void
}) {
  const { studio } = useDesk()
  const [page, setPage] = useState(0)
  const [large, setLarge] = useState<{ item: number; name: string; label: number }>()
  const { value, error, reload } = useLoad(
    () => studio.items(props.id, { set: props.set, label: props.label, page, perPage: PER_PAGE }),
    [props.id, props.set, props.label, page],
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
        <SelectField
          label={texts.dataset.set}
          value={props.set}
          onChange={props.onSet}
          options={props.sets.map(set => ({ value: set, label: texts.sets[set] }))}
        />
        <SelectField
          label={texts.dataset.class}
          value={props.label === undefined ? '' : String(props.label)}
          onChange={value => props.onLabel(value === '' ? undefined : Number(value))}
          options={[
            { value: '', label: texts.dataset.allClasses },
            ...props.result.classes.map((name, label) => ({ value: String(label), label: name })),
          ]}
        />
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
            caption: className(item.label),
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
                  picture: { dataset: props.id, set: props.set, item: large.item },
                },
              ]}
            />
          </div>
        )}
      </Dialog>
    </Panel>
  )
}
