import type { LayerParameter } from '../../generated/caffe.js'
import { keyOf } from '../../net/weights.js'
import type { Net } from '../../net.js'
import { placeOf } from '../../proto/places.js'
import { type Box, type Point, placeBoxes, widthOf } from '../../pycaffe/draw/layout.js'
import { summarize } from '../../tools/summarize.js'
import type { GraphNode, Inspection, NetGraph } from '../api/index.js'
import { fieldsOf } from './layer_fields.js'

/** Text size of names, and heights of boxes: a name, a type, a shape. */
const FONT = 13
const HEIGHT = 54
const LEAST = 96
const MOST = 260
/** Between a layer and one that works on its top in place. */
const GAP = 14
const MARGIN = 12

/** What flows from one layer to another. */
interface Flow {
  readonly from: string
  readonly to: string
  readonly blob: string
  readonly shape: readonly number[]
}

/** A layer and those that work on its top in place, below each other: one box for the layout. */
interface Stack extends Box {
  readonly members: readonly string[]
}

/** A layer of the drawing: `id` tells it from others of its name. */
interface Drawn {
  readonly id: string
  readonly layer: LayerParameter
  /** As it was written: what stands for a data layer is an input. */
  readonly written: LayerParameter
  readonly size: { readonly width: number; readonly height: number }
}

/** Layers by the keys that tell them apart. */
export function byKey(layers: readonly LayerParameter[]): Map<string, LayerParameter> {
  const taken = new Set<string>()
  return new Map(layers.map(layer => [keyOf(layer.name ?? '', taken), layer]))
}

/** A net that was made, as it is drawn from top to bottom: layers as boxes, with what each of them takes and does. */
export function graphOf(
  net: Net,
  written: ReadonlyMap<string, LayerParameter>,
): { graph: NetGraph; totals: NonNullable<Inspection['totals']> } {
  const summary = summarize(net)
  const shapes = new Map(net.built.blobs.map(blob => [blob.name, blob.shape]))
  const drawn = [...byKey(net.param.layer ?? [])].map(([id, layer]): Drawn => {
    const own = written.get(id) ?? layer
    return { id, layer, written: own, size: sizeOf(own, shapes.get(layer.top?.[0] ?? '') ?? []) }
  })
  const places = layOut(drawn, flowsOf(drawn, shapes))
  const nodes = drawn.map(({ id, layer, written, size }, i): GraphNode => {
    const place = placeOf(written)
    const blob = (blob: string) => ({ blob, shape: shapes.get(blob) ?? [] })
    const { params, memory, multiplyAdds } = summary.layers[i]
    return {
      layer: id,
      type: written.type ?? '',
      ...places.at.get(id)!,
      ...size,
      ...(place && { line: place.line }),
      bottoms: (layer.bottom ?? []).map(blob),
      tops: (layer.top ?? []).map(blob),
      fields: fieldsOf(written),
      ...{ params, memory, multiplyAdds },
    }
  })
  return {
    graph: { width: places.width, height: places.height, nodes, edges: places.edges },
    totals: { params: summary.params, memory: summary.memory.total, multiplyAdds: summary.multiplyAdds },
  }
}

/** Of every bottom, the layer that wrote it last. */
function flowsOf(drawn: readonly Drawn[], shapes: ReadonlyMap<string, readonly number[]>): Flow[] {
  const writer = new Map<string, string>()
  const flows: Flow[] = []
  for (const { id, layer } of drawn) {
    for (const blob of new Set(layer.bottom)) {
      const from = writer.get(blob)
      if (from !== undefined) flows.push({ from, to: id, blob, shape: shapes.get(blob) ?? [] })
    }
    for (const blob of layer.top ?? []) writer.set(blob, id)
  }
  return flows
}

function sizeOf({ name = '', type = '' }: LayerParameter, shape: readonly number[]): Drawn['size'] {
  const wide = Math.max(
    widthOf(name, FONT, true),
    widthOf(type, FONT - 2, false),
    widthOf(shape.join('×'), FONT - 2, false),
  )
  return { width: Math.round(Math.min(MOST, Math.max(LEAST, wide + 24))), height: HEIGHT }
}

function layOut(drawn: readonly Drawn[], flows: readonly Flow[]) {
  const stacks = stacksOf(drawn)
  const stackOf = new Map(stacks.flatMap(stack => stack.members.map(member => [member, stack] as const)))
  const between = flows.filter(({ from, to }) => stackOf.get(from) !== stackOf.get(to))
  const placed = placeBoxes(
    stacks,
    between.map(({ from, to }) => ({ from: stackOf.get(from)!.id, to: stackOf.get(to)!.id })),
    'TB',
  )
  const at = new Map<string, Point>()
  stacks.forEach(({ members, height }, i) => {
    const { x, y } = placed.boxes[i]
    members.forEach((member, k) => {
      at.set(member, { x: round(x + MARGIN), y: round(y - height / 2 + HEIGHT / 2 + k * (HEIGHT + GAP) + MARGIN) })
    })
  })
  const ways = new Map(between.map((flow, i) => [flow, placed.arrows[i].points]))
  const edges = flows.map(flow => ({ ...flow, points: wayOf(ways.get(flow), at.get(flow.from)!, at.get(flow.to)!) }))
  return { at, edges, width: Math.ceil(placed.width + 2 * MARGIN), height: Math.ceil(placed.height + 2 * MARGIN) }
}

/** The points between two boxes; within a stack straight down. */
function wayOf(points: readonly Point[] | undefined, from: Point, to: Point): (readonly [number, number])[] {
  const inner = points?.map(({ x, y }) => [round(x + MARGIN), round(y + MARGIN)] as const)
  return (
    inner ?? [
      [from.x, from.y + HEIGHT / 2],
      [to.x, to.y - HEIGHT / 2],
    ]
  )
}

function stacksOf(drawn: readonly Drawn[]): Stack[] {
  const stacks: Drawn[][] = []
  /** By blob: the stack at whose end it is, while nothing but layers in place has read it. */
  const open = new Map<string, Drawn[]>()
  for (const each of drawn) {
    const { bottom = [], top = [] } = each.layer
    const inPlace = bottom.length === 1 && top.length === 1 && bottom[0] === top[0]
    const stack = (inPlace ? open.get(bottom[0]) : undefined) ?? []
    if (!stack.length) stacks.push(stack)
    stack.push(each)
    if (!inPlace) for (const blob of bottom) open.delete(blob)
    for (const blob of top) open.set(blob, stack)
  }
  return stacks.map(members => ({
    id: members[0].id,
    members: members.map(({ id }) => id),
    width: Math.max(...members.map(({ size }) => size.width)),
    height: members.length * (HEIGHT + GAP) - GAP,
  }))
}

const round = (value: number): number => Math.round(value * 10) / 10
