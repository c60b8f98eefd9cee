import { useEffect, useRef, useState } from 'preact/hooks'
import type { Mark } from '../../../api/index.js'
import { messageOf } from '../../desk.js'
import { texts } from '../../texts.js'
import { Waiting } from '../ui.js'
import type { CodeView } from './code_view.js'

export interface EditorProps {
  readonly label: string
  readonly language: 'prototxt' | 'typescript'
  readonly value: string
  readonly onInput: (value: string) => void
  readonly marks?: readonly Mark[]
  /** Scroll to a line, from 1; a new object scrolls again. */
  readonly line?: { readonly line: number }
  /** The line that the cursor stands in, from 1. */
  readonly onLine?: (line: number) => void
  readonly readOnly?: boolean
}

/** A text with marks at what is wrong in it. What it is made of is fetched when the first one is shown. */
export function Editor(props: EditorProps) {
  const host = useRef<HTMLDivElement>(null)
  const view = useRef<CodeView | undefined>(undefined)
  /** What was told and has not come back yet: typing goes on before it does. */
  const told = useRef<string[]>([])
  const now = useRef(props)
  now.current = props
  const [state, setState] = useState<'loading' | 'ready' | { error: unknown }>('loading')

  useEffect(() => {
    let gone = false
    import('./code_view.js').then(
      async ({ openEditor }) => {
        const made = await openEditor(host.current!, {
          label: props.label,
          language: props.language,
          value: now.current.value,
          readOnly: props.readOnly ?? false,
          onInput: value => {
            told.current.push(value)
            now.current.onInput(value)
          },
          onLine: line => now.current.onLine?.(line),
        })
        if (gone) {
          made.close()
          return
        }
        view.current = made
        made.setText(now.current.value)
        made.setMarks(now.current.marks ?? [])
        setState('ready')
      },
      error => setState({ error }),
    )
    return () => {
      gone = true
      view.current?.close()
      view.current = undefined
    }
  }, [props.language])

  useEffect(() => {
    const at = told.current.indexOf(props.value)
    if (at >= 0) told.current.splice(0, at + 1)
    else {
      told.current = []
      view.current?.setText(props.value)
    }
  }, [props.value])
  useEffect(() => view.current?.setMarks(props.marks ?? []), [props.marks])
  useEffect(() => {
    if (props.line) view.current?.showLine(props.line.line)
  }, [props.line])

  return (
    <div class="editor">
      {state === 'loading' && <Waiting lines={8} label={texts.editor.loading} />}
      {typeof state === 'object' && (
        // without its parts a text can still be written
        <>
          <p class="field-note">{texts.editor.plain(messageOf(state.error))}</p>
          <textarea
            class="editor-plain"
            aria-label={props.label}
            spellcheck={false}
            value={props.value}
            onInput={event => props.onInput(event.currentTarget.value)}
          />
        </>
      )}
      <div ref={host} class="editor-host" hidden={state !== 'ready'} />
    </div>
  )
}
