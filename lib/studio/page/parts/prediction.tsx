import { useEffect, useRef, useState } from 'preact/hooks'
import type { JobId, Prediction, TestOneRequest } from '../../api/index.js'
import { useDesk } from '../desk.js'
import { figure, percent } from '../format.js'
import { texts } from '../texts.js'
import { Bar } from './ui.js'

/** The classes by score, the first one large. */
export function Classes({ prediction, most }: { prediction: Prediction; most?: number }) {
  return (
    <>
      <ol class="classes">
        {prediction.classes.slice(0, most).map(({ label, name, score }, place) => (
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

/** The answer to the newest request: one is on its way at a time, and what came between is skipped. */
export function usePrediction(model: JobId, request: TestOneRequest | undefined) {
  const { studio } = useDesk()
  const [state, set] = useState<{ prediction?: Prediction; error?: unknown; busy: boolean }>({ busy: false })
  const next = useRef<TestOneRequest | undefined>(undefined)
  const busy = useRef(false)
  const gone = useRef(false)
  /** Whether anything is asked about: an answer may come when its question was taken back. */
  const wanted = useRef(false)
  useEffect(() => () => void (gone.current = true), [])
  useEffect(() => {
    next.current = request
    wanted.current = request !== undefined
    if (!wanted.current) set({ busy: false })
    if (!request || busy.current) return
    const work = async (): Promise<void> => {
      busy.current = true
      while (next.current && !gone.current) {
        const now = next.current
        next.current = undefined
        set(last => ({ ...last, busy: true }))
        try {
          const prediction = await studio.testOne(model, now)
          if (wanted.current && !gone.current) set({ prediction, busy: false })
        } catch (error) {
          if (wanted.current && !gone.current) set({ error, busy: false })
        }
      }
      busy.current = false
    }
    void work()
  }, [model, request?.picture, request?.iter, request?.details, request?.stage])
  return state
}
