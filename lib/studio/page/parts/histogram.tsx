import { count, figure } from '../format.js'

/** Counts as bars: one a class, with its name, or one a bin. */
export function ClassHistogram(props: {
  readonly label: string
  readonly classes: readonly string[]
  readonly counts: readonly number[]
  readonly chosen?: number
  readonly onPick?: (label: number) => void
}) {
  const most = Math.max(1, ...props.counts)
  return (
    <ol class="class-bars" aria-label={props.label}>
      {props.counts.map((items, label) => {
        const row = (
          <>
            <span class="class-name">{props.classes[label] ?? label}</span>
            <span class="bar" aria-hidden="true">
              <span style={{ width: `${(items / most) * 100}%` }} />
            </span>
            <span class="number">{count(items)}</span>
          </>
        )
        return (
          <li key={label}>
            {props.onPick ? (
              <button
                type="button"
                class="class-bar"
                aria-pressed={label === props.chosen}
                onClick={() => props.onPick?.(label)}
              >
                {row}
              </button>
            ) : (
              <span class="class-bar">{row}</span>
            )}
          </li>
        )
      })}
    </ol>
  )
}

/** A small histogram of values from min to max. */
export function Spark(props: { bins: readonly number[]; min: number; max: number }) {
  const most = Math.max(1, ...props.bins)
  const width = 100 / Math.max(1, props.bins.length)
  return (
    <figure class="spark" title={`${figure(props.min, 3)} … ${figure(props.max, 3)}`}>
      <svg viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true" focusable="false">
        {props.bins.map((items, bin) => {
          const height = items ? Math.max(0.8, (items / most) * 24) : 0
          return <rect key={bin} x={bin * width} y={24 - height} width={width * 0.86} height={height} />
        })}
      </svg>
      <figcaption>
        <span>{figure(props.min, 3)}</span>
        <span>{figure(props.max, 3)}</span>
      </figcaption>
    </figure>
  )
}
