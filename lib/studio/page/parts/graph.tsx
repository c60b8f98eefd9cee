import { useEffect, useRef, useState } from 'preact/hooks'
import type { GraphNode, NetGraph } from '../../api/index.js'
import { bytes, compact, count, shapeText } from '../format.js'
import { save } from '../hooks.js'
import { texts } from '../texts.js'
import {
  type ColorBy,
  centred,
  coloring,
  middleOf,
  neighbour,
  resize,
  search,
  toDot,
  toMermaid,
  type View,
  whole,
  zoom,
} from './graph_view.js'
import { Button, Menu } from './ui.js'

/** The least height of the drawing in pixels. */
const HEIGHT = 420

/** A net as boxes and lines: drag and wheel, or Tab, arrows, + − 0; a chosen layer tells all about itself. */
export function Graph(props: {
  readonly graph: NetGraph
  readonly chosen?: string
  readonly onChoose: (layer: string | undefined) => void
  /** Show the layer's place in the text. */
  readonly onLine?: (line: number) => void
}) {
  const { graph } = props
  const svg = useRef<SVGSVGElement>(null)
  const [view, setView] = useState<View>(() => whole(graph))
  const [by, setBy] = useState<ColorBy>('type')
  const [text, setText] = useState('')
  const hits = search(graph, text)
  const chosen = graph.nodes.find(node => node.layer === props.chosen)
  const color = coloring(graph, by)

  const size = (): { width: number; height: number } => ({
    width: svg.current?.clientWidth || 600,
    height: svg.current?.clientHeight || HEIGHT,
  })
  const show = (node: GraphNode): void => setView(last => centred(last, node, size()))
  // a text that is typed changes the graph: the view stays, unless the size is another one
  useEffect(() => setView(start(graph, size())), [graph.width, graph.height])

  const nearer = (factor: number): void =>
    setView(last => zoom(last, factor, { x: last.x + last.width / 2, y: last.y + last.height / 2 }, graph))
  const keys = (event: KeyboardEvent): void => {
    if (event.key === '+' || event.key === '=') nearer(0.8)
    else if (event.key === '-') nearer(1.25)
    else if (event.key === '0') setView(whole(graph))
    else if (event.key === 'Escape') props.onChoose(undefined)
    else if (event.key.startsWith('Arrow')) {
      const from = graph.nodes.find(node => node.layer === (event.target as Element).getAttribute('data-layer'))
      const to = from ? neighbour(graph, from, event.key) : graph.nodes[0]
      if (to) focus(to)
    } else return
    event.preventDefault()
  }
  const focus = (node: GraphNode): void => {
    show(node)
    svg.current?.querySelector<SVGGElement>(`[data-layer="${CSS.escape(node.layer)}"]`)?.focus()
  }
  usePanning(svg, setView, graph)

  return (
    <div class="graph">
      <div class="graph-bar">
        <input
          type="search"
          value={text}
          placeholder={texts.graph.search}
          aria-label={texts.graph.search}
          onInput={event => setText(event.currentTarget.value)}
          onKeyDown={event => {
            if (event.key !== 'Enter') return
            // it stands in a form, which it is no part of
            event.preventDefault()
            if (!hits.length) return
            const next = hits[(hits.findIndex(node => node.layer === props.chosen) + 1) % hits.length]
            props.onChoose(next.layer)
            show(next)
          }}
        />
        <span class="muted" aria-live="polite">
          {text && texts.graph.hits(hits.length)}
        </span>
        <label class="inline">
          {texts.graph.colorBy}
          <select value={by} onChange={event => setBy(event.currentTarget.value as ColorBy)}>
            <option value="type">{texts.graph.byType}</option>
            <option value="memory">{texts.graph.byMemory}</option>
            <option value="params">{texts.graph.byParams}</option>
            <option value="multiplyAdds">{texts.graph.byWork}</option>
          </select>
        </label>
        <span class="actions">
          <Button look="quiet" label={texts.graph.nearer} icon="plus" onClick={() => nearer(0.8)} />
          <Button look="quiet" label={texts.graph.whole} icon="fit" onClick={() => setView(whole(graph))} />
          <Menu label={texts.graph.save}>
            <Button look="quiet" icon="down" onClick={() => svg.current && saveSvg(svg.current, graph)}>
              SVG
            </Button>
            <Button look="quiet" icon="down" onClick={() => save('net.dot', toDot(graph), 'text/plain')}>
              DOT
            </Button>
            <Button look="quiet" icon="down" onClick={() => save('net.mmd', toMermaid(graph), 'text/plain')}>
              Mermaid
            </Button>
          </Menu>
        </span>
      </div>
      <div class="graph-body">
        {/* biome-ignore lint/a11y/noStaticElementInteractions: keys of the nodes inside */}
        <div class="graph-plane" onKeyDown={keys}>
          <svg
            ref={svg}
            viewBox={`${view.x} ${view.y} ${view.width} ${view.height}`}
            role="group"
            aria-label={texts.graph.describe(graph.nodes.length)}
          >
            <defs>
              <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
                <path class="arrow" d="M0 .8 7 4 0 7.2Z" />
              </marker>
            </defs>
            <g>
              {graph.edges.map(edge => (
                <Edge
                  key={`${edge.from} ${edge.to} ${edge.blob}`}
                  edge={edge}
                  strong={edge.from === props.chosen || edge.to === props.chosen}
                />
              ))}
            </g>
            {graph.nodes.map(node => (
              <Node
                key={node.layer}
                node={node}
                by={by}
                value={color.of(node)}
                chosen={node === chosen}
                hit={hits.includes(node)}
                faint={text !== '' && !hits.includes(node)}
                onChoose={() => props.onChoose(node.layer)}
              />
            ))}
          </svg>
        </div>
        {chosen && <NodeFacts node={chosen} onLine={props.onLine} onClose={() => props.onChoose(undefined)} />}
      </div>
      <p class="muted graph-help">{texts.graph.help}</p>
    </div>
  )
}

/** All of it where that can be read; else its beginning. */
function start(graph: NetGraph, size: { width: number; height: number }): View {
  const all = whole(graph)
  const scale = Math.max(all.width / size.width, Math.min(all.height / size.height, 1.1))
  return {
    x: all.x - (size.width * scale - all.width) / 2,
    y: all.y - Math.max(0, size.height * scale - all.height) / 2,
    width: size.width * scale,
    height: size.height * scale,
  }
}

function Edge(props: { edge: NetGraph['edges'][number]; strong: boolean }) {
  const { points, shape } = props.edge
  const [x, y] = middleOf(points)
  const d = points.map(([px, py], at) => `${at ? 'L' : 'M'}${px} ${py}`).join('')
  return (
    <g class={props.strong ? 'edge strong' : 'edge'} aria-hidden="true">
      <path d={d} marker-end="url(#arrow)" />
      <text x={x + 6} y={y + 3}>
        {shape.join('×')}
      </text>
    </g>
  )
}

function Node(props: {
  node: GraphNode
  by: ColorBy
  value: number
  chosen: boolean
  hit: boolean
  faint: boolean
  onChoose: () => void
}) {
  const { node } = props
  const left = node.x - node.width / 2
  const top = node.y - node.height / 2
  const room = Math.floor(node.width / 7)
  const cut = (text: string): string => (text.length > room ? `${text.slice(0, room - 1)}…` : text)
  const tall = node.height >= 30
  return (
    <g
      role="button"
      // of SVG, attributes are written as they are
      tabindex={0}
      data-layer={node.layer}
      aria-pressed={props.chosen}
      class={`node${props.chosen ? ' chosen' : ''}${props.hit ? ' hit' : ''}${props.faint ? ' faint' : ''}`}
      onClick={props.onChoose}
      onKeyDown={event => {
        if (event.key !== 'Enter' && event.key !== ' ') return
        event.preventDefault()
        props.onChoose()
      }}
    >
      <title>{texts.graph.node(node.layer, node.type, node.tops.map(blob => shapeText(blob.shape)).join(', '))}</title>
      <rect class="node-box" x={left} y={top} width={node.width} height={node.height} rx="5" />
      {props.by === 'type' ? (
        <rect class={`node-key fill-${props.value}`} x={left} y={top} width="5" height={node.height} rx="2.5" />
      ) : (
        <rect
          class="node-share"
          x={left}
          y={top}
          width={node.width}
          height={node.height}
          rx="5"
          style={{ fillOpacity: String(0.06 + 0.6 * props.value) }}
        />
      )}
      <text aria-hidden="true" class="node-name" x={node.x} y={tall ? node.y - 2 : node.y + 4} text-anchor="middle">
        {cut(node.layer)}
      </text>
      {tall && (
        <text aria-hidden="true" class="node-type" x={node.x} y={node.y + 12} text-anchor="middle">
          {cut(node.type)}
        </text>
      )}
    </g>
  )
}

/** All about a layer. */
function NodeFacts(props: { node: GraphNode; onLine?: (line: number) => void; onClose: () => void }) {
  const { node } = props
  return (
    <aside class="node-facts" aria-label={node.layer}>
      <header class="panel-head">
        <h3>{node.layer}</h3>
        <Button look="quiet" icon="cross" label={texts.close} onClick={props.onClose} />
      </header>
      <p class="muted">{node.type}</p>
      <dl class="facts">
        {node.bottoms.map(({ blob, shape }) => (
          <div key={`in ${blob}`}>
            <dt>{texts.graph.bottom(blob)}</dt>
            <dd>{shapeText(shape)}</dd>
          </div>
        ))}
        {node.tops.map(({ blob, shape }) => (
          <div key={`out ${blob}`}>
            <dt>{texts.graph.top(blob)}</dt>
            <dd>{shapeText(shape)}</dd>
          </div>
        ))}
        <div>
          <dt>{texts.graph.params}</dt>
          <dd>{count(node.params)}</dd>
        </div>
        <div>
          <dt>{texts.graph.memory}</dt>
          <dd>{bytes(node.memory)}</dd>
        </div>
        <div>
          <dt>{texts.graph.work}</dt>
          <dd>{compact(node.multiplyAdds)}</dd>
        </div>
      </dl>
      {node.fields.length > 0 && (
        <ul class="node-fields">
          {node.fields.map(field => (
            <li key={field.field} class={field.set ? '' : 'muted'}>
              <code>
                {field.field.replace(/^\w+_param\./, '')}: {field.value}
              </code>
              {!field.set && ` ${texts.graph.byDefault}`}
            </li>
          ))}
        </ul>
      )}
      {node.line !== undefined && props.onLine && (
        <Button icon="pen" onClick={() => props.onLine?.(node.line!)}>
          {texts.graph.toLine(node.line)}
        </Button>
      )}
    </aside>
  )
}

/** Drag to move, wheel with Ctrl or a pinch to zoom, wheel to scroll. */
function usePanning(
  svg: { readonly current: SVGSVGElement | null },
  setView: (change: (last: View) => View) => void,
  graph: NetGraph,
): void {
  useEffect(() => {
    const element = svg.current
    if (!element) return
    const stop = new AbortController()
    const { signal } = stop
    let held: { x: number; y: number } | undefined
    const scale = (view: View): number => view.width / Math.max(1, element.clientWidth)
    element.addEventListener(
      'wheel',
      event => {
        event.preventDefault()
        const box = element.getBoundingClientRect()
        setView(view => {
          const unit = scale(view)
          if (!event.ctrlKey && !event.metaKey)
            return { ...view, x: view.x + event.deltaX * unit, y: view.y + event.deltaY * unit }
          const at = { x: view.x + (event.clientX - box.x) * unit, y: view.y + (event.clientY - box.y) * unit }
          return zoom(view, Math.exp(event.deltaY / 300), at, graph)
        })
      },
      { signal, passive: false },
    )
    // beside a layer's facts it is narrower: what is read keeps its size and its middle
    let last = { width: element.clientWidth, height: element.clientHeight }
    const resized = new ResizeObserver(() => {
      const [before, now] = [last, { width: element.clientWidth, height: element.clientHeight }]
      if (!before.width || !before.height || !now.width || !now.height) return
      last = now
      if (now.width !== before.width || now.height !== before.height) setView(view => resize(view, before, now))
    })
    resized.observe(element)
    signal.addEventListener('abort', () => resized.disconnect())
    element.addEventListener('pointerdown', event => (held = { x: event.clientX, y: event.clientY }), { signal })
    addEventListener('pointerup', () => (held = undefined), { signal })
    addEventListener(
      'pointermove',
      event => {
        if (!held) return
        const [dx, dy] = [event.clientX - held.x, event.clientY - held.y]
        held = { x: event.clientX, y: event.clientY }
        setView(view => ({ ...view, x: view.x - dx * scale(view), y: view.y - dy * scale(view) }))
      },
      { signal },
    )
    return () => stop.abort()
  }, [graph])
}

/** The drawing as a file: with the colours that it has now. */
function saveSvg(drawn: SVGSVGElement, graph: NetGraph): void {
  const copy = drawn.cloneNode(true) as SVGSVGElement
  const { x, y, width, height } = whole(graph)
  copy.setAttribute('viewBox', `${x} ${y} ${width} ${height}`)
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  const originals = drawn.querySelectorAll('path, rect, text')
  copy.querySelectorAll('path, rect, text').forEach((element, at) => {
    const { fill, stroke, strokeWidth, fontSize, fontFamily, fillOpacity } = getComputedStyle(originals[at])
    for (const [name, value] of Object.entries({
      fill,
      stroke,
      'stroke-width': strokeWidth,
      'font-size': fontSize,
      'font-family': fontFamily,
      'fill-opacity': fillOpacity,
    }))
      element.setAttribute(name, value)
  })
  save('net.svg', new XMLSerializer().serializeToString(copy), 'image/svg+xml')
}
