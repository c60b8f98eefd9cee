import { count, percent } from '../format.js'
import { texts } from '../texts.js'

/** A larger matrix is not read cell by cell: its most frequent mistakes are. */
const MOST_CLASSES = 40

/** How many mistakes are listed. */
const MISTAKES = 12

export interface Cell {
  readonly label: number
  readonly prediction: number
}

/** Labels down, predictions across; a cell opens its pictures. */
export function Confusion(props: {
  readonly classes: readonly string[]
  readonly matrix: readonly (readonly number[])[]
  readonly chosen?: Cell
  readonly onPick: (cell: Cell) => void
}) {
  const { classes } = props
  return (
    <div class="confusion">
      {classes.length <= MOST_CLASSES ? (
        <div class="scroll" role="group" tabIndex={0} aria-label={texts.confusion.title}>
          <Matrix {...props} />
        </div>
      ) : (
        <p class="muted">{texts.confusion.tooMany(classes.length)}</p>
      )}
      <Mistakes {...props} />
    </div>
  )
}

function Matrix({ classes, matrix, chosen, onPick }: Parameters<typeof Confusion>[0]) {
  return (
    <table class="matrix">
      <caption class="hidden">{texts.confusion.caption}</caption>
      <thead>
        <tr>
          <td class="corner">
            <span>{texts.confusion.label}</span>
            <span>{texts.confusion.prediction}</span>
          </td>
          {classes.map(name => (
            <th key={name} scope="col" title={name}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {matrix.map((row, label) => {
          const all = Math.max(
            1,
            row.reduce((sum, items) => sum + items, 0),
          )
          return (
            <tr key={classes[label]}>
              <th scope="row" title={classes[label]}>
                {classes[label]}
              </th>
              {row.map((items, prediction) => {
                const right = label === prediction
                const strength = items === 0 ? 0 : right ? items / all : Math.min(1, 0.18 + (items / all) * 6)
                const picked = chosen?.label === label && chosen.prediction === prediction
                return (
                  <td key={classes[prediction]}>
                    <button
                      type="button"
                      class={`cell ${right ? 'right' : 'wrong'}${items === 0 ? ' zero' : ''}`}
                      style={{ '--strength': `${Math.round(strength * 100)}%` }}
                      aria-pressed={picked}
                      aria-label={texts.confusion.cell(count(items), classes[label], classes[prediction])}
                      title={texts.confusion.cell(count(items), classes[label], classes[prediction])}
                      disabled={items === 0}
                      onClick={() => onPick({ label, prediction })}
                    >
                      {items ? count(items) : ''}
                    </button>
                  </td>
                )
              })}
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}

function Mistakes({ classes, matrix, onPick }: Parameters<typeof Confusion>[0]) {
  const found = matrix
    .flatMap((row, label) => row.map((items, prediction) => ({ label, prediction, items })))
    .filter(({ label, prediction, items }) => label !== prediction && items > 0)
    .sort((a, b) => b.items - a.items)
    .slice(0, MISTAKES)
  if (!found.length) return <p class="muted">{texts.confusion.noMistakes}</p>
  return (
    <div class="mistakes">
      <h3>{texts.confusion.mistakes}</h3>
      <ol>
        {found.map(cell => (
          <li key={`${cell.label} ${cell.prediction}`}>
            <button type="button" class="mistake" onClick={() => onPick(cell)}>
              <span>{texts.confusion.takenFor(classes[cell.label], classes[cell.prediction])}</span>
              <span class="number">{count(cell.items)}</span>
            </button>
          </li>
        ))}
      </ol>
    </div>
  )
}

/** Precision and recall of each class. */
export function PerClass(props: {
  readonly classes: readonly string[]
  readonly figures: readonly { items: number; precision: number | null; recall: number | null; f1: number | null }[]
}) {
  const cell = (value: number | null) => (value === null ? '–' : percent(value))
  return (
    <div class="scroll" role="group" tabIndex={0} aria-label={texts.evaluation.perClass}>
      <table class="table figures">
        <thead>
          <tr>
            <th scope="col">{texts.evaluation.class}</th>
            <th scope="col">{texts.evaluation.pictures}</th>
            <th scope="col">{texts.evaluation.precision}</th>
            <th scope="col">{texts.evaluation.recall}</th>
            <th scope="col">F1</th>
          </tr>
        </thead>
        <tbody>
          {props.figures.map((figures, label) => (
            <tr key={props.classes[label]}>
              <th scope="row">{props.classes[label]}</th>
              <td>{count(figures.items)}</td>
              <td>{cell(figures.precision)}</td>
              <td>{cell(figures.recall)}</td>
              <td>{cell(figures.f1)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
