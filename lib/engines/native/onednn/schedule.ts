/** When operations run, and where their values lie meanwhile. */
import { type Op, readsOf, type Value } from './graph.js'
import type { Extent } from './primitives.js'

/** Values begin on a cache line. */
const LINE = 64

/** Where a value lies: bytes from the beginning of what is kept of an image. */
export interface Storage {
  readonly places: ReadonlyMap<Value, number>
  /** Bytes of an image. */
  readonly bytes: number
}

/** Bytes of an image with its channels in blocks. */
export const blockedBytes = ({ channels, height, width }: Extent, block: number): number =>
  4 * Math.ceil(channels / block) * block * height * width

/**
 * The wave of each operation: those of a wave need nothing of each other. In order: a wave for each, so that what was
 * written last is read next.
 */
export function wavesOf(ops: readonly Op[], inOrder: boolean): number[] {
  if (inOrder) return ops.map((_, i) => i + 1)
  const written = new Map<Value, number>()
  const read = new Map<Value, number>()
  return ops.map(op => {
    let wave = 1
    for (const x of readsOf(op)) wave = Math.max(wave, (written.get(x) ?? 0) + 1)
    // a sum takes the place of a value that others read before
    if (op.kind === 'convolution' && op.sum) wave = Math.max(wave, (read.get(op.sum) ?? 0) + 1)
    for (const x of readsOf(op)) read.set(x, Math.max(read.get(x) ?? 0, wave))
    written.set(op.y, wave)
    return wave
  })
}

/** Whose room a value has, and where in it. */
export interface Part {
  readonly whole: Value
  readonly offset: number
}

/** Values that lie inside others: sums in the place of what they add to, and what is put behind each other. */
export function partsOf(ops: readonly Op[], block: number): ReadonlyMap<Value, Part> {
  const parts = new Map<Value, Part>()
  const made = new Set(ops.map(({ y }) => y))
  for (const op of ops) {
    if (op.kind === 'convolution' && op.sum) parts.set(op.y, { whole: op.sum, offset: 0 })
    if (op.kind !== 'concat') continue
    let channel = 0
    for (const part of op.parts) {
      const { channels, height, width } = part.extent
      const isLast = channel + channels === op.y.extent.channels
      // one that has its place already is copied; others begin and end with a block
      const fits = channel % block === 0 && (channels % block === 0 || isLast)
      if (fits && made.has(part) && !parts.has(part))
        parts.set(part, { whole: op.y, offset: 4 * channel * height * width })
      channel += channels
    }
  }
  return parts
}

/** Lays values out: room is used again when the wave that reads it last is over. `kept` are read after all waves. */
export function layOut(
  ops: readonly Op[],
  waves: readonly number[],
  entered: ReadonlySet<Value>,
  kept: ReadonlySet<Value>,
  parts: ReadonlyMap<Value, Part>,
  block: number,
): Storage {
  const wholeOf = (value: Value): Part => {
    let [whole, offset] = [value, 0]
    for (let part = parts.get(whole); part; part = parts.get(whole)) {
      whole = part.whole
      offset += part.offset
    }
    return { whole, offset }
  }
  const spans = new Map<Value, { first: number; last: number }>()
  const touch = (value: Value, wave: number): void => {
    const { whole } = wholeOf(value)
    const span = spans.get(whole)
    if (!span) spans.set(whole, { first: wave, last: wave })
    else {
      span.first = Math.min(span.first, wave)
      span.last = Math.max(span.last, wave)
    }
  }
  const end = Math.max(...waves) + 1
  for (const value of entered) touch(value, 0)
  for (const [i, op] of ops.entries()) {
    for (const x of readsOf(op)) if (!x.source || entered.has(x)) touch(x, waves[i])
    touch(op.y, waves[i])
  }
  for (const value of kept) touch(value, end)
  const offsets = new Map<Value, number>()
  let bytes = 0
  const placed: { at: number; until: number; last: number; first: number }[] = []
  for (const [value, { first, last }] of [...spans].sort((a, b) => a[1].first - b[1].first)) {
    const size = Math.ceil((blockedBytes(value.extent, block) + LINE) / LINE) * LINE
    // the lowest gap among those that are there at the same time
    const busy = placed.filter(other => other.last >= first && other.first <= last).sort((a, b) => a.at - b.at)
    let at = 0
    for (const other of busy) if (other.at < at + size) at = Math.max(at, other.until)
    placed.push({ at, until: at + size, first, last })
    offsets.set(value, at)
    bytes = Math.max(bytes, at + size)
  }
  const places = new Map<Value, number>()
  const all = [...entered, ...ops.map(({ y }) => y)]
  for (const value of all) {
    const { whole, offset } = wholeOf(value)
    places.set(value, offsets.get(whole)! + offset)
  }
  return { places, bytes }
}
