import { printable } from '../../system/escape.js'
import { COLOURS, type Graph, type NodeKind } from './drawing.js'

/** A Mermaid flowchart, for Markdown pages that draw it. */
export function mermaidOf({ rankdir, nodes, edges }: Graph): string {
  const text = [
    `flowchart ${rankdir}`,
    ...nodes.map(({ id, kind, lines }) => {
      const [open, close] = kind === 'blob' ? ['{{', '}}'] : ['[', ']']
      return `  ${id}${open}"${lines.map(escaped).join('<br/>')}"${close}:::${kind}`
    }),
    ...edges.map(
      ({ from, to, label, inPlace }) =>
        `  ${from} ${inPlace ? '<-->' : '-->'}${label ? `|"${escaped(label)}"|` : ''} ${to}`,
    ),
    ...(Object.keys(COLOURS) as NodeKind[])
      .filter(kind => nodes.some(node => node.kind === kind))
      .map(kind => `  classDef ${kind} fill:${COLOURS[kind]},stroke:#333,color:#000`),
  ]
  return `${text.join('\n')}\n`
}

/** Mermaid's own entities; # starts one. */
const escaped = (text: string): string =>
  printable(text.replace(/\s+/g, ' ')).replace(/[#&<>"`\\]/g, char => `#${char.charCodeAt(0)};`)
