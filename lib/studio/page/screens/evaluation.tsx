import { useState } from 'preact/hooks'
import type { EvaluatedQuery, EvaluationResult, Job } from '../../api/index.js'
import { useDesk } from '../desk.js'
import { count, figure, percent } from '../format.js'
import { useLoad } from '../hooks.js'
import { type Cell, Confusion, PerClass } from '../parts/confusion.js'
import { SelectField } from '../parts/fields.js'
import { PictureGrid } from '../parts/picture_grid.js'
import { Button, Choice, Empty, Failure, Pager, Panel, Waiting } from '../parts/ui.js'
import { texts } from '../texts.js'

const PER_PAGE = 50
type Order = 'stored' | 'hardest' | 'surest'

/** What a model got right and wrong, and which pictures that were. */
export function EvaluationScreen({ job }: { job: Job }) {
  const [cell, setCell] = useState<Cell>()
  const result = job.result?.kind === 'evaluation' ? job.result : undefined
  if (!result) return <Empty icon="grid" title={texts.evaluation.none} />
  const labelled = result.labelled > 0
  const top = (k: number): number | undefined => result.topShares[k - 1]
  return (
    <>
      <div class="big-figures">
        <Figure label={texts.evaluation.items} value={count(result.items)} />
        {labelled && (
          <>
            <Figure label={texts.evaluation.accuracy} value={percent(result.accuracy)} />
            {top(5) !== undefined && result.classes.length > 5 && (
              <Figure label={texts.evaluation.top(5)} value={percent(top(5)!)} />
            )}
            <Figure label={texts.evaluation.loss} value={figure(result.loss, 4)} />
            <Figure label={texts.evaluation.wrong} value={count(result.labelled - trace(result))} />
          </>
        )}
      </div>
      {labelled && (
        <div class="columns evaluation">
          <Panel title={texts.confusion.title}>
            <Confusion
              classes={result.classes}
              matrix={result.confusion}
              chosen={cell}
              onPick={picked => {
                setCell(picked)
                requestAnimationFrame(() => document.getElementById('evaluated')?.scrollIntoView({ block: 'nearest' }))
              }}
            />
          </Panel>
          <Panel title={texts.evaluation.perClass}>
            <PerClass classes={result.classes} figures={result.perClass} />
          </Panel>
        </div>
      )}
      <div id="evaluated">
        <Items job={job} result={result} cell={cell} onAll={() => setCell(undefined)} />
      </div>
      <TopOfClass job={job} result={result} />
    </>
  )
}

const trace = (result: EvaluationResult): number => result.confusion.reduce((sum, row, label) => sum + row[label], 0)

const Figure = (props: { label: string; value: string }) => (
  <p class="big-figure">
    <strong>{props.value}</strong>
    <span>{props.label}</span>
  </p>
)

/** Pictures of a cell of the matrix; or all, the hardest first. */
function Items(props: { job: Job; result: EvaluationResult; cell: Cell | undefined; onAll: () => void }) {
  const { cell, result } = props
  const [order, setOrder] = useState<Order>('hardest')
  const [which, setWhich] = useState<'wrong' | 'all'>('wrong')
  const labelled = result.labelled > 0
  const query: EvaluatedQuery = cell
    ? { label: cell.label, prediction: cell.prediction, order }
    : { order, wrong: (labelled && which === 'wrong') || undefined }
  const title = cell
    ? texts.confusion.takenFor(result.classes[cell.label], result.classes[cell.prediction])
    : texts.evaluation.pictures
  return (
    <EvaluatedPanel
      key={JSON.stringify(query)}
      job={props.job}
      result={result}
      query={query}
      title={title}
      none={!cell && labelled && which === 'wrong' ? texts.evaluation.noneWrong : undefined}
      filters={
        <>
          <SelectField
            label={texts.evaluation.order}
            value={order}
            onChange={setOrder}
            options={(['hardest', 'surest', 'stored'] as const).map(value => ({
              value,
              label: texts.evaluation.orders[value],
            }))}
          />
          {cell ? (
            <Button onClick={props.onAll}>{texts.evaluation.allPictures}</Button>
          ) : labelled ? (
            <Choice
              label={texts.evaluation.which}
              value={which}
              onChange={setWhich}
              options={[
                { value: 'wrong', label: texts.evaluation.onlyWrong },
                { value: 'all', label: texts.evaluation.all },
              ]}
            />
          ) : null}
        </>
      }
    />
  )
}

function EvaluatedPanel(props: {
  job: Job
  result: EvaluationResult
  query: EvaluatedQuery
  title: string
  filters: preact.ComponentChildren
  perPage?: number
  /** What stands where there is no picture. */
  none?: string
}) {
  const { studio } = useDesk()
  const [page, setPage] = useState(0)
  const perPage = props.perPage ?? PER_PAGE
  const key = JSON.stringify(props.query)
  const { value, error, reload } = useLoad(
    () => studio.evaluated(props.job.id, { ...props.query, page, perPage }),
    [props.job.id, key, page, perPage],
  )
  const name = (label: number | undefined): string =>
    label === undefined ? '?' : (props.result.classes[label] ?? String(label))
  return (
    <Panel
      title={
        <>
          {props.title} {value && <span class="tally">{count(value.total)}</span>}
        </>
      }
      actions={
        value && <Pager label={props.title} page={page} perPage={perPage} total={value.total} onPage={setPage} />
      }
    >
      <div class="filters">{props.filters}</div>
      {error !== undefined && <Failure error={error} again={reload} />}
      {!value && error === undefined && <Waiting lines={4} />}
      {value?.total === 0 && <Empty icon="check" title={props.none ?? texts.evaluation.noneHere} />}
      {value && value.total > 0 && (
        <PictureGrid
          label={props.title}
          items={value.items.map(item => ({
            key: String(item.item),
            title: texts.evaluation.item(
              item.name,
              name(item.label),
              name(item.prediction),
              percent(item.probability),
              item.loss === undefined ? '' : figure(item.loss, 3),
            ),
            caption:
              item.label === undefined || item.label === item.prediction
                ? `${name(item.prediction)} ${percent(item.probability)}`
                : texts.evaluation.instead(name(item.label), name(item.prediction), percent(item.probability)),
            good: item.label === undefined ? undefined : item.label === item.prediction,
            picture: item.picture,
          }))}
        />
      )}
    </Panel>
  )
}

/** The pictures that a class is surest of. */
function TopOfClass({ job, result }: { job: Job; result: EvaluationResult }) {
  const [prediction, setPrediction] = useState(0)
  const [top, setTop] = useState('9')
  return (
    <EvaluatedPanel
      key={`${prediction} ${top}`}
      job={job}
      result={result}
      title={texts.evaluation.topOf(result.classes[prediction] ?? String(prediction))}
      query={{ prediction, order: 'surest' }}
      perPage={Number(top)}
      filters={
        <>
          <SelectField
            label={texts.evaluation.class}
            value={String(prediction)}
            onChange={value => setPrediction(Number(value))}
            options={result.classes.map((label, at) => ({ value: String(at), label }))}
          />
          <SelectField
            label={texts.evaluation.howMany}
            value={top}
            onChange={setTop}
            options={['9', '25', '50', '100'].map(value => ({ value, label: value }))}
          />
        </>
      }
    />
  )
}
