import { printable } from '../../system/escape.js'
import { COLOURS, type Graph } from './drawing.js'

/** A graph for Graphviz: what Caffe's draw_net gives to it. */
export function dotOf({ name, rankdir, nodes, edges }: Graph): string {
  // across the flow there is room: the words of a node stand side by side where the flow is vertical
  const between = rankdir === 'LR' || rankdir === 'RL' ? '\\n' : ' '
  const text = [
    `digraph ${quoted(name || 'Net')} {`,
    `  rankdir=${rankdir};`,
    '  node [style=filled, fontname="Helvetica", fontsize=11];',
    '  edge [fontname="Helvetica", fontsize=10];',
    ...nodes.map(({ id, kind, lines }) => {
      const label = lines.map(escaped).join(between)
      return `  ${id} [label="${label}", shape=${kind === 'blob' ? 'octagon' : 'box'}, fillcolor="${COLOURS[kind]}"];`
    }),
    ...edges.map(({ from, to, label, inPlace }) => {
      const attributes = [...(label ? [`label=${quoted(label)}`] : []), ...(inPlace ? ['dir=both'] : [])]
      return `  ${from} -> ${to}${attributes.length ? ` [${attributes.join(', ')}]` : ''};`
    }),
    '}',
  ]
  return `${text.join('\n')}\n`
}

const escaped = (text: string): string => printable(text.replace(/\s+/g, ' ')).replace(/[\\"]/g, '\\$&')
const quoted = (text: string): string => `"${escaped(text)}"`
