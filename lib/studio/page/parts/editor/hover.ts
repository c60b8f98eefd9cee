import type { EditorView, Tooltip } from '@codemirror/view'
import { messagesAt } from './place.js'
import { fieldDoc, layerDoc } from './words.js'

/** What the field or the type under the pointer is. */
export async function about(view: EditorView, at: number): Promise<Tooltip | null> {
  const word = view.state.wordAt(at)
  if (!word) return null
  const text = view.state.doc.toString()
  const name = text.slice(word.from, word.to)
  const message = messagesAt(text, word.from).at(-1)
  const typed = /type:\s*["']$/.test(text.slice(Math.max(0, word.from - 20), word.from))
  const sentence =
    typed && message?.name === 'LayerParameter'
      ? await layerDoc(name)
      : message?.byName.has(name)
        ? await fieldDoc(message.name, name)
        : undefined
  if (!sentence) return null
  return {
    pos: word.from,
    end: word.to,
    create() {
      const dom = document.createElement('div')
      dom.className = 'hover'
      const head = document.createElement('strong')
      head.textContent = name
      dom.append(head, ` ${sentence}`)
      return { dom }
    },
  }
}
