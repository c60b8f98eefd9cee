import { Graph as Layout, layout } from '@dagrejs/dagre'
import type { Rankdir } from './drawing.js'

/** A place of a drawing, in pixels from its upper left corner. */
export interface Point {
  readonly x: number
  readonly y: number
}

/** What has a place in a drawing. */
export interface Box {
  readonly id: string
  readonly width: number
  readonly height: number
}

/** What leads from one box to another. */
export interface Arrow {
  readonly from: string
  readonly to: string
  /** Room for words on the way; default none. */
  readonly width?: number
  readonly height?: number
}

/** Boxes in layers of the flow, and the ways of the arrows between them. */
export interface Placed {
  readonly width: number
  readonly height: number
  /** Middles of the boxes, in their order. */
  readonly boxes: readonly Point[]
  /** Of each arrow the points that it goes by, from box to box, and the middle of its words. */
  readonly arrows: readonly (Point & { readonly points: readonly Point[] })[]
}

/** Give boxes their places in layers of the flow, so that arrows are short and few cross. */
export function placeBoxes(boxes: readonly Box[], arrows: readonly Arrow[], rankdir: Rankdir): Placed {
  if (!boxes.length) return { width: 0, height: 0, boxes: [], arrows: [] }
  const plan = new Layout({ multigraph: true })
  plan.setGraph({ rankdir, nodesep: 22, ranksep: 30, edgesep: 14 })
  for (const { id, width, height } of boxes) plan.setNode(id, { width, height })
  arrows.forEach(({ from, to, width = 0, height = 0 }, i) => {
    plan.setEdge(from, to, { width, height, labelpos: 'c' }, String(i))
  })
  layout(plan)
  const { width = 0, height = 0 } = plan.graph() as { width?: number; height?: number }
  return {
    width,
    height,
    boxes: boxes.map(({ id }) => plan.node(id) as Point),
    arrows: arrows.map(({ from, to }, i) => plan.edge(from, to, String(i)) as Point & { points: Point[] }),
  }
}

/** About how wide a text is in Helvetica, a little generous. */
export function widthOf(text: string, size: number, bold: boolean): number {
  let width = 0
  for (const char of text) {
    if (/[fijlrtI.,:;|!'()[\]/ -]/.test(char)) width += 0.34
    else if (/[mwMW@%]/.test(char)) width += 0.88
    else if (/[A-Z]/.test(char)) width += 0.7
    else width += char.charCodeAt(0) < 0x250 ? 0.575 : 1
  }
  return width * size * (bold ? 1.07 : 1)
}
