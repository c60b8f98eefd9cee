import { useEffect, useRef, useState } from 'preact/hooks'
import type { Job } from '../../api/index.js'
import { useDesk } from '../desk.js'
import { isOpen } from '../jobs.js'
import { texts } from '../texts.js'
import { Failure } from './ui.js'

/** Lines that stay in view: the newest. */
const MOST = 2000
/** How often the log is asked for more while the job runs, in milliseconds. */
const BEAT = 1500

/** The job's log, as long as it is open; it follows the end unless somebody scrolled up. */
export function Log({ job }: { job: Job }) {
  const [open, setOpen] = useState(false)
  return (
    <details class="panel log" onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>
        <h2>{texts.log.title}</h2>
      </summary>
      {open && <Lines job={job} />}
    </details>
  )
}

function Lines({ job }: { job: Job }) {
  const { studio } = useDesk()
  const [lines, setLines] = useState<readonly string[]>()
  const [error, setError] = useState<unknown>()
  const next = useRef(0)
  const box = useRef<HTMLPreElement>(null)
  const follows = useRef(true)
  const open = isOpen(job.state)
  useEffect(() => {
    let gone = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const read = async (): Promise<void> => {
      try {
        const more = await studio.log(job.id, next.current)
        if (gone) return
        next.current = more.next
        setLines(last => (more.lines.length || !last ? [...(last ?? []), ...more.lines].slice(-MOST) : last))
        setError(undefined)
      } catch (failure) {
        if (!gone) setError(failure)
      }
      if (open && !gone) timer = setTimeout(() => void read(), BEAT)
    }
    void read()
    return () => {
      gone = true
      clearTimeout(timer)
    }
  }, [job.id, open])
  useEffect(() => {
    if (follows.current && box.current) box.current.scrollTop = box.current.scrollHeight
  }, [lines])
  return (
    <>
      {error !== undefined && <Failure error={error} />}
      <pre
        ref={box}
        class="text"
        role="log"
        tabIndex={0}
        aria-label={texts.log.title}
        onScroll={event => {
          const { scrollTop, scrollHeight, clientHeight } = event.currentTarget
          follows.current = scrollTop + clientHeight > scrollHeight - 30
        }}
      >
        {lines?.length === 0 ? texts.log.none : lines?.join('\n')}
      </pre>
    </>
  )
}
