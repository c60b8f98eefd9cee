import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands'
import {
  bracketMatching,
  foldGutter,
  foldKeymap,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from '@codemirror/language'
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint'
import { Annotation, EditorState, type Extension, Prec, StateEffect, type Text } from '@codemirror/state'
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  hoverTooltip,
  keymap,
  lineNumbers,
} from '@codemirror/view'
import type { Mark } from '../../../api/index.js'
import { texts } from '../../texts.js'
import { prototxt } from './prototxt.js'
import { look, wordColors } from './theme.js'

export interface CodeView {
  /** Another text, if it is another one. */
  setText(text: string): void
  setMarks(marks: readonly Mark[]): void
  showLine(line: number): void
  close(): void
}

export interface CodeOptions {
  readonly label: string
  readonly language: 'prototxt' | 'typescript'
  readonly value: string
  readonly readOnly: boolean
  onInput(value: string): void
  onLine(line: number): void
}

/** Marks the changes that come from outside: they are not told again. */
const outside = Annotation.define<boolean>()

/**
 * An editor in a shadow tree of its own: there its styles are adopted sheets, which a content security policy without
 * inline styles allows.
 */
export async function openEditor(host: HTMLElement, options: CodeOptions): Promise<CodeView> {
  const language = options.language === 'prototxt' ? prototxtParts : await typescriptParts()
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' })
  let line = 0
  const told = EditorView.updateListener.of(update => {
    if (update.docChanged && !update.transactions.some(one => one.annotation(outside)))
      options.onInput(update.state.doc.toString())
    const now = update.state.doc.lineAt(update.state.selection.main.head).number
    if (update.selectionSet && now !== line) options.onLine((line = now))
  })
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: options.value,
      extensions: [
        common,
        language,
        told,
        ...(options.readOnly ? [EditorState.readOnly.of(true)] : []),
        EditorView.contentAttributes.of({ 'aria-label': options.label, tabindex: '0' }),
      ],
    }),
  })
  return {
    setText(text) {
      if (text === view.state.doc.toString()) return
      view.dispatch({
        changes: { from: 0, to: view.state.doc.length, insert: text },
        annotations: outside.of(true),
      })
    },
    setMarks: marks => view.dispatch(setDiagnostics(view.state, diagnostics(marks, view.state.doc))),
    showLine(number) {
      if (number < 1 || number > view.state.doc.lines) return
      const { from } = view.state.doc.line(number)
      view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: 'center' }) })
      view.focus()
    },
    close: () => view.destroy(),
  }
}

/** Marks at their places; what has no line is about all of it, and stands at the first. */
function diagnostics(marks: readonly Mark[], doc: Text): Diagnostic[] {
  return marks
    .filter(mark => mark.line === undefined || mark.line <= doc.lines)
    .map(mark => {
      const line = doc.line(mark.line ?? 1)
      const from = Math.min(line.to, line.from + Math.max(0, (mark.column ?? 1) - 1))
      const to = mark.column ? Math.min(line.to, from + (mark.length ?? 1)) : line.to
      const { suggestion } = mark
      return {
        from,
        to: Math.max(from, to),
        severity: mark.severity === 'hint' ? ('info' as const) : mark.severity,
        message: mark.message,
        ...(suggestion !== undefined && {
          actions: [
            {
              name: texts.editor.use(suggestion),
              apply: (view: EditorView, at: number, end: number) =>
                view.dispatch({ changes: { from: at, to: end, insert: suggestion } }),
            },
          ],
        }),
      }
    })
    .sort((a, b) => a.from - b.from)
}

const common: Extension = [
  lineNumbers(),
  highlightActiveLineGutter(),
  foldGutter(),
  lintGutter(),
  history(),
  drawSelection(),
  indentUnit.of('  '),
  indentOnInput(),
  bracketMatching(),
  closeBrackets(),
  highlightActiveLine(),
  syntaxHighlighting(wordColors),
  look,
  keymap.of([
    ...closeBracketsKeymap,
    ...defaultKeymap,
    { key: 'Mod-f', run: openSearch },
    ...historyKeymap,
    ...foldKeymap,
    ...completionKeymap,
    ...lintKeymap,
    indentWithTab,
  ]),
]

const prototxtParts: Extension = [
  prototxt,
  // the schema comes with the first question
  autocompletion({ icons: false, override: [async context => (await import('./complete.js')).complete(context)] }),
  hoverTooltip(async (view, at) => (await import('./hover.js')).about(view, at)),
]

async function typescriptParts(): Promise<Extension> {
  const { javascript } = await import('@codemirror/lang-javascript')
  return [javascript({ typescript: true }), autocompletion({ icons: false })]
}

/** Editors that have a search of their own already. */
const searched = new WeakSet<EditorView>()

function openSearch(view: EditorView): boolean {
  if (searched.has(view)) return false
  searched.add(view)
  void import('@codemirror/search').then(({ highlightSelectionMatches, openSearchPanel, searchKeymap }) => {
    view.dispatch({
      effects: StateEffect.appendConfig.of([highlightSelectionMatches(), Prec.high(keymap.of(searchKeymap))]),
    })
    openSearchPanel(view)
  })
  return true
}
